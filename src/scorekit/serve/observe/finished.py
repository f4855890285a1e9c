"""What can be told of a request once it is over. The access log and the spans take it; off unless one of them is on."""

from collections.abc import Callable
from dataclasses import dataclass

from ..trace import Trace


@dataclass(frozen=True, slots=True)
class FinishedRequest:
    """One request and its answer. Nothing of what was in them."""

    protocol: str
    method: str
    path: bytes
    status: int
    """HTTP's; 0 where the client has gone before there was one."""
    grpc: int | None
    """gRPC's code; ``None`` of REST."""
    began: float
    """Seconds since 1970."""
    seconds: float
    in_bytes: int
    """Of the body."""
    out_bytes: int
    """Of the whole answer; over HTTP/2 of its body."""
    peer: str
    trace: Trace | None
    reference: str
    """Under which the log says more, if it does."""


RequestObserver = Callable[[FinishedRequest], None]
"""Must not raise, and not wait."""
