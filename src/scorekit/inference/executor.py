"""Runs the calls of the user's code: one at a time, in the event loop while calls are short, else in a thread.

A component need not be fit for threads, so no two of its methods ever run at the same moment. Short calls run where
they are asked for, because a thread costs more than many a model takes; but never for longer than a slice of each turn
of the loop, so that connections, health checks and metrics are served in between.
"""

import logging
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from ..errors import DeadlineExceeded, Overloaded, RequestError

log = logging.getLogger(__name__)

SLOW_S = 0.001
"""Calls that take longer than this, on average, run in the thread."""

_QUICK_S = 0.0005  # and in the loop again below this, so that a model on the edge does not go to and fro
_WEIGHT = 0.1  # of the newest call in the average: one of ten milliseconds is enough to leave the loop
_SLICE_S = 0.005  # of one turn of the loop
_TOLD_S = 0.0005  # less than this is forgotten with a later turn


class EventLoop(Protocol):
    """What is needed of an event loop: something that runs a callback in the loop's next turn."""

    def call_soon(self, callback: Callable[[], object], /) -> object: ...


class Thread(Protocol):
    """One thread, not the loop's."""

    def run(self, work: Callable[[], None], done: Callable[[float], None], /) -> None:
        """Have ``work`` done there, then ``done`` called in the loop's thread with the seconds that it took."""


class Task(Protocol):
    """A call of the component. Nothing here may raise."""

    def begin(self) -> bool:
        """Whether it is wanted still. Asked in the loop's thread, right before it is run."""

    def run(self) -> None:
        """Call the component, wherever this is, and keep the outcome."""

    def finish(self) -> None:
        """Hand the outcome to whoever waits for it, in the loop's thread."""

    def give_up(self, why: RequestError) -> None:
        """Tell whoever waits, in the loop's thread, that there will be no outcome."""


class Executor:
    """Runs tasks one at a time, in the order they came. Without a ``thread`` all of them run in the loop.

    ``mean_s`` is what a call is known to take; ``observe`` is told the seconds of each.
    """

    def __init__(
        self,
        loop: EventLoop,
        thread: Thread | None = None,
        *,
        observe: Callable[[float], object] = lambda seconds: None,
        clock: Callable[[], float] = time.perf_counter,
        mean_s: float = 0.0,
    ) -> None:
        self._loop = loop
        self._thread = thread
        self._observe = observe
        self._clock = clock
        self._queue: deque[Task] = deque()
        self._busy = False  # a task is being run, here or in the thread
        self._spent_s = 0.0  # by tasks run in this turn of the loop
        self._in_thread: Task | None = None  # what the thread is at
        self._began = 0.0  # when the last task began
        self._given_up: RequestError | None = None
        self._crowded = False  # when the last task began others waited
        self._pace_s = mean_s  # from one beginning to the next, where others waited
        self._awaits_turn = False
        self.mean_s = mean_s
        """What a call takes, the newest counting most."""
        self.in_thread = thread is not None and mean_s > SLOW_S
        """Whether calls run in the thread at present."""

    def __repr__(self) -> str:
        place = "thread" if self.in_thread else "loop"
        return f"<Executor {place} waiting={len(self._queue)} mean_ms={self.mean_s * 1000:.3f}>"

    @property
    def waiting(self) -> int:
        """How many tasks wait."""
        return len(self._queue)

    @property
    def wait_s(self) -> float:
        """How long a task that enters now will wait, as far as can be told.

        By the pace at which tasks have begun one after another: what the loop does between two calls takes time too.
        """
        return len(self._queue) * max(self.mean_s, self._pace_s)

    def submit(self, task: Task, first: bool = False) -> None:
        """Run ``task`` when its turn comes, which may be now. With ``first`` it passes those that wait."""
        if self._given_up is not None:
            task.give_up(self._given_up)
            return
        if first:
            self._queue.appendleft(task)
        else:
            self._queue.append(task)
        if not self._busy and (self.in_thread or self._spent_s < _SLICE_S):
            self._go_on()

    @property
    def running_s(self) -> float:
        """How long the thread has been at its present task; 0 if it is at none."""
        return 0.0 if self._in_thread is None else self._clock() - self._began

    def give_up(self) -> None:
        """The thread does not come back: fail what it is at, all that waits and all that comes."""
        task, self._in_thread = self._in_thread, None
        waiting, self._queue = self._queue, deque()
        self._given_up = Overloaded("the model of this worker hangs, and another worker takes its place; try again")
        if task is not None:
            task.give_up(DeadlineExceeded("the model has not answered in the time that it has"))
        for each in waiting:
            if each.begin():
                each.give_up(self._given_up)

    def took(self, seconds: float) -> None:
        """Take note of what one call took, and of where the next ones belong."""
        self.mean_s += _WEIGHT * (seconds - self.mean_s)
        if self._thread is not None and self.in_thread != (self.mean_s > (_QUICK_S if self.in_thread else SLOW_S)):
            self.in_thread = not self.in_thread
            log.info("lane.moved to=%s mean_ms=%.3f", "thread" if self.in_thread else "loop", self.mean_s * 1000)
        self._observe(seconds)

    def _go_on(self) -> None:
        queue, clock = self._queue, self._clock
        self._busy = True
        while queue and (self.in_thread or self._spent_s < _SLICE_S):
            task = queue.popleft()
            if not task.begin():
                continue
            began = clock()
            if self._crowded:
                self._pace_s += _WEIGHT * (began - self._began - self._pace_s)
            self._began, self._crowded = began, bool(queue)
            if self.in_thread and self._thread is not None:
                self._in_thread = task
                self._thread.run(task.run, lambda seconds, task=task: self._back(task, seconds))  # type: ignore[misc]
                return
            task.run()
            seconds = clock() - began
            self.took(seconds)
            self._spent_s += seconds
            task.finish()
        self._busy = False
        if not self._awaits_turn and (queue or self._spent_s > _TOLD_S):
            self._awaits_turn = True
            self._loop.call_soon(self._turn)

    def _back(self, task: Task, seconds: float) -> None:
        if self._given_up is not None:
            return  # too late: its callers have been told
        self._in_thread = None
        self.took(seconds)
        task.finish()
        self._go_on()

    def _turn(self) -> None:
        self._awaits_turn = False
        self._spent_s = 0.0
        if self._queue and not self._busy:
            self._go_on()
