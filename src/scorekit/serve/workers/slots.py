"""Places for workers, and the order in which their workers are replaced.

A worker that exits although nobody has asked it to is replaced at once. If that happens again before it has served for
10 s, not counting the time for which its model hung, the pauses grow:

    failure     1    2      3      4      5      …    12
    pause       0    0.1 s  0.2 s  0.4 s  0.8 s  …    60 s, and so on

The fifth time in a row is a crash loop: the model crashes at every start or every request. The server ends when all its
slots are in one and none serves. As long as another worker answers, one slot's fault (a file that is gone, a process
that somebody kills) is no reason to take the others along.
"""

import contextlib
import socket
from collections.abc import Sequence

from .process import WorkerProcess
from .sockets import accept_syns

LIVED_S = 10.0
"""A worker that has served for so long counts as started; a crash after that is the first of a new series."""
MAX_FAILURES = 5
"""So many failures in a row are a crash loop."""

_PAUSE_S = 1.0  # before a replacement that has failed is tried again; doubled each time
_MAX_PAUSE_S = 60.0  # of both kinds


class Slot:
    """A place for one worker, with the listening sockets that stay when workers come and go."""

    def __init__(self, number: int, sockets: Sequence[socket.socket]) -> None:
        self.number = number
        self.sockets = sockets
        self.current: WorkerProcess | None = None
        """The worker that serves, or that will be the next to serve."""
        self.successor: WorkerProcess | None = None
        """A worker that starts beside the current one, to take its place."""
        self.failures = 0
        """Crashes in a row."""
        self.due: float | None = None
        """When to start its next worker, if it has none."""
        self.postponed: bool | None = None
        """Whether its worker is to be replaced once it is ready, and if so whether because of a reload."""

    def __repr__(self) -> str:
        return f"<Slot {self.number} {self.current} successor={self.successor}>"

    def accept_connections(self) -> None:
        """Let the kernel accept new connections again, if a worker has made it drop them for its own exit."""
        for each in self.sockets:
            accept_syns(each)

    def leave_to_others(self) -> None:
        """Stop listening until the next worker listens again.

        The kernel gives each new connection to one of the slots' sockets. While this slot has no worker those that it
        gets would wait, for as long as the pause takes; those that wait already are reset.
        """
        for each in self.sockets:
            with contextlib.suppress(OSError):
                # Linux takes a listening socket back to the state before listen(). One that does not listen it marks as
                # shut down for good, and so all connections that it would accept later.
                if each.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                    each.shutdown(socket.SHUT_RD)

    def close(self) -> None:
        """Close this process's copies of the listening sockets."""
        for each in self.sockets:
            with contextlib.suppress(OSError):
                each.close()

    @property
    def in_crash_loop(self) -> bool:
        """Whether its workers have crashed too often in a row."""
        return self.failures >= MAX_FAILURES

    def crashed(self, process: WorkerProcess, now: float) -> float:
        """Note that ``process`` has ended unasked, and return the pause before the next start, in seconds."""
        lived = process.ready and now - process.since - process.hung_s >= LIVED_S
        self.failures = 0 if lived else self.failures + 1
        pause_s = 0.0 if self.failures < 2 else min(0.1 * 2 ** min(self.failures - 2, 10), _MAX_PAUSE_S)
        self.due = now + pause_s
        if self.in_crash_loop:
            self.leave_to_others()
        return pause_s


class ReplacementQueue:
    """Slots, by their numbers, whose worker is to be replaced: one at a time, so at most one model is loaded twice."""

    def __init__(self) -> None:
        self._wanted: dict[int, bool] = {}
        self._not_before: dict[int, float] = {}
        self._pauses_s: dict[int, float] = {}
        self.busy: int | None = None
        """The slot that has, or is about to have, two workers."""

    def __repr__(self) -> str:
        return f"<ReplacementQueue busy={self.busy} wanted={list(self._wanted)}>"

    def request(self, slot: int, reload: bool) -> bool:
        """Ask for a replacement, ``reload`` is the reason. Return whether it was not asked for already."""
        known = slot in self._wanted
        self._wanted[slot] = reload or self._wanted.get(slot, False)
        return not known

    def begin(self, now: float) -> tuple[int, bool] | None:
        """Return the next slot, and whether a reload is the reason; ``None`` if none may begin now."""
        if self.busy is None:
            for slot, reload in self._wanted.items():
                if self._not_before.get(slot, 0.0) <= now:
                    del self._wanted[slot]
                    self.busy = slot
                    return slot, reload
        return None

    def done(self, slot: int) -> None:
        """Note that the worker of a slot has been replaced and the old one is gone, or that none is needed."""
        if self.busy == slot:
            self.busy = None
            self._pauses_s.pop(slot, None)
            self._not_before.pop(slot, None)

    def failed(self, slot: int, now: float) -> None:
        """Note that the new worker of a slot did not start. The next attempt for this slot waits, longer each time."""
        if self.busy == slot:
            self.busy = None
            pause_s = self._pauses_s[slot] = min(2 * self._pauses_s.get(slot, _PAUSE_S / 2), _MAX_PAUSE_S)
            self._not_before[slot] = now + pause_s

    def cancel_reload(self) -> None:
        """Drop all requests of a reload: what one worker could not load, the others need not try."""
        self._wanted = {slot: reload for slot, reload in self._wanted.items() if not reload}

    def due_s(self, now: float) -> float | None:
        """Return the seconds until :meth:`begin` may return a slot; ``None`` if a request must come first."""
        if self.busy is not None or not self._wanted:
            return None
        return max(0.0, min(self._not_before.get(slot, 0.0) for slot in self._wanted) - now)
