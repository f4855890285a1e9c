"""Places for workers, and whose turn it is to be given a new one."""

import socket
from typing import Protocol

from .process import Process

# A worker that ends before it serves, or so soon after, has failed to start; so many in a row are a crash loop.
LIVED_S = 10.0
MAX_FAILURES = 5

_PAUSE_S = 1.0  # before a worker that could not be renewed is tried again: doubled each time, up to
_MAX_PAUSE_S = 60.0


class Slot:
    """A place for one worker, and the listening sockets that stay when workers come and go."""

    def __init__(self, number: int, sockets: list[socket.socket]) -> None:
        self.number = number
        self.sockets = sockets
        self.current: Process | None = None
        """The one that serves, or is the next to."""
        self.successor: Process | None = None
        """One that starts beside it, to take its place."""
        self.fresh = False
        """Whether its workers are interpreters of their own, not forks."""
        self.failures = 0
        self.due: float | None = None
        """When to start its next worker, where it has none."""
        self.postponed: bool | None = None
        """Whether its worker is to be replaced once it serves, and if so whether by a fresh one."""

    def __repr__(self) -> str:
        return f"<Slot {self.number} {self.current} successor={self.successor}>"

    def crashed(self, process: Process, now: float) -> float | None:
        """Take note of an end that nobody wished for. Returns the pause before the next start; ``None``: give up."""
        lived = process.ready and now - process.since >= LIVED_S
        self.failures = 0 if lived else self.failures + 1
        if self.failures >= MAX_FAILURES:
            return None
        pause_s = 0.0 if self.failures < 2 else 0.1 * 2 ** (self.failures - 2)
        self.due = now + pause_s
        return pause_s


class Numbered(Protocol):
    """What is renewed."""

    @property
    def number(self) -> int: ...


class Renewals:
    """Slots whose worker is to be replaced by a new one: one at a time, so that no more than one is held twice."""

    def __init__(self) -> None:
        self._wanted: dict[int, bool] = {}
        self._not_before: dict[int, float] = {}
        self._pauses_s: dict[int, float] = {}
        self.busy: int | None = None
        """The slot that has, or is about to have, two workers."""

    def __repr__(self) -> str:
        return f"<Renewals busy={self.busy} wanted={list(self._wanted)}>"

    def want(self, slot: Numbered, fresh: bool) -> bool:
        """Have the worker of ``slot`` replaced, with ``fresh`` by one that reads everything anew.

        Returns whether that is news.
        """
        known = slot.number in self._wanted
        self._wanted[slot.number] = fresh or self._wanted.get(slot.number, False)
        return not known

    def begin(self, now: float) -> tuple[int, bool] | None:
        """The next slot's number, and whether its worker is to be a fresh one; ``None`` if it is nobody's turn."""
        if self.busy is None:
            for number, fresh in self._wanted.items():
                if self._not_before.get(number, 0.0) <= now:
                    del self._wanted[number]
                    self.busy = number
                    return number, fresh
        return None

    def done(self, slot: Numbered) -> None:
        """The worker of ``slot`` has been replaced, and the old one is gone."""
        if self.busy == slot.number:
            self.busy = None
            self._pauses_s.pop(slot.number, None)
            self._not_before.pop(slot.number, None)

    def failed(self, slot: Numbered, now: float) -> None:
        """The new worker of ``slot`` did not start; who asks for another one soon is left waiting."""
        if self.busy == slot.number:
            self.busy = None
            pause_s = self._pauses_s[slot.number] = min(2 * self._pauses_s.get(slot.number, _PAUSE_S / 2), _MAX_PAUSE_S)
            self._not_before[slot.number] = now + pause_s

    def give_up_reload(self) -> None:
        """Whoever is still to be replaced by a fresh worker keeps its own."""
        self._wanted = {number: fresh for number, fresh in self._wanted.items() if not fresh}

    def due_s(self, now: float) -> float | None:
        """Seconds until :meth:`begin` may have something; ``None`` if it has to be asked for first."""
        if self.busy is not None or not self._wanted:
            return None
        return max(0.0, min(self._not_before.get(number, 0.0) for number in self._wanted) - now)
