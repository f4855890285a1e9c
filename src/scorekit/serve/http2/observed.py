"""Streams that are reported when they have ended, to the access log and the spans."""

import time
from collections.abc import Sequence

from ..observe.finished import FinishedRequest, RequestObserver
from ..trace import trace
from .header_fields import Fields, Headers
from .streams import Stream, StreamConnection

_CANCELLED = 1  # gRPC's code for a call that its client has cancelled


class ObservedStream(Stream):
    """A stream that reports its request when it has ended, and whose answer carries the request's trace.

    It costs more than a plain stream, so it is used only if there are observers or the request has a trace.
    """

    __slots__ = ("_began", "_grpc_status", "_headers", "_observers", "_out_bytes", "_peer", "_status", "_trace")

    def __init__(
        self,
        connection: StreamConnection,
        number: int,
        window: int,
        *,
        headers: Headers,
        observers: Sequence[RequestObserver],
        peer: str,
    ) -> None:
        super().__init__(connection, number, window)
        self._began = time.perf_counter()
        self._headers, self._observers, self._peer = headers, observers, peer
        self._trace = trace(headers)
        self._status = self._out_bytes = 0
        self._grpc_status: int | None = None

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
        cancelled = self._grpc_status is None and self._status in (0, 200)
        finished = FinishedRequest(
            protocol="HTTP/2",
            method=self._headers[b":method"].decode("latin-1"),
            path=self._headers[b":path"],
            status=self._status,
            grpc_status=_CANCELLED if cancelled else self._grpc_status,
            began=time.time() - seconds,
            seconds=seconds,
            in_bytes=self.held,
            out_bytes=self._out_bytes,
            peer=self._peer,
            trace=self._trace,
            reference=getattr(self, "reference", ""),
        )
        for observe in self._observers:
            observe(finished)

    def _note(self, fields: Fields) -> None:
        for name, value in fields:
            if name == b":status":
                self._status = int(value)
            elif name == b"grpc-status":
                self._grpc_status = int(value)
