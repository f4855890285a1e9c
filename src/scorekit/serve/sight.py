"""What can be seen of a request once it is over, and who looks: the access log, the spans. Off unless somebody does."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from . import status
from .exchange import Exchange
from .frames import Fields
from .streams import Head, Line, Stream
from .trace import Trace, trace


@dataclass(frozen=True, slots=True)
class Seen:
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


Look = Callable[[Seen], None]
"""Must not raise, and not wait."""


def looked_at(observe: Callable[[Exchange, int], None], looks: Sequence[Look]) -> Callable[[Exchange, int], None]:
    """``observe``, and every look besides."""

    def both(exchange: Exchange, code: int) -> None:
        observe(exchange, code)
        head, seconds = exchange.head, time.perf_counter() - exchange.started
        seen = Seen(
            "HTTP/1.0" if head.is_http_10 else "HTTP/1.1",
            head.method,
            head.path,
            code,
            None,
            time.time() - seconds,
            seconds,
            len(exchange.body),
            len(exchange.response or b""),
            exchange.peer,
            head.trace,
            exchange.reference,
        )
        for look in looks:
            look(seen)

    return both


class Told(Stream):
    """A stream that is looked at when it is over, and whose answer says the trace that its request has said."""

    __slots__ = ("_began", "_code", "_grpc", "_head", "_looks", "_out_bytes", "_peer", "_trace")

    def __init__(self, line: Line, number: int, window: int, head: Head, looks: Sequence[Look], peer: str) -> None:
        super().__init__(line, number, window)
        self._began = time.perf_counter()
        self._head, self._looks, self._peer = head, looks, peer
        self._trace = trace(head)
        self._code = self._out_bytes = 0
        self._grpc: int | None = None

    def start(self, fields: Fields, end: bool = False) -> None:
        self._note(fields)
        if self._trace is not None:
            fields = (fields[0], *self._trace.fields(), *fields[1:])
        super().start(fields, end)

    def send(self, data: bytes) -> None:
        self._out_bytes += len(data)
        super().send(data)

    def finish(self, trailers: Fields) -> None:
        self._note(trailers)
        super().finish(trailers)

    def forgotten(self) -> None:
        super().forgotten()
        seconds = time.perf_counter() - self._began
        seen = Seen(
            "HTTP/2",
            self._head[b":method"].decode("latin-1"),
            self._head[b":path"],
            self._code,
            status.CANCELLED if self._grpc is None and self._code in (0, 200) else self._grpc,
            time.time() - seconds,
            seconds,
            self.held,
            self._out_bytes,
            self._peer,
            self._trace,
            getattr(self, "reference", ""),
        )
        for look in self._looks:
            look(seen)

    def _note(self, fields: Fields) -> None:
        for name, value in fields:
            if name == b":status":
                self._code = int(value)
            elif name == b"grpc-status":
                self._grpc = int(value)
