"""Runs the calls of the user's code: one at a time, in the event loop while calls are short, else in a thread.

A component need not be thread-safe, so no two of its methods ever run at the same moment: every call is a task of the
one executor. Where tasks run depends on the mean duration of the calls, of which the newest counts a tenth::

                                  mean > 1 ms (SLOW_S)
        ┌──────────────────────┐ ───────────────────────▶ ┌────────────────────────┐
        │    in the loop       │                          │     in the thread      │
        │ tasks run one after  │                          │ one task at a time;    │
        │ the other, for 5 ms  │                          │ the loop goes on, the  │
        │ of a turn at most    │                          │ queue waits            │
        └──────────────────────┘ ◀─────────────────────── └────────────────────────┘
                                  mean < 0.5 ms (_QUICK_S)

* In the loop, because handing a call to a thread and back costs more than many a model takes.
* In the thread, because a loop that is busy with the model answers no health check and accepts no connection. The
  other threshold on the way back keeps a model at the edge from moving to and fro. A weight of a tenth means that one
  call of more than 10 ms is enough to leave the loop.
* At most 5 ms of a turn (_SLICE_S), because many short calls together would starve the loop as one long call does.
  Tasks that are left run in the next turn, after the connections had theirs.
"""

import logging
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from ..errors import DeadlineExceeded, Overloaded, RequestError

log = logging.getLogger(__name__)

SLOW_S = 0.001
"""Calls that take longer than this, on average, run in the thread."""

_QUICK_S = 0.0005  # and those that take less than this run in the loop again
_WEIGHT = 0.1  # of the newest value in an average
_SLICE_S = 0.005  # of one turn of the loop
_LOOK_EVERY_S = 0.05  # for tasks in the queue that nobody waits for
_NEGLIGIBLE_S = 0.0005  # tasks that took less in a turn do not have the next turn scheduled to reset their sum


class EventLoop(Protocol):
    """The part of an event loop that is needed here: it runs a callback in its next turn."""

    def call_soon(self, callback: Callable[[], object], /) -> object: ...


class Thread(Protocol):
    """One thread that is not the event loop's."""

    def run(self, work: Callable[[], None], done: Callable[[float], None], /) -> None:
        """Run ``work`` in the thread, then call ``done`` in the loop's thread with the seconds that it took."""


class Task(Protocol):
    """A call of the component. Its methods do not raise."""

    def begin(self) -> bool:
        """Return whether the task is still wanted. Called in the loop's thread, right before ``run``."""

    def run(self) -> None:
        """Call the component and keep the outcome. Called in the loop's thread or in the other one."""

    def finish(self) -> None:
        """Hand the outcome to whoever waits for it. Called in the loop's thread."""

    def drop_abandoned(self) -> bool:
        """Forget callers that have gone, and return whether the task is of no use to anybody. It has not begun."""

    def give_up(self, why: RequestError) -> None:
        """Tell whoever waits that there will be no outcome. Called in the loop's thread."""


