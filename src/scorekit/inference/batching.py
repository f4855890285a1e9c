"""Merges requests that wait at the same moment into one call of the model.

One call of a scikit-learn model costs about the same for 1 row as for 64 (170 µs against 165 µs measured), so rows
gathered over one turn of the event loop are nearly free. Requests become a batch like this::

    turn of the loop    submit(a)   submit(b)   submit(c)          submit(d)   submit(e)
                            │           │           │                  │           │
    merge key               k1          k1          k2                 k1          k1
                            ▼           ▼           ▼                  │           │
    open batches        k1: [a]     k1: [a, b]  k2: [c]                │           │
                            │                                          │           │
    next turn           _flush: both batches enter the executor        │           │
                            ▼                                          │           │
    executor, free      begin k1: closed, checked as one array         │           │
                        run: one call of predict for a and b           │           │
                        finish: a and b each get their rows            │           │
    executor, busy      k2 waits in the queue and goes on growing;     ▼           ▼
                        a k1 that comes now opens a new batch      k1: [d]     k1: [d, e]

* The merge key holds all that the model could notice in one call besides the number of rows: the names, the dtype and
  the shape of a row. Requests of different keys are never merged.
* An idle server does not wait: the first request of a turn schedules the flush for the very next turn, without a timer.
  A turn that takes longer than ``max_delay_s``, because very many requests come in it, is not waited for.
* A batch is closed when its call begins, not when it enters the executor: while the executor is busy the batch grows,
  so the slower the model, the larger its batches.
* A batch that would exceed ``max_rows`` is closed, and a new one opened. One request alone may exceed it.
* Each request keeps its own outcome. If the merged call raises, or its answer does not split by rows, each job is
  predicted alone, so that a bad row fails only the request that holds it.
"""

import logging
import time
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Protocol

import numpy as np

from ..codec.tensor import Array
from ..errors import RequestError
from ..message import BatchAnswer, BatchRows, Message, Prediction
from .answers import unsplittable
from .executor import EventLoop, Executor

log = logging.getLogger(__name__)


class Job(Protocol):
    """One request to predict. ``done`` and ``failed`` do not raise: that would take the rest of the batch with it."""

    @property
    def message(self) -> Message:
        """The request, of an array kind: its payload is an array of shape ``(rows, columns, …)``."""

    @property
    def abandoned(self) -> bool:
        """Whether the caller has gone."""

    def wanted(self, now: float) -> bool:
        """Return whether the caller still waits at ``now``, by the batcher's clock.

        A caller whose deadline has passed gets an error.
        """

    def done(self, prediction: Prediction) -> None:
        """Answer the caller with the prediction for its rows."""

    def failed(self, error: RequestError) -> None:
        """Answer the caller with ``error``."""


class Check(Protocol):
    """What requests to predict must conform to, such as a contract."""

    def __call__(self, message: Message, /) -> None:
        """Raise ``BadRequest`` for a message that the model must not be given."""

    def admits(self, rows: Array, /) -> bool:
        """Whether the model may be given all of ``rows``, of shape ``(rows, columns, …)``, one request's or many's."""


BatchObserver = Callable[[int, float], None]
"""Called before each call of the model with its number of rows, and with the seconds its first request has waited."""

Predict = Callable[[Array, Sequence[str] | None], Prediction]
"""Calls the model with rows of shape ``(rows, columns, …)`` and their names. Raises ``RequestError`` if it fails."""


