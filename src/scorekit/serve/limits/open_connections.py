"""The open connections of a server, whatever they speak, as a drain sees them."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Protocol

log = logging.getLogger(__name__)


class Member(Protocol):
    """One open connection."""

    @property
    def open_requests(self) -> int:
        """How many requests have come and are not answered."""

    def drain(self) -> None:
        """Tell the client to open no more on this connection; go on answering."""

    def close_if_quiet(self) -> None:
        """Close, unless something is open; then when that is answered."""

    def abort(self) -> None:
        """Close at once, whatever is open."""

    def check_time(self, now: float, patience: "Patience") -> None:
        """Close if the client has taken too long, by the loop's clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long clients may take, in seconds."""

    head_s: float = 10.0
    """For the whole head of a request, from its first byte."""
    body_s: float = 30.0
    """In each stretch of this, ``bytes_per_s`` of a body must come."""
    write_s: float = 30.0
    """In each stretch of this, a client must take as much of its answers."""
    bytes_per_s: float = 240.0
    idle_s: float = 620.0
    """Between two requests of a connection."""


Fleet = set[Member]


# How long a refused client may go on sending before its connection is closed on it.
_PASS_OVER_S = 2.0


def close_after_reading(transport: asyncio.Transport) -> None:
    """End our side, pass over what the client still sends, then close.

    Closing with input unread would reset the connection, and with it the refusal, before the client has read it.
    """
    if transport.can_write_eof():
        transport.write_eof()
    asyncio.get_running_loop().call_later(_PASS_OVER_S, transport.close)


async def watch(fleet: Fleet, patience: Patience, every_s: float = 1.0) -> None:
    """Close connections whose clients take too long, for ever. One look a second costs less than a timer a request."""
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(every_s)
        now = loop.time()
        for connection in list(fleet):
            connection.check_time(now, patience)


async def drain(fleet: Fleet, grace_s: float) -> None:
    """Close every connection once it has answered what it holds; cut off what is left after ``grace_s`` seconds."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + grace_s
    for connection in list(fleet):
        connection.drain()
        connection.close_if_quiet()
    while fleet and loop.time() < deadline:
        await asyncio.sleep(0.01)
    if fleet:
        log.warning("drain.cut_off connections=%d after_s=%g", len(fleet), grace_s)
    for connection in list(fleet):
        connection.abort()
