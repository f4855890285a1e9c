"""A worker's line to its supervisor, once there is an event loop."""

import socket
from asyncio import AbstractEventLoop
from collections.abc import Callable

import orjson

from ...metrics import Families, plain
from . import channel
from .channel import Channel
from .shutdown import Shutdown


class SupervisorLink:
    """Obeys the supervisor, reports counts to it, and asks it for the metrics of all workers.

    ``counts`` returns what this worker has counted so far.
    """

    def __init__(self, shutdown: Shutdown, counts: Callable[[], Families]) -> None:
        self._shutdown = shutdown
        self._counts = counts
        self._scrapes: list[Callable[[bytes], None]] = []
        self._channel: Channel

    def __repr__(self) -> str:
        return f"<SupervisorLink scrapes={len(self._scrapes)}>"

    async def open(self, loop: AbstractEventLoop, supervisor: socket.socket) -> None:
        """Read and write frames on the socket. When the supervisor closes its end, this worker shuts down."""
        supervisor.setblocking(False)
        _, self._channel = await loop.create_connection(
            lambda: Channel(self._received, self._shutdown.stop), sock=supervisor
        )

    def send(self, kind: bytes, payload: bytes = b"") -> None:
        """Send one frame."""
        self._channel.send(kind, payload)

    def send_counts(self) -> None:
        """Send everything that this worker has counted."""
        self.send(channel.FAMILIES, orjson.dumps(plain(self._counts())))

    def scrape(self, answer: Callable[[bytes], None]) -> None:
        """Call ``answer`` with the metrics of all workers, as text, once the supervisor has them."""
        self._scrapes.append(answer)
        self.send(channel.SCRAPE)

    def _received(self, kind: bytes, payload: bytes) -> None:
        if kind == channel.COUNT:
            self.send_counts()
        elif kind == channel.TEXT:
            scrapes, self._scrapes = self._scrapes, []
            for answer in scrapes:
                answer(payload)
        elif kind == channel.RETIRE:
            self._shutdown.retire()