class Executor:
    """Runs tasks one at a time, in the order of their submission. Without a ``thread`` all of them run in the loop.

    ``mean_s`` is the expected duration of a call; ``observe`` is called with the seconds of each. Before a task runs in
    the loop ``mark_running_loop`` is called with ``None``, and afterwards with ``loop``, so that user code may run an
    event loop of its own.
    """

    def __init__(
        self,
        loop: EventLoop,
        thread: Thread | None = None,
        *,
        observe: Callable[[float], object] = lambda seconds: None,
        clock: Callable[[], float] = time.perf_counter,
        mean_s: float = 0.0,
        mark_running_loop: Callable[[Any], object] = lambda loop: None,
    ) -> None:
        self._loop = loop
        self._thread = thread
        self._observe = observe
        self._clock = clock
        self._mark_running_loop = mark_running_loop
        self._queue: deque[Task] = deque()
        self._busy = False  # a task runs, in the loop or in the thread
        self._spent_s = 0.0  # by the tasks of this turn of the loop
        self._in_thread: Task | None = None  # the task that the thread runs
        self._began = 0.0  # when the last task began
        self._given_up: RequestError | None = None
        self._crowded = False  # whether others waited when the last task began
        self._pace_s = mean_s  # from the beginning of one task to that of the next, while others waited
        self._awaits_turn = False
        self._looked_at = -_LOOK_EVERY_S
        self.mean_s = mean_s
        """The mean duration of a call, in which the newest counts a tenth."""
        self.in_thread = thread is not None and mean_s > SLOW_S
        """Whether calls run in the thread at present."""

    def __repr__(self) -> str:
        place = "thread" if self.in_thread else "loop"
        return f"<Executor {place} waiting={len(self._queue)} mean_ms={self.mean_s * 1000:.3f}>"

    @property
    def waiting(self) -> int:
        """The number of tasks that wait."""
        return len(self._queue)

    @property
    def wait_s(self) -> float:
        """The seconds that a task submitted now is expected to wait.

        They follow from the pace at which tasks have begun one after the other, not only from the duration of a call:
        what the loop does between two calls takes time as well.
        """
        return len(self._queue) * max(self.mean_s, self._pace_s)

    @property
    def running_s(self) -> float:
        """The seconds that the thread has been running its present task; 0 if it runs none."""
        return 0.0 if self._in_thread is None else self._clock() - self._began

    def submit(self, task: Task, first: bool = False) -> None:
        """Run ``task`` when its turn comes, which may be at once. With ``first`` it goes before those that wait."""
        if self._given_up is not None:
            task.give_up(self._given_up)
            return
        if first:
            self._queue.appendleft(task)
        else:
            self._queue.append(task)
        if not self._busy and (self.in_thread or self._spent_s < _SLICE_S):
            self._run_waiting()

    def drop_abandoned(self) -> bool:
        """Take tasks out of the queue that nobody waits for, and return whether there were some.

        They cost nothing when their turn comes, but until then they count as waiting, and have others refused. Nothing
        is done if the last look was less than 50 ms ago, because an overloaded server refuses thousands of requests a
        second, and a look at a full queue takes 0.1 ms (measured with 1024 tasks).
        """
        now = self._clock()
        if now - self._looked_at < _LOOK_EVERY_S:
            return False
        self._looked_at = now
        queue = self._queue
        kept = [task for task in queue if not task.drop_abandoned()]
        dropped = len(kept) < len(queue)
        if dropped:
            queue.clear()  # in place, because _run_waiting() may be at it
            queue.extend(kept)
        return dropped

    def give_up(self) -> None:
        """Fail the task that the thread runs, all that wait and all that come, because the thread hangs."""
        task, self._in_thread = self._in_thread, None
        waiting, self._queue = self._queue, deque()
        self._given_up = Overloaded("the model of this worker hangs, and the worker is being replaced; try again")
        if task is not None:
            task.give_up(DeadlineExceeded("the model did not answer within its time limit"))
        for each in waiting:
            if each.begin():
                each.give_up(self._given_up)

    def _run_waiting(self) -> None:
        queue, clock, mark = self._queue, self._clock, self._mark_running_loop
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
                self._thread.run(task.run, lambda seconds, task=task: self._returned(task, seconds))  # type: ignore[misc]
                return
            mark(None)
            try:
                task.run()
            finally:
                mark(self._loop)
            seconds = clock() - began
            self._spent_s += seconds
            self._note(seconds)
            task.finish()
        self._busy = False
        if not self._awaits_turn and (queue or self._spent_s > _NEGLIGIBLE_S):
            self._awaits_turn = True
            self._loop.call_soon(self._next_turn)

    def _returned(self, task: Task, seconds: float) -> None:
        """The thread has run ``task``."""
        if self._given_up is not None:
            return  # too late: its callers have their answer
        self._in_thread = None
        self._note(seconds)
        task.finish()
        self._run_waiting()

    def _next_turn(self) -> None:
        self._awaits_turn = False
        self._spent_s = 0.0
        if self._queue and not self._busy:
            self._run_waiting()

    def _note(self, seconds: float) -> None:
        """Take the duration of one call into the mean, and move the next ones if the mean asks for it."""
        self.mean_s += _WEIGHT * (seconds - self.mean_s)
        if self._thread is not None and self.in_thread != (self.mean_s > (_QUICK_S if self.in_thread else SLOW_S)):
            self.in_thread = not self.in_thread
            log.info("lane.moved to=%s mean_ms=%.3f", "thread" if self.in_thread else "loop", self.mean_s * 1000)
        self._observe(seconds)
