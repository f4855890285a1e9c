"""Finds out whether a client that has ended its side of a connection has gone, or still waits for its answers.

Both begin in the same way, and both are legal HTTP::

    the client calls              the server's kernel gets   what the client still does
    ────────────────────────────  ─────────────────────────  ──────────────────────────────────────────────
    shutdown(SHUT_WR), as nc -N   FIN                        reads its answers
    close(), or it dies           FIN                        nothing: its kernel answers data with a reset
    close() with unread data      RST                        nothing: the event loop reports a lost connection

After a FIN alone nothing tells the first two apart: keepalive probes are acknowledged in both (measured on Linux 6),
because a socket that was closed lives on in its kernel, which waits for our FIN. Only data gets different replies. So
the caller of :func:`abort_if_gone` first writes bytes that change nothing for a client that reads: over HTTP/1.1 the
first bytes of the response, which are the same for every response. A client that has gone replies with a reset within
a round trip, and its requests that the model has not begun are never begun. A client that waits loses nothing.

The event loop does not watch a connection whose end it has read, so nobody would notice that reset before the response
is written. A second epoll does: with no events asked for, it reports errors and hang-ups only, and the event loop
watches it as one file. Where there is no epoll, nothing is noticed and the requests are answered as before.
"""

import asyncio
import contextlib
import select
from collections.abc import Callable
from weakref import WeakKeyDictionary


def abort_if_gone(transport: asyncio.Transport) -> Callable[[], None]:
    """Abort ``transport`` as soon as its peer has reset the connection. Returns a function that ends the watch.

    The watch must be ended before the transport is closed. It may be ended twice.
    """
    connected = transport.get_extra_info("socket")
    if connected is None or not hasattr(select, "epoll"):
        return lambda: None
    loop = asyncio.get_running_loop()
    descriptor = connected.fileno()
    try:
        watch = _watches.get(loop)
        if watch is None:
            watch = _watches[loop] = _ResetWatch(loop)
        watch.add(descriptor, transport.abort)
    except OSError:  # no descriptors are left; the client is answered, whether it has gone or not
        return lambda: None
    return lambda: watch.discard(descriptor, transport.abort)


class _ResetWatch:
    """The sockets that are watched for a reset, in one event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._epoll = select.epoll()
        self._actions: dict[int, Callable[[], None]] = {}
        loop.add_reader(self._epoll.fileno(), self._act)

    def __repr__(self) -> str:
        return f"<_ResetWatch sockets={len(self._actions)}>"

    def add(self, descriptor: int, action: Callable[[], None]) -> None:
        self._epoll.register(descriptor, 0)
        self._actions[descriptor] = action

    def discard(self, descriptor: int, action: Callable[[], None]) -> None:
        # Another connection may have the number by now, so the action must be that of the one that is discarded.
        if self._actions.get(descriptor) == action:
            del self._actions[descriptor]
            with contextlib.suppress(OSError):
                self._epoll.unregister(descriptor)

    def _act(self) -> None:
        for descriptor, _ in self._epoll.poll(0):
            if action := self._actions.get(descriptor):
                self.discard(descriptor, action)
                action()


_watches: "WeakKeyDictionary[asyncio.AbstractEventLoop, _ResetWatch]" = WeakKeyDictionary()
