"""Workers below a supervisor, started by the command as a person starts it."""

import concurrent.futures
import contextlib
import http.client
import json
import os
import re
import signal
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ..ports import free_ports
from .conftest import COMPONENT, Command
from .test_serve import ask, serving

pytestmark = pytest.mark.e2e

CONTRACT = json.dumps(
    {
        "features": [{"name": "x", "dtype": "FLOAT", "ftype": "continuous", "range": [0, 10], "repeat": 2}],
        "targets": [{"name": "y", "dtype": "FLOAT", "ftype": "continuous"}],
    }
)


def component(folder: Path, source: str, contract: str = CONTRACT) -> Path:
    (folder / "Mine.py").write_text(source)
    (folder / ".s2i").mkdir()
    (folder / ".s2i" / "environment").write_text("MODEL_NAME=Mine\n")
    if contract:
        (folder / "contract.json").write_text(contract)
    return folder


def get(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as response:
        return str(response.read().decode())


def counted(page: int) -> float:
    """The number of answered predictions, summed over all workers."""
    pattern = r'requests_seconds_count\{[^}]*code="200"[^}]*service="predict[^}]*\} ([\d.]+)'
    return sum(float(count) for count in re.findall(pattern, get(page, "/metrics")))


def workers(command: Command) -> list[int]:
    return [pid for pid, args in command.descendants() if "scorekit" in args]


def test_counts_add_up_across_workers_and_their_deaths(start: Callable[..., Command]) -> None:
    """All requests of 40 connections to two workers are counted, also after one of the workers is killed."""
    port, page = free_ports("127.0.0.1", 2)
    command = serving(start, port, GUNICORN_WORKERS="2", PREDICTIVE_UNIT_METRICS_SERVICE_PORT=str(page))
    assert "workers=2" in command.output
    pids = workers(command)
    assert len(pids) == 2
    for _ in range(40):
        ask(port, {"data": {"ndarray": [[1, 1]]}})
    assert counted(page) == 40
    os.kill(pids[0], signal.SIGKILL)
    command.wait_for("worker.ready")
    assert "by SIGKILL" in command.output
    assert counted(page) == 40
    for _ in range(40):
        ask(port, {"data": {"ndarray": [[1, 1]]}})
    assert counted(page) == 80
    assert len(workers(command)) == 2
    assert command.stop() == 0
    assert workers(command) == []


def test_both_workers_serve(start: Callable[..., Command], port: int, tmp_path: Path) -> None:
    """The kernel distributes connections over the workers."""
    folder = component(tmp_path, "import os\nclass Mine:\n    def predict(self, X, names): return [os.getpid()]\n", "")
    command = serving(start, port, str(folder), GUNICORN_WORKERS="2")
    answered_by = {ask(port, {"data": {"ndarray": [[1, 1]]}})["data"]["ndarray"][0] for _ in range(60)}
    assert answered_by == set(workers(command))


def test_connections_that_wait_for_a_killed_worker_are_answered_by_the_next(
    start: Callable[..., Command], port: int, tmp_path: Path
) -> None:
    """Eight connections wait while the only worker hangs and is killed; every one of them is answered."""
    source = (
        "import time\nclass Mine:\n    def predict(self, X, names):\n"
        "        if X[0][0] == 9: print('hanging', flush=True); time.sleep(60)\n        return X\n"
    )
    command = serving(start, port, str(component(tmp_path, source, "")))
    [pid] = workers(command)
    outcomes: list[Any] = []

    def hang() -> None:
        try:
            outcomes.append(ask(port, {"data": {"ndarray": [[9]]}}))
        except OSError as error:
            outcomes.append(error)

    hanging = threading.Thread(target=hang)
    hanging.start()
    command.wait_for("hanging")
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        waiting = [pool.submit(ask, port, {"data": {"ndarray": [[at]]}}) for at in range(8)]
        time.sleep(0.5)
        os.kill(pid, signal.SIGKILL)
        answers = [each.result(10)["data"]["ndarray"] for each in waiting]
    hanging.join()
    assert isinstance(outcomes[0], OSError)
    assert answers == [[[at]] for at in range(8)]


def test_a_model_that_starts_threads_in_its_constructor_serves(
    start: Callable[..., Command], port: int, tmp_path: Path
) -> None:
    """A constructor that predicts with OpenMP starts threads that no fork has; so each worker has its own."""
    source = (
        "import numpy as np\nfrom sklearn.ensemble import HistGradientBoostingClassifier\n"
        "class Mine:\n    def __init__(self):\n"
        "        X = np.random.default_rng(0).normal(size=(5000, 2))\n"
        "        self.model = HistGradientBoostingClassifier(max_iter=5).fit(X, X[:, 0] > 0)\n"
        "        self.model.predict_proba(X)\n"
        "    def predict(self, X, names): return self.model.predict_proba(X)\n"
    )
    folder = component(tmp_path, source)
    command = serving(start, port, str(folder), PROBE_TIMEOUT_S="3", OMP_NUM_THREADS="2", BATCHING="auto")
    assert "worker.slow" not in command.output
    assert len(ask(port, {"data": {"ndarray": [[1.0, 1.0]]}})["data"]["ndarray"][0]) == 2
    [pid] = workers(command)
    os.kill(pid, signal.SIGKILL)
    command.wait_for("worker.ready")
    assert ask(port, {"data": {"ndarray": [[1.0, 1.0]]}})
    assert command.stop() == 0


@pytest.mark.parametrize(
    ("source", "contract", "state", "reason"),
    [
        ("return X * 2", CONTRACT, "on", "32 rows of the contract have the same answers in a batch as alone"),
        ("return X - X.mean(axis=0)", CONTRACT, "off", "differently in a batch than alone"),
        ("return X * 2", "", "off", "there is no contract.json"),
        ("raise ValueError('no')", CONTRACT, "off", "predict failed on a row of the contract: no"),
    ],
)
def test_batching_auto_is_decided_by_a_trial(
    start: Callable[..., Command], port: int, tmp_path: Path, source: str, contract: str, state: str, reason: str
) -> None:
    """The decision and its reason are in the log and in /metadata."""
    folder = component(tmp_path, f"class Mine:\n    def predict(self, X, names):\n        {source}\n", contract)
    command = serving(start, port, str(folder), BATCHING="auto")
    assert f"batching={state}" in command.output
    assert reason in command.output
    custom = json.loads(get(port, "/metadata"))["custom"]
    assert custom["scorekit.batching"] == state
    assert reason in custom["scorekit.batching.reason"]


def test_a_slow_model_does_not_delay_health_and_metrics(start: Callable[..., Command], tmp_path: Path) -> None:
    """While a prediction takes a second in a thread, health and metrics are answered, and metrics show the thread."""
    port, page = free_ports("127.0.0.1", 2)
    source = "import time\nclass Mine:\n    def predict(self, X, names):\n        time.sleep(1); return X\n"
    folder = component(tmp_path, source)
    command = serving(start, port, str(folder), PREDICTIVE_UNIT_METRICS_SERVICE_PORT=str(page))
    answers: list[Any] = []
    asking = [threading.Thread(target=lambda: answers.append(ask(port, {"data": {"ndarray": [[1]]}}))) for _ in "ab"]
    for each in asking:
        each.start()
    time.sleep(0.2)
    began = time.monotonic()
    for _ in range(5):
        assert get(port, "/health/status")
        assert get(port, "/health/ping") == "pong"
    assert "scorekit_predict_in_thread{" in (text := get(page, "/metrics"))
    assert re.search(r"scorekit_predict_in_thread\{[^}]*\} 1\.0", text)
    assert re.findall(r"scorekit_in_flight_requests\{[^}]*\} ([\d.]+)", text) == ["2.0"]
    assert not answers, "the predictions were over before the health checks"
    assert time.monotonic() - began < 0.7
    for each in asking:
        each.join()
    assert len(answers) == 2
    assert command.stop() == 0


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            "    def load(self): raise OSError('no weights')",
            "Mine.load() failed: OSError: no weights (Mine.py",
        ),
        ("    def load(self): import os; os._exit(7)", "the worker ended with status 7 while it loaded the model"),
        (
            "    def load(self): import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
            "by SIGKILL (perhaps out of memory",
        ),
    ],
)
def test_a_model_that_cannot_load_prevents_the_start(
    start: Callable[..., Command], port: int, tmp_path: Path, source: str, message: str
) -> None:
    """The server exits with status 1 and one sentence, however the worker ended."""
    folder = component(tmp_path, f"class Mine:\n{source}\n    def predict(self, X, names): return X\n")
    command = start("serve", str(folder), "--host", "127.0.0.1", "--http-port", str(port), GUNICORN_WORKERS="2")
    assert command.ended() == 1
    assert message in command.output
    assert "Traceback" not in command.output


