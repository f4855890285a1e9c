"""How long the supervisor waits for a worker in each of its states."""

from collections.abc import Iterator

import pytest

from scorekit.serve.workers.deadlines import Deadlines, seconds_until
from scorekit.serve.workers.process import WorkerProcess

DEADLINES = Deadlines(probe_timeout_s=10.0, predict_timeout_s=120.0)


@pytest.fixture
def process() -> Iterator[WorkerProcess]:
    """A worker that has not been started."""
    made = WorkerProcess(0, reload=False)
    yield made
    made.theirs.close()
    assert made.channel is not None
    made.channel.close()


def test_a_load_may_take_any_time(process: WorkerProcess) -> None:
    """A model may load for as long as it needs, so a worker that starts has no deadline."""
    assert DEADLINES.of(process, stopping=False) is None


def test_a_long_first_prediction_is_reported_once(process: WorkerProcess) -> None:
    """A first prediction may take as long as it needs; the log says once that it takes long."""
    process.state = {"state": "loaded"}
    assert DEADLINES.of(process, stopping=False) == process.since + 10.0
    process.reported_slow = True
    assert DEADLINES.of(process, stopping=False) is None


def test_a_ready_worker_must_be_heard(process: WorkerProcess) -> None:
    """A worker that sends nothing for the longest prediction and one heartbeat more hangs."""
    process.state = {"state": "ready"}
    assert DEADLINES.of(process, stopping=False) == process.heard_at + 121.0


def test_a_server_that_stops_has_one_deadline_for_all(process: WorkerProcess) -> None:
    """While the server stops, a silent worker is not a hung one; but a worker that is to be killed still is."""
    process.state = {"state": "ready"}
    assert DEADLINES.of(process, stopping=True) is None
    process.kill_at = 5.0
    assert DEADLINES.of(process, stopping=True) == 5.0


def test_the_earliest_time_ends_the_wait() -> None:
    """The supervisor sleeps until the earliest deadline has passed, and never longer than a minute."""
    assert 2.0 < seconds_until(100.0, [None, 110.0, 102.0]) < 2.1
    assert 0.0 < seconds_until(100.0, [50.0]) < 0.1
    assert 60.0 < seconds_until(100.0, []) < 60.1
