"""Which slots have workers at first, and which sockets a process must not keep. tests/e2e runs real workers."""

import socket
from collections.abc import Iterator

import pytest

from scorekit.serve.workers.process import WorkerProcess
from scorekit.serve.workers.process_table import ProcessTable
from scorekit.serve.workers.slots import Slot


@pytest.fixture
def slots() -> Iterator[list[Slot]]:
    """Three slots of one socket each."""
    made = [Slot(number, [socket.socket()]) for number in range(3)]
    yield made
    for slot in made:
        slot.close()


@pytest.fixture
def process() -> Iterator[WorkerProcess]:
    """A worker that has not been started."""
    made = WorkerProcess(0, reload=False)
    yield made
    made.theirs.close()
    assert made.channel is not None
    made.channel.close()


def test_all_slots_are_there_unless_the_first_comes_alone(slots: list[Slot]) -> None:
    """With a number of workers that the user has set, nothing is kept back and nothing can be dropped."""
    table = ProcessTable(slots, first_alone=False)
    assert [*table.slots.values()] == slots
    assert list(table.release()) == []
    assert not table.drop_others()


def test_the_others_follow_the_first(slots: list[Slot]) -> None:
    """The slots that were kept back are added once."""
    table = ProcessTable(slots, first_alone=True)
    assert [*table.slots] == [0]
    assert list(table.release()) == slots[1:]
    assert [*table.slots.values()] == slots
    assert list(table.release()) == []


def test_the_others_are_dropped(slots: list[Slot]) -> None:
    """The sockets of the dropped slots are closed: a connection that the kernel gave them would never be answered."""
    table = ProcessTable(slots, first_alone=True)
    assert table.drop_others()
    assert [slot.sockets[0].fileno() == -1 for slot in slots] == [False, True, True]
    assert not table.drop_others()


def test_a_worker_keeps_only_its_own_sockets(slots: list[Slot], process: WorkerProcess) -> None:
    """A worker closes the sockets of all other slots, also of those that are kept back, and all channels."""
    table = ProcessTable(slots, first_alone=True)
    slots[0].current = process
    channel = [process.channel]
    assert table.strangers(slots[0]) == [*channel, slots[1].sockets[0], slots[2].sockets[0]]
    assert table.strangers() == [*channel, *(slot.sockets[0] for slot in slots)]


def test_the_server_is_ready_when_every_slot_is(slots: list[Slot], process: WorkerProcess) -> None:
    """There are no states to report before that."""
    table = ProcessTable(slots[:1], first_alone=False)
    assert table.ready_states() is None
    slots[0].current = process
    assert table.ready_states() is None
    process.state = {"state": "ready", "batching": False}
    assert table.ready_states() == [process.state]


def test_a_crash_loop_of_one_slot_is_none_of_the_server(slots: list[Slot], process: WorkerProcess) -> None:
    """The server has no reason to end while a slot has not crashed five times in a row, or has a worker that serves."""
    table = ProcessTable(slots[:2], first_alone=False)
    slots[0].failures, slots[1].failures = 7, 4
    assert not table.in_crash_loop
    slots[1].failures = 5
    assert table.in_crash_loop
    slots[1].current, process.state = process, {"state": "ready"}
    assert not table.in_crash_loop