class Batcher:
    """Gathers jobs with the same merge key and predicts them in a single call, on ``executor``.

    Rows are given to ``check`` first, those of a batch as one array; if it does not admit them, each job is checked
    alone, and those at fault fail.
    """

    def __init__(
        self,
        predict: Predict,
        loop: EventLoop,
        executor: Executor,
        *,
        max_rows: int,
        max_delay_s: float = 0.005,
        check: Check | None = None,
        observe: BatchObserver = lambda rows, waited_s: None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.predict = predict
        self.check = check
        self.observe = observe
        self.clock = clock
        self._loop = loop
        self._executor = executor
        self._max_rows = max_rows
        self._max_delay_s = max_delay_s
        self.open: dict[Hashable, Batch] = {}
        """The batches that take more jobs, by merge key."""
        self._gathering: list[Batch] = []  # those that have not entered the executor
        self._scheduled = False
        self.waiting = 0
        """The number of jobs that the model has not begun."""

    def __repr__(self) -> str:
        return f"<Batcher max_rows={self._max_rows} open={len(self.open)}>"

    def submit(self, job: Job) -> None:
        """Take ``job``; ``job.done`` or ``job.failed`` is called exactly once, unless the job is not wanted by then.

        A job that cannot be merged with others (no rows, no row axis, names that are not strings) is a batch of its
        own. Does not raise.
        """
        message = job.message
        rows: Array = message.payload
        count, key, batch = 0, None, None
        if rows.ndim > 1:
            count = len(rows)
            key = _merge_key(rows, message.names) if count else None
            batch = self.open.get(key)
        if batch is not None and batch.rows + count > self._max_rows:
            self._close(batch)
            batch = None
        if batch is None:
            batch = Batch(self, key)
            self._gathering.append(batch)
            if key is not None:
                self.open[key] = batch
            if not self._scheduled:
                self._scheduled = True
                self._loop.call_soon(self._flush)
        self.waiting += 1
        batch.jobs.append(job)
        batch.rows += count
        if not batch.entered and self.clock() - batch.since > self._max_delay_s:
            self._close(batch)

    def _close(self, batch: "Batch") -> None:
        self.open.pop(batch.key, None)
        if not batch.entered:
            batch.entered = True
            self._executor.submit(batch)

    def _flush(self) -> None:
        self._scheduled = False
        gathering, self._gathering = self._gathering, []
        for batch in gathering:
            if not batch.entered:
                batch.entered = True
                self._executor.submit(batch)


class Batch:
    """Jobs with the same merge key: a task of the executor, which takes more jobs until it begins."""

    __slots__ = ("_batcher", "_input", "_merged", "_outcomes", "entered", "jobs", "key", "rows", "since")

    def __init__(self, batcher: Batcher, key: Hashable | None) -> None:
        self._batcher = batcher
        self._input: Array | None = None
        """The rows of all jobs, of shape ``(rows, columns, …)``; ``None`` if there is no memory for one array."""
        self._merged: Prediction | None = None
        self._outcomes: list[Prediction | RequestError] = []
        self.key = key
        self.jobs: list[Job] = []
        self.rows = 0
        self.since = batcher.clock()
        self.entered = False

    def begin(self) -> bool:
        batcher, key = self._batcher, self.key
        if key is not None and batcher.open.get(key) is self:
            del batcher.open[key]
        batcher.waiting -= len(self.jobs)
        now = batcher.clock()
        jobs = self.jobs = [job for job in self.jobs if job.wanted(now)]
        rows: Array | None = jobs[0].message.payload if len(jobs) == 1 else _concatenated(jobs)
        self._input = rows
        if batcher.check is not None and (rows is None or not batcher.check.admits(rows)):
            self._refuse(batcher.check)
        if not self.jobs:
            return False
        rows = self.jobs[0].message.payload if self._input is None else self._input
        batcher.observe(len(rows) if rows.ndim else 1, now - self.since)
        return True

    def drop_abandoned(self) -> bool:
        jobs = [job for job in self.jobs if not job.abandoned]
        if len(jobs) < len(self.jobs):
            self._batcher.waiting -= len(self.jobs) - len(jobs)
            self.jobs = jobs
            self.rows = sum(len(job.message.payload) for job in jobs if job.message.payload.ndim > 1)
        if not jobs and self._batcher.open.get(self.key) is self:
            del self._batcher.open[self.key]
        return not jobs

    def run(self) -> None:
        if self._input is None or len(self.jobs) == 1 or not self._run_merged(self._input):
            self._outcomes = [self._predicted_alone(job.message) for job in self.jobs]

    def finish(self) -> None:
        if self._merged is not None:
            self._share(self._merged)
            return
        for job, outcome in zip(self.jobs, self._outcomes, strict=True):
            if isinstance(outcome, RequestError):
                job.failed(outcome)
            else:
                job.done(outcome)

    def give_up(self, why: RequestError) -> None:
        for job in self.jobs:
            job.failed(why)

    def _refuse(self, check: Check) -> None:
        """Check each job alone; those at fault fail and leave the batch."""
        admitted = []
        for job in self.jobs:
            try:
                check(job.message)
            except RequestError as error:
                job.failed(error)
            else:
                admitted.append(job)
        if len(admitted) < len(self.jobs):
            self.jobs = admitted
            self._input = _concatenated(admitted)

    def _predicted_alone(self, message: Message) -> Prediction | RequestError:
        try:
            return self._batcher.predict(message.payload, message.names)
        except RequestError as error:
            return error

    def _run_merged(self, rows: Array) -> bool:
        """Call the model once for all jobs; return whether its answer can be split."""
        try:
            prediction = self._batcher.predict(rows, self.jobs[0].message.names)
        except RequestError as error:
            log.info("batch.retried_singly jobs=%d cause=%r", len(self.jobs), error.__cause__ or error)
            return False
        if why := unsplittable(prediction, len(rows)):
            log.info("batch.retried_singly rows=%d cause=%s", len(rows), why)
            return False
        self._merged = prediction
        return True

    def _share(self, prediction: Prediction) -> None:
        """Answer each job with its rows of one prediction."""
        payload, class_names = prediction.payload, prediction.class_names
        answer = BatchAnswer(payload, len(self.jobs))
        start = 0
        for job in self.jobs:
            end = start + len(job.message.payload)
            job.done(Prediction(payload[start:end], class_names, batch_rows=BatchRows(answer, start, end)))
            start = end


def _concatenated(jobs: Sequence[Job]) -> Array | None:
    """The rows of all jobs as one array; ``None`` if there are no jobs, or no memory for it."""
    try:
        return np.concatenate([job.message.payload for job in jobs]) if jobs else None
    except MemoryError:
        log.warning("batch.retried_singly jobs=%d cause=out of memory", len(jobs))
        return None


def _merge_key(rows: Array, names: Sequence[str] | None) -> Hashable | None:
    """What is equal for jobs that the model could not tell apart in one call; ``None`` if the job cannot be merged."""
    if rows.dtype.hasobject:  # the dtype does not say what such an array holds
        return None
    if not names:
        # A null and an empty list of names differ to user code.
        return rows.dtype, rows.shape[1:], names is None
    if any(type(name) is not str for name in names):  # 1, 1.0 and True are equal as keys, but differ to user code
        return None
    return rows.dtype, rows.shape[1:], tuple[Any, ...](names)
