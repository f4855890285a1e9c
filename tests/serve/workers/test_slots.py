"""Which slot gets a new worker next, and when a worker that crashes is given up."""

from collections.abc import Iterator

import pytest

from scorekit.serve.workers.process import WorkerProcess
from scorekit.serve.workers.slots import LIVED_S, MAX_FAILURES, ReplacementQueue, Slot

FIRST, SECOND, THIRD = 0, 1, 2


@pytest.fixture
def process() -> Iterator[WorkerProcess]:
    """A worker that has not been started."""
    made = WorkerProcess(FIRST, reload=False)
    yield made
    made.theirs.close()
    assert made.channel is not None
    made.channel.close()


def test_workers_are_replaced_one_at_a_time() -> None:
    """The next replacement begins when the old worker is gone; a slot that asks twice gets one."""
    queue = ReplacementQueue()
    assert queue.begin(0.0) is None
    assert [queue.request(FIRST, reload=False), queue.request(SECOND, reload=True)] == [True, True]
    assert not queue.request(FIRST, reload=False)
    assert queue.begin(0.0) == (FIRST, False)
    assert queue.begin(0.0) is None
    queue.done(SECOND)  # not the busy one
    assert queue.due_s(0.0) is None
    queue.done(FIRST)
    assert queue.due_s(0.0) == 0.0
    assert queue.begin(0.0) == (SECOND, True)
    queue.done(SECOND)
    assert queue.begin(0.0) is None


def test_a_reload_during_a_replacement_is_not_forgotten() -> None:
    """The worker that is being started may have read the old file, so it is replaced again."""
    queue = ReplacementQueue()
    queue.request(FIRST, reload=False)
    queue.begin(0.0)
    queue.request(FIRST, reload=True)
    queue.request(FIRST, reload=False)
    queue.done(FIRST)
    assert queue.begin(0.0) == (FIRST, True)


def test_a_replacement_that_fails_is_tried_again_later_each_time() -> None:
    """The pauses are one second, two, four; a success makes them short again."""
    queue = ReplacementQueue()
    for now, pause_s in ((100.0, 1.0), (200.0, 2.0), (300.0, 4.0)):
        queue.request(FIRST, reload=False)
        assert queue.begin(now) == (FIRST, False)
        queue.failed(FIRST, now)
        queue.request(FIRST, reload=False)
        assert queue.begin(now + 0.9 * pause_s) is None
        assert queue.due_s(now) == pause_s
    assert queue.begin(400.0) == (FIRST, False)
    queue.done(FIRST)
    queue.request(FIRST, reload=False)
    assert queue.begin(400.0) == (FIRST, False)


def test_after_a_reload_that_fails_no_other_worker_is_reloaded() -> None:
    """What one worker could not load the others need not try; a worker that is worn out is replaced all the same."""
    queue = ReplacementQueue()
    queue.request(FIRST, reload=True)
    queue.request(SECOND, reload=True)
    queue.request(THIRD, reload=False)
    queue.begin(0.0)
    queue.failed(FIRST, 0.0)
    queue.cancel_reload()
    assert queue.begin(0.0) == (THIRD, False)


def test_a_worker_that_crashes_at_once_is_in_a_crash_loop_after_five_times(process: WorkerProcess) -> None:
    """The first two are replaced at once, the next after growing pauses; one that has served starts a new series."""
    slot = Slot(FIRST, [])
    process.state = {"state": "ready"}
    assert slot.crashed(process, process.began + LIVED_S + 1) == 0.0
    pauses = []
    for _ in range(MAX_FAILURES):
        assert not slot.in_crash_loop
        pauses.append(slot.crashed(process, process.began + 1))
    assert pauses == [0.0, 0.1, 0.2, 0.4, 0.8]
    assert slot.in_crash_loop
    assert [slot.crashed(process, process.began + 1) for _ in range(2000)][-1] == 60.0
    assert slot.crashed(process, process.began + LIVED_S + 1) == 0.0


def test_a_worker_whose_model_hung_has_not_lived_meanwhile(process: WorkerProcess) -> None:
    """A model that hangs at its first request is given up, although each hang takes longer than LIVED_S."""
    slot = Slot(FIRST, [])
    process.state, process.hung_s = {"state": "ready"}, 120.0
    pauses = [slot.crashed(process, process.began + 121) for _ in range(MAX_FAILURES)]
    assert pauses == [0.0, 0.1, 0.2, 0.4, 0.8]
    assert slot.in_crash_loop
    assert slot.crashed(process, process.began + 120 + LIVED_S + 1) == 0.0


def test_a_worker_that_never_served_has_failed_however_long_it_took(process: WorkerProcess) -> None:
    """A model that loads for a minute and then crashes is given up too, and not started for ever."""
    slot = Slot(FIRST, [])
    assert slot.crashed(process, process.began + 60) == 0.0
    assert [slot.crashed(process, process.began + 60) for _ in range(4)] == [0.1, 0.2, 0.4, 0.8]
    assert slot.in_crash_loop
