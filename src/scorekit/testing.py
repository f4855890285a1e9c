"""Fakes that ship with the library: what tests use in place of a clock and of faults."""

from collections import deque
from collections.abc import Callable


class ManualTurns:
    """An event loop's turns, run by hand: fulfils ``lane.Turns``."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], object]] = deque()

    def __repr__(self) -> str:
        return f"<ManualTurns waiting={len(self._waiting)}>"

    def call_soon(self, callback: Callable[[], object], /) -> None:
        self._waiting.append(callback)

    def turn(self) -> int:
        """Run what waited when the turn began, as an event loop does. Returns how many callbacks that were."""
        count = len(self._waiting)
        for _ in range(count):
            self._waiting.popleft()()
        return count
