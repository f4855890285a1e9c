"""How a worker ends, so that nobody notices: told to stop, replaced by a successor, or with a model that hangs."""

import asyncio
import socket
from asyncio import Server
from collections.abc import Sequence
from enum import Enum

from ..limits.open_connections import OpenConnections, drain
from .sockets import refuse_new

# A request still unanswered after this is cut off. Kubernetes allows a pod 30 s, the Seldon operator asks for 20 s.
GRACE_S = 15.0

# How long a server that was told to stop goes on taking what comes, with "Connection: close" in each answer: a request
# may be on its way to a connection that looks idle, and closing it then would reset it.
LINGER_S = 0.25

QUIET_S = 10.0
"""How long a worker that has a successor leaves quiet connections open: it is in no hurry, and to close one that is
about to be used again would lose that request."""

_REFUSED_S = 0.05  # what is in the backlog is accepted meanwhile
_STUCK_S = 2.0


class Why(Enum):
    """Why a worker ends."""

    STOPPED = "stopped"
    RETIRED = "retired"
    STUCK = "stuck"


class Ending:
    """Whether a worker is to end, and why."""

    def __init__(self) -> None:
        self._begun = asyncio.Event()
        self._hurried = asyncio.Event()
        self.why: Why | None = None

    def __repr__(self) -> str:
        return f"<Ending {self.why}>"

    @property
    def hurried(self) -> bool:
        """Whether somebody waits for it."""
        return self._hurried.is_set()

    def stop(self) -> None:
        """SIGTERM, SIGINT, or the supervisor has gone."""
        self._end(Why.STOPPED)

    def retire(self) -> None:
        """A successor has begun to serve."""
        self._end(Why.RETIRED)

    def stuck(self) -> None:
        """The model hangs."""
        self._end(Why.STUCK)

    async def wait(self) -> Why:
        """Until this worker is to end."""
        await self._begun.wait()
        return self.why or Why.STOPPED

    async def quiet(self, fleet: OpenConnections, most_s: float) -> None:
        """Until no connection is left, there is a hurry, or ``most_s`` seconds have passed."""
        loop = asyncio.get_running_loop()
        until = loop.time() + most_s
        while fleet and not self._hurried.is_set() and loop.time() < until:
            await asyncio.sleep(0.01)

    def _end(self, why: Why) -> None:
        if self.why is None or why is Why.STUCK:
            self.why = why
        if why is not Why.RETIRED:
            self._hurried.set()
        self._begun.set()


async def wind_up(
    ending: Ending,
    fleet: OpenConnections,
    servers: Sequence[Server],
    sockets: Sequence[socket.socket],
    longest_s: float,
) -> None:
    """Answer what has come, tell clients to go elsewhere, close. A prediction may take ``longest_s`` seconds.

    Whoever has a successor leaves what waits on the sockets to it, and takes its time. Whoever has none takes what
    comes for a moment yet, then all that waits, and only then closes.
    """
    if ending.why is Why.STOPPED:
        _tell(fleet)
        await asyncio.sleep(LINGER_S)
        for each in sockets:
            refuse_new(each)
        await asyncio.sleep(_REFUSED_S)
    for server in servers:
        server.close()
    _tell(fleet)
    await asyncio.sleep(LINGER_S)  # who has just connected is about to ask; over HTTP/2 the first warning is heard
    if ending.why is Why.RETIRED:
        _tell(fleet)
        await ending.quiet(fleet, QUIET_S)
        await drain(fleet, GRACE_S if ending.hurried else longest_s)
    else:
        await drain(fleet, GRACE_S if ending.why is Why.STOPPED else _STUCK_S)


def _tell(fleet: OpenConnections) -> None:
    for connection in list(fleet):
        connection.drain()
