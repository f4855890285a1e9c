"""Writes one row as MLServer's gRPC request to standard output."""

import sys

from mlserver.grpc.dataplane_pb2 import ModelInferRequest

request = ModelInferRequest(model_name="bench")
tensor = request.inputs.add(name="x", datatype="FP64", shape=[1, 4])
tensor.contents.fp64_contents.extend([5.1, 3.5, 1.4, 0.2])
sys.stdout.buffer.write(request.SerializeToString())
