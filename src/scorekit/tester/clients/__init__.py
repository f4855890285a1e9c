"""The clients of the tester: each sends queries to a model server and is a ``tester.Transport``.

It imports ``errors``, ``proto`` and ``tester.transport``. Begin with ``address``, then ``rest``; ``grpc`` needs grpcio
when a client is made, and protobuf at import, so this face leaves it out.
"""

from .address import Address, parse_address
from .rest import RestClient

__all__ = ["Address", "RestClient", "parse_address"]
