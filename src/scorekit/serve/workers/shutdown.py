"""How a worker exits without losing a request: when it is stopped, replaced by a successor, or when its model hangs.

A worker cannot close its connections and listening sockets at once, because each of these loses requests:

* Closing a connection that looks idle resets a request that is on its way to it. HTTP/1.1 clients may not repeat a
  request that they cannot know to be unprocessed. So clients are warned first (``Connection: close`` in the next
  answer, GOAWAY over HTTP/2), and only then are quiet connections closed.
* Closing a listening socket resets the connections in its backlog, which the kernel has accepted and the worker has
  not. So the kernel is first told to drop new SYNs (:func:`~scorekit.serve.workers.sockets.drop_syns`), and the
  backlog is accepted to its end.

The three reasons to exit differ in what they may take for granted:

    STOPPED   nobody takes over:           accept for 0.25 s more, drop new SYNs, empty the backlog, close, drain 15 s
    RETIRED   the successor has the same   close at once, leave the backlog to the successor, leave quiet connections
              listening sockets:           open for up to 10 s, then drain for as long as a prediction may take
    STUCK     a new worker starts, and     close at once, leave the backlog to it, drain 2 s (the callers have been
              the model does not return:   answered 504 already)
"""

import asyncio
import socket
from asyncio import Server
from collections.abc import Sequence
from enum import Enum

from ..limits.open_connections import OpenConnections, drain
from .sockets import drop_syns

GRACE_S = 15.0
"""Requests that are not answered by then are aborted. Kubernetes gives a pod 30 s, Seldon's operator 20 s."""

LINGER_S = 0.25
"""How long a worker goes on after a warning to its clients: a request may be on its way to a connection that looks
idle, and over HTTP/2 the first GOAWAY must have arrived."""

QUIET_S = 10.0
"""How long a retired worker leaves quiet connections open. Nobody waits for it to exit, and closing a connection that
is about to be used again would lose that request."""

_BACKLOG_S = 0.05  # in which the event loop accepts what is left in the backlog
_STUCK_S = 2.0


class ShutdownReason(Enum):
    """Why a worker exits."""

    STOPPED = "stopped"
    RETIRED = "retired"
    STUCK = "stuck"


class Shutdown:
    """Whether a worker must exit, and why."""

    def __init__(self) -> None:
        self._requested = asyncio.Event()
        self._urgent = asyncio.Event()
        self.reason: ShutdownReason | None = None

    def __repr__(self) -> str:
        return f"<Shutdown {self.reason}>"

    @property
    def urgent(self) -> bool:
        """Whether somebody waits for the exit."""
        return self._urgent.is_set()

    def stop(self) -> None:
        """Exit because of SIGTERM or SIGINT, or because the supervisor has died."""
        self._request(ShutdownReason.STOPPED)

    def retire(self) -> None:
        """Exit because a successor serves."""
        self._request(ShutdownReason.RETIRED)

    def stuck(self) -> None:
        """Exit because the model hangs. This reason replaces any other, as the process must not wait for the model."""
        self._request(ShutdownReason.STUCK)

    async def requested(self) -> None:
        """Wait until this worker must exit."""
        await self._requested.wait()

    async def until_closed(self, connections: OpenConnections, most_s: float) -> None:
        """Wait until no connection is open, the exit becomes urgent, or ``most_s`` seconds have passed."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + most_s
        while connections and not self.urgent and loop.time() < deadline:
            await asyncio.sleep(0.01)

    def _request(self, reason: ShutdownReason) -> None:
        if self.reason is None or reason is ShutdownReason.STUCK:
            self.reason = reason
        if reason is not ShutdownReason.RETIRED:
            self._urgent.set()
        self._requested.set()


async def close_connections(
    shutdown: Shutdown,
    connections: OpenConnections,
    *,
    servers: Sequence[Server],
    sockets: Sequence[socket.socket],
    longest_s: float,
) -> None:
    """Answer all open requests, warn the clients, and close everything, in the order that the module explains.

    ``sockets`` are the listening sockets of ``servers``; a prediction may take ``longest_s`` seconds.
    """
    if shutdown.reason is ShutdownReason.STOPPED:
        _warn(connections)
        await asyncio.sleep(LINGER_S)
        for each in sockets:
            drop_syns(each)
        await asyncio.sleep(_BACKLOG_S)
    for server in servers:
        server.close()
    _warn(connections)
    await asyncio.sleep(LINGER_S)  # a client that has just connected is about to send its request
    if shutdown.reason is ShutdownReason.RETIRED:
        _warn(connections)
        await shutdown.until_closed(connections, QUIET_S)
        await drain(connections, GRACE_S if shutdown.urgent else longest_s)
    else:
        await drain(connections, GRACE_S if shutdown.reason is ShutdownReason.STOPPED else _STUCK_S)


def _warn(connections: OpenConnections) -> None:
    for connection in list(connections):
        connection.drain()
