"""HTTP/1.1 or HTTP/2 on one port: the first bytes of a connection decide."""

from asyncio import BaseTransport, Protocol, Transport, get_running_loop
from collections.abc import Callable
from typing import Any, cast

from .http2 import PREFACE
from .limits.open_connections import ClientTimeouts, OpenConnections

# Every HTTP/2 client that knows it is talking to HTTP/2 begins with the same 24 bytes, the preface (RFC 9113 §3.3,
# §3.4). It was made to look like a request whose method PRI no HTTP/1.1 client uses:
#
#     PRI * HTTP/2.0 CR LF CR LF SM CR LF CR LF
#     └─ decided here ┘
#
# So a connection is HTTP/1.1 as soon as its bytes differ from that (a POST differs in its second byte), HTTP/2 once
# they agree up to the version, and undecided while they are a shorter beginning of it. Whether the rest of the preface
# is right is for the HTTP/2 connection to check. Over TLS the client has chosen by ALPN before, and sends the same.
_DECIDED_BY = PREFACE[: len(b"PRI * HTTP/2.0")]

ConnectionFactory = Callable[[], Any]
"""Makes the protocol of one connection."""

_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class TooManyConnections(Protocol):
    """A connection above the limit: it gets a 503 in HTTP/1.1, whichever protocol it would speak, and is closed."""

    def connection_made(self, transport: BaseTransport) -> None:
        made = cast(Transport, transport)
        made.write(_BUSY)
        made.close()


class ProtocolDetector(Protocol):
    """A connection whose first bytes have not decided yet. Then it hands its transport to the protocol they name."""

    def __init__(self, http1: ConnectionFactory, http2: ConnectionFactory, connections: OpenConnections) -> None:
        self._http1 = http1
        self._http2 = http2
        self._connections = connections
        self._transport: Transport
        self._received = b""
        self._draining = False

    def __repr__(self) -> str:
        return f"<ProtocolDetector received={len(self._received)}>"

    def connection_made(self, transport: BaseTransport) -> None:
        self._transport = cast(Transport, transport)
        self._since = get_running_loop().time()
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)

    def data_received(self, data: bytes) -> None:
        received = self._received = self._received + data if self._received else data
        if received.startswith(_DECIDED_BY):
            chosen = self._http2()
        elif PREFACE.startswith(received):
            return  # both are still possible
        else:
            chosen = self._http1()
        self._connections.discard(self)
        self._transport.set_protocol(chosen)
        chosen.connection_made(self._transport)
        if self._draining:
            chosen.drain()
        chosen.data_received(received)

    def eof_received(self) -> bool:
        return False

    @property
    def open_requests(self) -> int:
        """Always 0: no request has been read."""
        return 0

    def drain(self) -> None:
        """Have the chosen protocol drain from its first request on."""
        self._draining = True

    def close_if_quiet(self) -> None:
        """Close the connection unless a request has begun to arrive."""
        if not self._received:
            self._transport.close()

    def abort(self) -> None:
        """Close the connection at once."""
        self._transport.abort()

    def check_time(self, now: float, timeouts: ClientTimeouts) -> None:
        """Close the connection if its first bytes do not come, or do not decide, in time."""
        if now - self._since > (timeouts.head_s if self._received else timeouts.idle_s):
            self._transport.close()
