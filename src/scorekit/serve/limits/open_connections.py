"""The open connections of a server, whichever protocol they speak, and how they are closed."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Protocol

from .periodic import repeat

log = logging.getLogger(__name__)


class OpenConnection(Protocol):
    """One open connection, as a drain and the timeouts see it."""

    @property
    def open_requests(self) -> int:
        """The number of requests that have arrived and are not answered yet."""

    def drain(self) -> None:
        """Tell the client to send no further requests on this connection, and go on answering."""

    def close_if_quiet(self) -> None:
        """Close the connection now if no request is open, otherwise after the last answer."""

    def abort(self) -> None:
        """Close the connection at once, even if requests are open."""

    def check_time(self, now: float, timeouts: "ClientTimeouts") -> None:
        """Close the connection if the client has exceeded one of ``timeouts``. ``now`` is the event loop's time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientTimeouts:
    """How long clients may take, in seconds."""

    head_s: float = 10.0
    """For the request line and all headers, from the first byte."""
    body_s: float = 30.0
    """The length of a window; in each one at least ``bytes_per_s`` of a body must arrive on average."""
    write_s: float = 30.0
    """The length of a window; in each one the client must read its answers at ``bytes_per_s`` on average."""
    bytes_per_s: float = 240.0
    idle_s: float = 620.0
    """Between two requests of a connection."""


OpenConnections = set[OpenConnection]


# How long a refused client may go on sending before its connection is closed.
_READ_ON_S = 2.0


def close_after_reading(transport: asyncio.Transport) -> None:
    """End our side of the connection, ignore what the client still sends for 2 s, then close.

    A TCP socket that is closed with unread input sends a reset, and a reset makes the client's kernel throw away the
    answer that it has already received but not yet read. So a refusal that is sent while the client is still uploading
    would be lost without this. Nothing may be written afterwards. Calling it twice does no harm.
    """
    if transport.is_closing():
        return
    if transport.can_write_eof():
        transport.write_eof()
    asyncio.get_running_loop().call_later(_READ_ON_S, transport.close)


async def close_slow_clients(connections: OpenConnections, timeouts: ClientTimeouts, every_s: float = 1.0) -> None:
    """Check all connections every ``every_s`` seconds, for ever, and close those that exceed a timeout.

    One pass a second over all connections costs less than a timer for each request: timers would have to be created
    and cancelled some 25,000 times a second, and the timeouts do not need to be exact.
    """
    loop = asyncio.get_running_loop()
    await repeat("time_limits", lambda: check_times(connections, loop.time(), timeouts), every_s)


def check_times(connections: OpenConnections, now: float, timeouts: ClientTimeouts) -> None:
    """Check each connection once. One whose check fails is logged and closed, and the others are checked all the same.

    A connection that cannot be checked has no time limits any more, so it must not stay open.
    """
    for connection in list(connections):
        try:
            connection.check_time(now, timeouts)
        except Exception:
            log.exception("guard.failed name=time_limits connection=%r: it is closed", connection)
            connections.discard(connection)
            connection.abort()


async def drain(connections: OpenConnections, grace_s: float) -> None:
    """Close each connection once its open requests are answered; abort those left after ``grace_s`` seconds."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + grace_s
    for connection in list(connections):
        connection.drain()
        connection.close_if_quiet()
    while connections and loop.time() < deadline:
        await asyncio.sleep(0.01)
    if connections:
        log.warning("drain.cut_off connections=%d after_s=%g", len(connections), grace_s)
    for connection in list(connections):
        connection.abort()
