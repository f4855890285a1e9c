"""What is reported of a request once it has ended. Nothing is collected unless the access log or spans are on."""

from collections.abc import Callable
from dataclasses import dataclass

from ..trace import Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedRequest:
    """One request and its answer, without anything that was in them."""

    protocol: str
    """``HTTP/1.0``, ``HTTP/1.1`` or ``HTTP/2``."""
    method: str
    path: bytes
    status: int
    """The HTTP status; 0 if the client went before there was one."""
    grpc_status: int | None
    """gRPC's status code; ``None`` for REST."""
    began: float
    """When the request arrived, in seconds since 1970."""
    seconds: float
    """How long it took to answer."""
    in_bytes: int
    """Bytes of the request's body."""
    out_bytes: int
    """Bytes of the whole response; over HTTP/2, of its body."""
    peer: str
    """The client's address as ``host:port``."""
    trace: Trace | None
    reference: str
    """The reference under which the log has the cause of an error; empty if there is none."""


RequestObserver = Callable[[FinishedRequest], None]
"""Called with each request that has ended. Must neither raise nor block."""
