"""The serving edge: sockets, processes, the event loop, and the protocols REST and gRPC over HTTP/1.1 and HTTP/2.

May import everything that serving is made of (codec, contract, model, metrics, inference), and nothing of deploying.
Its rooms stand on floors of their own: limits and observe below http1 and http2, these below rest and grpc, workers on
top. Begin with :mod:`~scorekit.serve.server`; this face is empty, because each room is imported by itself.
"""

__all__ = ()
