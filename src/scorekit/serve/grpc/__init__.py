"""gRPC: the services of a Seldon Core v1 component, health and reflection, on the streams of HTTP/2.

May import the codec, the service, the .proto files and :mod:`~scorekit.serve.http2`; knows nothing of HTTP/1.1 and
REST. Begin with :mod:`~scorekit.serve.grpc.services`; :mod:`~scorekit.serve.grpc.calls` draws gRPC's framing, and
:mod:`~scorekit.serve.grpc.status` has the one table from errors to status codes.
"""

from .calls import ANSWER, GrpcCall, UnaryCall
from .services import MAX_MESSAGE_BYTES, GrpcServices
from .status import STATUS, StatusCode

__all__ = ["ANSWER", "MAX_MESSAGE_BYTES", "STATUS", "GrpcCall", "GrpcServices", "StatusCode", "UnaryCall"]
