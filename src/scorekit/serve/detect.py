"""HTTP/1.1 or HTTP/2 on one port: the first bytes of a connection say which."""

from asyncio import BaseTransport, Protocol, Transport, get_running_loop
from collections.abc import Callable
from typing import Any, cast

from .http2.frames import PREFACE
from .limits.open_connections import ClientTimeouts, OpenConnections

# As much of it as no other method begins with: what follows is for the HTTP/2 connection to judge.
_ENOUGH = len(b"PRI * HTTP/2.0")

Make = Callable[[], Any]
"""Makes the protocol of one connection, a member of the same fleet."""


_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class TooManyConnections(Protocol):
    """A connection too many: told so, whatever it speaks, and closed."""

    def connection_made(self, transport: BaseTransport) -> None:
        made = cast(Transport, transport)
        made.write(_BUSY)
        made.close()


class ProtocolDetector(Protocol):
    """A connection that has said nothing yet. Hands itself over with the first bytes that decide."""

    def __init__(self, http: Make, http2: Make, fleet: OpenConnections) -> None:
        self._http = http
        self._http2 = http2
        self._fleet = fleet
        self._transport: Transport
        self._seen = b""
        self._draining = False

    def __repr__(self) -> str:
        return f"<ProtocolDetector seen={len(self._seen)}>"

    def connection_made(self, transport: BaseTransport) -> None:
        self._transport = cast(Transport, transport)
        self._since = get_running_loop().time()
        self._fleet.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._fleet.discard(self)

    def data_received(self, data: bytes) -> None:
        seen = self._seen = self._seen + data if self._seen else data
        if not seen.startswith(PREFACE[:_ENOUGH]):
            if PREFACE.startswith(seen):
                return  # both are possible still
            chosen = self._http()
        else:
            chosen = self._http2()
        self._fleet.discard(self)
        self._transport.set_protocol(chosen)
        chosen.connection_made(self._transport)
        if self._draining:
            chosen.drain()
        chosen.data_received(seen)

    def eof_received(self) -> bool:
        return False

    @property
    def open_requests(self) -> int:
        return 0

    def drain(self) -> None:
        self._draining = True

    def close_if_quiet(self) -> None:
        if not self._seen:
            self._transport.close()

    def abort(self) -> None:
        self._transport.abort()

    def check_time(self, now: float, patience: ClientTimeouts) -> None:
        if now - self._since > (patience.head_s if self._seen else patience.idle_s):
            self._transport.close()