def test_a_slot_that_cannot_start_does_not_end_the_others(
    start: Callable[..., Command], port: int, tmp_path: Path
) -> None:
    """With the model's file gone a worker that dies is tried again and again, while the other one answers."""
    file = tmp_path / "weights"
    file.touch()
    source = (
        f"class Mine:\n    def load(self): open({str(file)!r}).close()\n    def predict(self, X, names): return X\n"
    )
    command = serving(start, port, str(component(tmp_path, source, "")), GUNICORN_WORKERS="2")
    file.unlink()
    os.kill(workers(command)[0], signal.SIGKILL)
    command.wait_for("the next one starts in 1.6 s")
    for _ in range(20):
        assert ask(port, {"data": {"ndarray": [[1]]}})["data"]["ndarray"] == [[1]]
    file.touch()
    command.wait_for("worker.ready")
    for _ in range(20):
        assert ask(port, {"data": {"ndarray": [[1]]}})["data"]["ndarray"] == [[1]]
    assert command.stop() == 0


def test_a_crash_loop_ends_with_a_reason(start: Callable[..., Command], port: int, tmp_path: Path) -> None:
    """A worker that crashes at every request is replaced after growing pauses; the fifth crash in a row ends the
    server."""
    source = "import os\nclass Mine:\n    def predict(self, X, names): os._exit(9)\n"
    command = serving(start, port, str(component(tmp_path, source, "")))
    while command.process.poll() is None:
        with contextlib.suppress(OSError):
            ask(port, {"data": {"ndarray": [[1]]}})
        time.sleep(0.05)
    assert command.ended() == 1
    assert "ended with status 9, 5 times in a row" in command.output


