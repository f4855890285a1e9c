"""A stream that is told of when it is over: to the access log, to the spans."""

import time
from collections.abc import Sequence

from ..observe.finished import FinishedRequest, RequestObserver
from ..trace import trace
from .frames import Fields
from .streams import Headers, Stream, StreamConnection

_CANCELLED = 1  # gRPC's code for a call that its client has taken back


class ObservedStream(Stream):
    """A stream that is looked at when it is over, and whose answer says the trace that its request has said."""

    __slots__ = ("_began", "_code", "_grpc", "_head", "_looks", "_out_bytes", "_peer", "_trace")

    def __init__(
        self,
        line: StreamConnection,
        number: int,
        window: int,
        head: Headers,
        looks: Sequence[RequestObserver],
        peer: str,
    ) -> None:
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
        seen = FinishedRequest(
            "HTTP/2",
            self._head[b":method"].decode("latin-1"),
            self._head[b":path"],
            self._code,
            _CANCELLED if self._grpc is None and self._code in (0, 200) else self._grpc,
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
