"""Requests of one turn are merged if the model cannot tell, and never at each other's cost."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorekit.errors import BadAnswer, BadRequest, ComponentError, RequestError
from scorekit.inference.batching import Batcher
from scorekit.inference.executor import Executor
from scorekit.message import Message, PayloadKind, Prediction
from scorekit.testing import ManualLoop

Array = npt.NDArray[Any]


class Job:
    """A request that remembers how it was answered."""

    def __init__(self, rows: Any, names: Sequence[str] | None = (), abandoned: bool = False) -> None:
        self.message = Message(PayloadKind.NDARRAY, np.array(rows), names)
        self.abandoned = abandoned
        self.outcomes: list[Any] = []
        self.deadline = float("inf")

    def wanted(self, now: float) -> bool:
        if self.deadline < now:
            self.outcomes.append("expired")
        return not self.abandoned and self.deadline >= now

    def done(self, prediction: Prediction) -> None:
        self.outcomes.append(np.array(prediction.payload).tolist())

    def failed(self, error: RequestError) -> None:
        self.outcomes.append(type(error))


class Model:
    """Doubles its rows, remembers how it was called, and fails on a negative number."""

    def __init__(self) -> None:
        self.calls: list[int] = []

    def __call__(self, rows: Array, names: Sequence[str] | None) -> Prediction:
        self.calls.append(len(rows) if rows.ndim else 0)
        if rows.dtype.kind in "if" and (rows < 0).any():
            raise ComponentError("negative", "reference") from ValueError("negative")
        return Prediction(rows * 2 if rows.dtype.kind in "if" else rows)


def executor(loop: ManualLoop) -> Executor:
    """An executor whose clock stands still: no call is ever slow."""
    return Executor(loop, clock=lambda: 0.0)


class Bench:
    """A batcher, its model and its event loop."""

    def __init__(self, max_rows: int = 100) -> None:
        self.model = Model()
        self.loop = ManualLoop()
        self.batcher = Batcher(self.model, self.loop, executor(self.loop), max_rows=max_rows)

    def submit(self, *jobs: Job) -> None:
        for job in jobs:
            self.batcher.submit(job)


def test_requests_of_one_turn_are_one_call() -> None:
    """Ten waiting requests cost one call of the model, and each gets its own rows back."""
    bench = Bench()
    jobs = [Job([[n, n + 0.5]]) for n in range(10)]
    bench.submit(*jobs)
    assert bench.model.calls == []
    bench.loop.run_once()
    assert bench.model.calls == [10]
    assert [job.outcomes for job in jobs] == [[[[2.0 * n, 2 * n + 1.0]]] for n in range(10)]


def test_an_idle_server_waits_one_turn_and_no_timer() -> None:
    """A lone request is predicted in the very next turn of the loop, and later turns have nothing to do."""
    bench = Bench()
    job = Job([[1]])
    bench.submit(job)
    assert bench.loop.run_once() == 1
    assert job.outcomes == [[[2]]]
    assert bench.loop.run_once() == 0


def test_a_full_batch_goes_at_once() -> None:
    """Rows are counted, not requests: a request that would overflow the batch sends it without waiting for the turn."""
    bench = Bench(max_rows=4)
    jobs = [Job([[1]] * 3), Job([[2]] * 2), Job([[3]] * 9)]
    bench.submit(*jobs)
    bench.loop.run_once()
    assert bench.model.calls == [3, 2, 9]
    assert [len(job.outcomes[0]) for job in jobs] == [3, 2, 9]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Job([[1, 2]]), Job([[1, 2, 3]])),
        (Job([[1]]), Job([[1.0]])),
        (Job([[1]], ["a"]), Job([[1]], ["b"])),
        (Job([[1]], []), Job([[1]], None)),
        (Job([1]), Job([1])),
        (Job(1), Job(1)),
        (Job(np.empty((0, 2))), Job(np.empty((0, 2)))),
        (Job([[1]], [1]), Job([[1]], [True])),  # type: ignore[list-item]  # equal as keys, not to user code
        (Job([[1]], [[]]), Job([[1]], [[]])),  # type: ignore[list-item]  # what a client may send all the same
        (Job([["ab"]]), Job([["a"]])),
        (Job([[None, 1]]), Job([[None, 2]])),
    ],
)
def test_what_the_model_could_tell_apart_is_not_merged(one: Job, other: Job) -> None:
    """Requests with other names, dtype or row shape, without rows or without a row axis are called one by one."""
    bench = Bench()
    bench.submit(one, other)
    bench.loop.run_once()
    assert len(bench.model.calls) == 2
    assert len(one.outcomes) == len(other.outcomes) == 1


def test_a_poison_row_fails_its_own_request_only() -> None:
    """If a merged call raises, each request is predicted alone, and only the one at fault fails."""
    bench = Bench()
    jobs = [Job([[1]]), Job([[-1]]), Job([[3]])]
    bench.submit(*jobs)
    bench.loop.run_once()
    assert bench.model.calls == [3, 1, 1, 1]
    assert [job.outcomes for job in jobs] == [[[[2]]], [ComponentError], [[[6]]]]


def test_what_the_model_shall_not_see_is_refused_by_itself() -> None:
    """All rows are checked at once; if some are invalid, only their requests fail, before the model is called."""
    bench = Bench()
    asked: list[int] = []

    class NoSeven:
        def admits(self, rows: Array) -> bool:
            asked.append(len(rows) if rows.ndim else 0)
            return not (rows == 7).any()

        def __call__(self, message: Message) -> None:
            if (message.payload == 7).any():
                raise BadRequest("unfit")

    loop = bench.loop
    bench.batcher = Batcher(bench.model, loop, executor(loop), max_rows=100, check=NoSeven())
    good = [Job([[1]]), Job([[2]])]
    bench.submit(*good)
    bench.loop.run_once()
    mixed = [Job([[3]]), Job([[7]]), Job([[4]]), Job(7)]
    bench.submit(*mixed)
    bench.loop.run_once()
    assert asked == [2, 3, 0]
    assert bench.model.calls == [2, 2]
    assert [job.outcomes for job in good + mixed] == [[[[2]]], [[[4]]], [[[6]]], [BadRequest], [[[8]]], [BadRequest]]


def test_a_caller_who_left_costs_nothing_and_harms_nobody() -> None:
    """Rows of a closed connection are not predicted, and the other requests of the batch are answered."""
    bench = Bench()
    jobs = [Job([[1]]), Job([[2]], abandoned=True), Job([[3]])]
    bench.submit(*jobs)
    bench.loop.run_once()
    assert bench.model.calls == [2]
    assert [job.outcomes for job in jobs] == [[[[2]]], [], [[[6]]]]


@pytest.mark.parametrize("payload", ["a string", {"a": 1}, np.array(3.0), [1], np.zeros((1, 3)), None])
def test_an_answer_without_a_row_for_each_row_is_not_split(payload: Any) -> None:
    """If the answer does not have a row for each row, the model is called again for each request."""
    calls = []
    loop = ManualLoop()

    def model(rows: Array, names: Sequence[str] | None) -> Prediction:
        calls.append(len(rows))
        return Prediction(payload if len(rows) > 1 else rows)

    jobs = [Job([[1]]), Job([[2]])]
    batcher = Batcher(model, loop, executor(loop), max_rows=10)
    for job in jobs:
        batcher.submit(job)
    loop.run_once()
    assert calls == [2, 1, 1]
    assert [job.outcomes for job in jobs] == [[[[1]]], [[[2]]]]


def test_a_request_that_comes_during_a_flush_waits_for_the_next_turn() -> None:
    """A request that is sent while the first is being answered is predicted in the next turn."""
    bench = Bench()
    late = Job([[5]])
    first = Job([[1]])
    first.done = lambda prediction: bench.submit(late)  # type: ignore[method-assign]
    bench.submit(first)
    bench.loop.run_once()
    assert late.outcomes == []
    bench.loop.run_once()
    assert late.outcomes == [[[10]]]


def test_bad_answers_fail_like_errors() -> None:
    """A request error that the prediction raises reaches the callers unchanged."""
    loop = ManualLoop()

    def model(rows: Array, names: Sequence[str] | None) -> Prediction:
        raise BadAnswer("no form")

    batcher, jobs = Batcher(model, loop, executor(loop), max_rows=10), [Job([[1]]), Job([[2]])]
    for job in jobs:
        batcher.submit(job)
    loop.run_once()
    assert [job.outcomes for job in jobs] == [[BadAnswer], [BadAnswer]]


ROWS = st.lists(st.lists(st.integers(-1, 5), min_size=1, max_size=2), min_size=1, max_size=3).filter(
    lambda rows: len({len(row) for row in rows}) == 1
)


@given(st.lists(st.tuples(ROWS, st.booleans()), max_size=12), st.integers(1, 8))
def test_batched_equals_single(requests: list[tuple[list[list[int]], bool]], max_rows: int) -> None:
    """However requests are merged, each is answered exactly once and as if it had come alone."""
    bench = Bench(max_rows)
    jobs = [Job(rows) for rows, _ in requests]
    for job, (_, turn_after) in zip(jobs, requests, strict=True):
        bench.submit(job)
        if turn_after:
            bench.loop.run_once()
    bench.loop.run_once()
    for job, (rows, _) in zip(jobs, requests, strict=True):
        alone = ComponentError if any(n < 0 for row in rows for n in row) else [[n * 2 for n in row] for row in rows]
        assert job.outcomes == [alone]


def test_a_turn_that_takes_too_long_is_not_waited_for() -> None:
    """If requests keep coming in one turn, a batch is sent after the delay that is allowed, and the next one begins."""
    bench = Bench()
    now = [0.0]
    bench.batcher = Batcher(
        bench.model, bench.loop, executor(bench.loop), max_rows=100, max_delay_s=0.005, clock=lambda: now[0]
    )
    jobs = [Job([[n]]) for n in range(6)]
    for job in jobs:
        bench.submit(job)
        now[0] += 0.002
    assert bench.model.calls == [4]  # the fourth came 6 ms after the first
    bench.loop.run_once()
    assert bench.model.calls == [4, 2]
    assert [job.outcomes for job in jobs] == [[[[2 * n]]] for n in range(6)]


def test_a_batch_grows_while_the_model_is_busy() -> None:
    """Requests that come while the thread is busy are one batch afterwards, without those whose callers have gone."""
    bench = Bench()
    work: list[Any] = []

    class Thread:
        def run(self, task: Any, done: Any, /) -> None:
            work.append((task, done))

    slow = Executor(bench.loop, Thread(), clock=lambda: 0.0, mean_s=0.1)
    bench.batcher = Batcher(bench.model, bench.loop, slow, max_rows=100)
    jobs = [Job([[n]]) for n in range(5)]
    for job in jobs:  # one a turn
        bench.submit(job)
        bench.loop.run_once()
    assert len(work) == 1
    jobs[2].abandoned = True
    while work:
        task, done = work.pop()
        task()
        done(0.1)
    assert bench.model.calls == [1, 3]
    assert [job.outcomes for job in jobs] == [[[[0]]], [[[2]]], [], [[[6]]], [[[8]]]]


def test_a_batch_stays_open_when_a_full_one_with_the_same_key_begins() -> None:
    """The batch that was opened because another was full takes more jobs until its own call begins."""
    bench = Bench()
    work: list[Any] = []

    class Thread:
        def run(self, task: Any, done: Any, /) -> None:
            work.append((task, done))

    def finish_one() -> None:
        task, done = work.pop()
        task()
        done(0.1)

    slow = Executor(bench.loop, Thread(), clock=lambda: 0.0, mean_s=0.1)
    bench.batcher = Batcher(bench.model, bench.loop, slow, max_rows=4)
    for rows in (1, 3, 3):  # the first runs, the second is full with the third
        bench.submit(Job([[0]] * rows))
        bench.loop.run_once()
    finish_one()
    bench.submit(Job([[0]]))
    while work:
        finish_one()
        bench.loop.run_once()
    assert bench.model.calls == [1, 3, 4]


def test_what_is_too_late_never_reaches_the_model() -> None:
    """A job whose deadline comes before its turn is told so; the others of its batch are predicted without it."""
    bench = Bench()
    bench.batcher = Batcher(bench.model, bench.loop, executor(bench.loop), max_rows=100, clock=lambda: 5.0)
    jobs = [Job([[1]]), Job([[2]]), Job([[3]])]
    jobs[1].deadline = 4.9
    bench.submit(*jobs)
    assert bench.batcher.waiting == 3
    bench.loop.run_once()
    assert bench.batcher.waiting == 0
    assert bench.model.calls == [2]
    assert [job.outcomes for job in jobs] == [[[[2]]], ["expired"], [[[6]]]]
