"""Whose turn it is to be given a new worker, and when a worker that fails is given up."""

from scorekit.serve.workers.process import Process
from scorekit.serve.workers.slots import LIVED_S, MAX_FAILURES, Renewals, Slot


def slots(count: int) -> list[Slot]:
    return [Slot(number, []) for number in range(count)]


def test_slots_are_renewed_one_at_a_time() -> None:
    """The next one begins when the worker that was replaced is gone; who asks twice is renewed once."""
    renewals, (first, second) = Renewals(), slots(2)
    assert renewals.begin(0.0) is None
    assert [renewals.want(first, fresh=False), renewals.want(second, fresh=True)] == [True, True]
    assert not renewals.want(first, fresh=False)
    assert renewals.begin(0.0) == (0, False)
    assert renewals.begin(0.0) is None
    renewals.done(second)  # not the one that is busy
    assert renewals.due_s(0.0) is None
    renewals.done(first)
    assert renewals.due_s(0.0) == 0.0
    assert renewals.begin(0.0) == (1, True)
    renewals.done(second)
    assert renewals.begin(0.0) is None


def test_a_reload_that_comes_meanwhile_is_not_forgotten() -> None:
    """The worker that is being replaced may have read the old file: it is replaced again, by a fresh one."""
    renewals, (slot,) = Renewals(), slots(1)
    renewals.want(slot, fresh=False)
    renewals.begin(0.0)
    renewals.want(slot, fresh=True)
    renewals.want(slot, fresh=False)
    renewals.done(slot)
    assert renewals.begin(0.0) == (0, True)


def test_a_renewal_that_fails_is_tried_again_later_each_time() -> None:
    """After one second, then after two; a success makes the pause short again."""
    renewals, (slot,) = Renewals(), slots(1)
    for now, pause_s in ((100.0, 1.0), (200.0, 2.0), (300.0, 4.0)):
        renewals.want(slot, fresh=False)
        assert renewals.begin(now) == (0, False)
        renewals.failed(slot, now)
        renewals.want(slot, fresh=False)
        assert renewals.begin(now + 0.9 * pause_s) is None
        assert renewals.due_s(now) == pause_s
    assert renewals.begin(400.0) == (0, False)
    renewals.done(slot)
    renewals.want(slot, fresh=False)
    assert renewals.begin(400.0) == (0, False)


def test_after_a_reload_that_fails_nobody_else_is_reloaded() -> None:
    """What one worker could not load the others need not try; who is worn out is replaced all the same."""
    renewals, (first, second, third) = Renewals(), slots(3)
    renewals.want(first, fresh=True)
    renewals.want(second, fresh=True)
    renewals.want(third, fresh=False)
    renewals.begin(0.0)
    renewals.failed(first, 0.0)
    renewals.give_up_reload()
    assert renewals.begin(0.0) == (2, False)


def test_a_worker_that_dies_at_once_is_given_up_after_a_few_times() -> None:
    """The first two are replaced at once, the next after longer and longer pauses; one that served begins anew."""
    (slot,) = slots(1)
    process = Process(slot, fresh=False)
    process.state = {"state": "ready"}
    try:
        assert slot.crashed(process, process.began + LIVED_S + 1) == 0.0
        pauses = [slot.crashed(process, process.began + 1) for _ in range(MAX_FAILURES)]
        assert pauses == [0.0, 0.1, 0.2, 0.4, None]
        assert slot.crashed(process, process.began + LIVED_S + 1) == 0.0
    finally:
        process.theirs.close()
        assert process.channel is not None
        process.channel.close()


def test_one_that_never_served_has_failed_however_long_it_took() -> None:
    """A model that loads for a minute and then dies is given up too, and not started for ever."""
    (slot,) = slots(1)
    process = Process(slot, fresh=False)
    try:
        assert slot.crashed(process, process.began + 60) == 0.0
        assert [slot.crashed(process, process.began + 60) for _ in range(4)] == [0.1, 0.2, 0.4, None]
    finally:
        process.theirs.close()
        assert process.channel is not None
        process.channel.close()