def test_workers_do_not_outlive_their_supervisor(start: Callable[..., Command], port: int) -> None:
    """When the supervisor is killed, its workers drain and exit by themselves."""
    command = serving(start, port, GUNICORN_WORKERS="2")
    pids = workers(command)
    command.stop(signal.SIGKILL)
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() and "Z" not in _state(pid) for pid in pids):
        assert time.monotonic() < deadline, "a worker runs on"
        time.sleep(0.05)


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


def test_a_shared_port_in_use_is_an_error(start: Callable[..., Command], port: int) -> None:
    """Two servers of two workers each do not share a port by mistake."""
    serving(start, port, GUNICORN_WORKERS="2")
    second = start("serve", str(COMPONENT), "--host", "127.0.0.1", "--http-port", str(port), GUNICORN_WORKERS="2")
    assert second.ended() == 1
    assert "another process listens there" in second.output


def test_the_start_is_timed_step_by_step(start: Callable[..., Command], port: int) -> None:
    """`--timings` prints the time of each step, including the first prediction, and their total."""
    command = start("serve", str(COMPONENT), "--host", "127.0.0.1", "--http-port", str(port), "--timings")
    command.wait_for("total")
    steps = dict(re.findall(r"(?m)^ *(\S[\w ]*\S) +([\d.]+) ms$", command.output))
    assert {"settings", "import and construct the model", "load", "first prediction", "fork to ready"} <= steps.keys()
    top = [name for name in steps if not re.search(rf"(?m)^  {name}", command.output)]
    assert sum(float(steps[name]) for name in top if name != "total") == pytest.approx(float(steps["total"]), rel=0.2)


def test_threads_of_numeric_libraries_are_divided_among_workers(
    start: Callable[..., Command], port: int, tmp_path: Path
) -> None:
    """Workers times threads are no more than the cores; variables that the user has set are kept."""
    source = (
        "import os\nclass Mine:\n    def predict(self, X, names):\n"
        "        return [os.environ['OMP_NUM_THREADS'], os.environ['MKL_NUM_THREADS']]\n"
    )
    folder = component(tmp_path, source, "")
    serving(start, port, str(folder), GUNICORN_WORKERS=str(os.cpu_count()), MKL_NUM_THREADS="3")
    assert ask(port, {"data": {"ndarray": [[1]]}})["data"]["ndarray"] == ["1", "3"]


def test_a_connection_is_kept_by_its_worker(start: Callable[..., Command], port: int, tmp_path: Path) -> None:
    """All requests of one connection are answered by the same worker."""
    folder = component(tmp_path, "import os\nclass Mine:\n    def predict(self, X, names): return [os.getpid()]\n", "")
    serving(start, port, str(folder), GUNICORN_WORKERS="2")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    answered_by = set()
    for _ in range(20):
        connection.request("POST", "/predict", '{"data":{"ndarray":[[1]]}}', {"Content-Type": "application/json"})
        answered_by.add(connection.getresponse().read())
    connection.close()
    assert len(answered_by) == 1


@pytest.mark.parametrize(
    "run",
    [
        "asyncio.run(answer(X))",
        "asyncio.new_event_loop().run_until_complete(answer(X))",
        "uvloop.run(answer(X))",
    ],
)
@pytest.mark.parametrize("seconds", [0.0001, 0.005], ids=["quick", "slow"])
def test_predict_may_run_an_event_loop_of_its_own(
    start: Callable[..., Command], port: int, tmp_path: Path, run: str, seconds: float
) -> None:
    """As with the stock wrapper; health is answered between calls, and SIGTERM during a call ends the server."""
    source = (
        "import asyncio, uvloop\n"
        "async def answer(X):\n    await asyncio.sleep(SECONDS if X[0][0] < 9 else 1); return X\n"
        "class Mine:\n    def predict(self, X, names):\n"
        "        if X[0][0] == 9: print('long', flush=True)\n"
        f"        return {run}\n"
    ).replace("SECONDS", str(seconds))
    command = serving(start, port, str(component(tmp_path, source, "")))
    for at in range(30):
        assert ask(port, {"data": {"ndarray": [[at % 9]]}})["data"]["ndarray"] == [[at % 9]]
        assert get(port, "/health/ping") == "pong"
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        last = pool.submit(ask, port, {"data": {"ndarray": [[9]]}})
        command.wait_for("long")
        assert command.stop() == 0
        assert last.result()["data"]["ndarray"] == [[9]]


