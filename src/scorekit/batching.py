"""Merging requests that wait at the same moment into one call of the model.

One call of a scikit-learn model costs about the same for 1 row as for 64 (170 µs against 165 µs measured), so rows
gathered over one turn of the event loop are nearly free. An idle server never waits: the first request of a turn
schedules the flush for the very next one, by no timer.
"""

import logging
import time
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Protocol

import numpy as np

from .codec.tensor import Array
from .errors import RequestError
from .message import Prediction

log = logging.getLogger(__name__)


class Turns(Protocol):
    """What the batcher needs of an event loop: something that runs a callback in the loop's next turn."""

    def call_soon(self, callback: Callable[[], object], /) -> object: ...


class Job(Protocol):
    """One request's rows. The job owns its outcome: what becomes of one never touches its batch-mates.

    ``done`` and ``failed`` do not raise: an exception would take the rest of the batch with it.
    """

    @property
    def rows(self) -> Array: ...
    @property
    def names(self) -> Sequence[str] | None: ...
    @property
    def abandoned(self) -> bool:
        """Whether the caller has gone, so that the rows need not be computed."""

    def done(self, prediction: Prediction) -> None: ...
    def failed(self, error: RequestError) -> None: ...


Observe = Callable[[int, float], None]
"""Told of each call of the model its rows, and how long the first of them had waited, in seconds."""

Predict = Callable[[Array, Sequence[str] | None], Prediction]


class Batcher:
    """Gathers jobs of one turn and predicts those that are alike in a single call.

    Alike means: the model cannot tell the difference but by the number of rows (same names, dtype and row shape).
    A merged call that raises, or whose answer does not split by rows, is made again job by job, so that a poison row
    fails its own request only. Calls hold at most ``max_rows`` rows, unless one request alone has more.
    """

    def __init__(
        self, predict: Predict, turns: Turns, max_rows: int, observe: Observe = lambda rows, waited_s: None
    ) -> None:
        self._observe = observe
        self._since = 0.0
        self._predict = predict
        self._turns = turns
        self._max_rows = max_rows
        self._waiting: dict[Hashable, list[Job]] = {}
        self._waiting_rows = 0
        self._scheduled = False

    def __repr__(self) -> str:
        return f"<Batcher max_rows={self._max_rows} waiting_rows={self._waiting_rows}>"

    def submit(self, job: Job) -> None:
        """Take ``job``; ``job.done`` or ``job.failed`` is called exactly once, in a later turn or when a batch is full.

        A job whose rows cannot be merged with others (no rows, no row axis, names that are not strings) is a batch
        of its own.
        """
        rows = job.rows
        count = len(rows) if rows.ndim > 1 else 0
        if count + self._waiting_rows > self._max_rows:
            self.flush()
        key = _likeness(rows, job.names) if count else None
        self._waiting.setdefault(id(job) if key is None else key, []).append(job)
        self._waiting_rows += count
        if not self._scheduled:
            self._since = time.perf_counter()
            self._scheduled = True
            self._turns.call_soon(self.flush)

    def flush(self) -> None:
        """Predict everything that waits, now."""
        waiting, self._waiting = self._waiting, {}
        self._waiting_rows = 0
        self._scheduled = False
        waited_s = time.perf_counter() - self._since
        for jobs in waiting.values():
            wanted = [job for job in jobs if not job.abandoned]
            if wanted:
                self._observe(sum(len(job.rows) if job.rows.ndim else 1 for job in wanted), waited_s)
                self._run(wanted)

    def _run(self, jobs: list[Job]) -> None:
        if len(jobs) > 1 and self._run_merged(jobs):
            return
        for job in jobs:
            try:
                prediction = self._predict(job.rows, job.names)
            except RequestError as error:
                job.failed(error)
            else:
                job.done(prediction)

    def _run_merged(self, jobs: list[Job]) -> bool:
        """Whether one call answered all ``jobs``. If not, none of them has been told anything."""
        try:
            rows = np.concatenate([job.rows for job in jobs])
            prediction = self._predict(rows, jobs[0].names)
        except (RequestError, MemoryError) as error:
            log.info("batch.retried_singly jobs=%d cause=%r", len(jobs), error.__cause__ or error)
            return False
        payload = prediction.payload
        has_rows = isinstance(payload, list) or (isinstance(payload, np.ndarray) and payload.ndim > 0)
        if not has_rows or len(payload) != len(rows):
            log.info("batch.retried_singly rows=%d cause=the answer has no row for each input row", len(rows))
            return False
        start = 0
        for job in jobs:
            end = start + len(job.rows)
            job.done(Prediction(payload[start:end], prediction.class_names))
            start = end
        return True


def _likeness(rows: Array, names: Sequence[str] | None) -> Hashable | None:
    """Equal for jobs the model could not tell apart in one call; ``None`` for what must not be merged at all."""
    if rows.dtype.hasobject:  # the dtype says nothing of what is in it
        return None
    if not names:
        # A null and an absent list of names are two things to user code.
        return rows.dtype, rows.shape[1:], names is None
    if any(type(name) is not str for name in names):  # 1, 1.0 and True are equal as keys, but not to user code
        return None
    return rows.dtype, rows.shape[1:], tuple[Any, ...](names)