PRELOADED = """
import multiprocessing, os, threading, time
class Mine:
    def __init__(self):
        print('constructed', flush=True)
        self.shared = multiprocessing.RawValue('i', 0)
        THREAD
    def predict(self, X, names): return [self.shared.value]
    def custom_service(self):
        self.shared.value = 42
        time.sleep(60)
"""


def test_preload_constructs_once_and_shares_by_forks(start: Callable[..., Command], port: int, tmp_path: Path) -> None:
    """Workers and custom_service() have the objects of one constructor, also the workers of a reload."""
    folder = component(tmp_path, PRELOADED.replace("THREAD", "pass"), "")
    command = serving(start, port, str(folder), GUNICORN_WORKERS="2", PRELOAD="true")
    assert ask(port, {"data": {"ndarray": [[1]]}})["data"]["ndarray"] == [42]
    command.process.send_signal(signal.SIGHUP)
    command.wait_for("worker.left", 2)
    assert "reads nothing again, because of --preload" in command.output
    assert ask(port, {"data": {"ndarray": [[1]]}})["data"]["ndarray"] == [42]
    assert command.output.count("constructed") == 1
    assert command.stop() == 0


def test_preload_is_given_up_if_the_constructor_starts_threads(
    start: Callable[..., Command], port: int, tmp_path: Path
) -> None:
    """The log says so, and each worker constructs the model for itself, as custom_service() does."""
    thread = "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()"
    folder = component(tmp_path, PRELOADED.replace("THREAD", thread), "")
    command = serving(start, port, str(folder), GUNICORN_WORKERS="2", PRELOAD="true")
    assert "preload.unsafe threads=1" in command.output
    command.wait_for("constructed", 4)  # before it was given up, in two workers, and for the service
    assert ask(port, {"data": {"ndarray": [[1]]}})["data"]["ndarray"] == [0]
    assert command.stop() == 0


@pytest.mark.parametrize(
    ("construct", "predict"),
    [
        ("concurrent.futures.ProcessPoolExecutor(2)", "list(self.kept.map(abs, [1, 2]))"),
        ("multiprocessing.Pool(2)", "self.kept.map(abs, [1, 2])"),
        ("begun(multiprocessing.Process(target=time.sleep, args=(60,)))", "0"),
        ("begun(threading.Thread(target=time.sleep, args=(60,)))", "0"),
        ("__import__('joblib')", "self.kept.Parallel(n_jobs=2)(self.kept.delayed(abs)(each) for each in [1, 2])"),
    ],
    ids=["ProcessPoolExecutor", "Pool", "Process", "Thread", "joblib"],
)
def test_what_the_model_has_started_ends_with_its_worker(
    start: Callable[..., Command], port: int, tmp_path: Path, construct: str, predict: str
) -> None:
    """After a reload and after SIGTERM no process of the model is left, and the server ends within its grace time."""
    source = (
        "import concurrent.futures, multiprocessing, threading, time\n"
        "def begun(each):\n    each.start(); return each\n"
        f"class Mine:\n    def __init__(self): self.kept = {construct}\n"
        f"    def predict(self, X, names):\n        {predict}\n        return X\n"
    )
    command = serving(start, port, str(component(tmp_path, source, "")))
    assert ask(port, {"data": {"ndarray": [[1]]}})["data"]["ndarray"] == [[1]]
    before = {pid for pid, _ in command.descendants()}
    command.process.send_signal(signal.SIGHUP)
    command.wait_for("worker.left")
    until = time.monotonic() + 5
    while any(Path(f"/proc/{pid}").exists() and _state(pid) != "Z" for pid in before):
        assert time.monotonic() < until, command.output
        time.sleep(0.05)
    assert ask(port, {"data": {"ndarray": [[1]]}})["data"]["ndarray"] == [[1]]
    before = {pid for pid, _ in command.descendants()}
    began = time.monotonic()
    assert command.stop() == 0
    assert time.monotonic() - began < 10
    assert "worker.killed" not in command.output
    until = time.monotonic() + 5
    while any(Path(f"/proc/{pid}").exists() and _state(pid) != "Z" for pid in before):
        assert time.monotonic() < until, command.output
        time.sleep(0.05)
