"""What a server does when its model misbehaves."""

import concurrent.futures
import os
import re
import resource
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest

from scorekit.proto import message_class

from ..ports import free_ports
from .conftest import WITHIN_S, Command
from .test_serve import ask, serving
from .test_workers import CONTRACT, component, get, workers

pytestmark = pytest.mark.e2e

ROW = {"data": {"ndarray": [[1]]}}
HANG = {"data": {"ndarray": [[9]]}}


def status(port: int, body: Any, **headers: str) -> int:
    """The status of the answer to a request; 0 if the connection is closed without an answer."""
    try:
        ask(port, body)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except OSError:
        return 0
    return 200


def until(command: Command, true: Callable[[], object]) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not true():
        assert time.monotonic() < deadline, command.output
        time.sleep(0.02)


def hanging(folder: Path, how: str, contract: str = CONTRACT) -> Path:
    """A component whose predictions take 2 ms; it executes ``how`` if the row begins with 9."""
    source = (
        "import time\nclass Mine:\n    def predict(self, X, names):\n"
        f"        if X[0][0] == 9:\n            print('hanging', flush=True)\n            {how}\n"
        "        time.sleep(0.002)\n        return X\n"
    )
    return component(folder, source, contract)


def test_a_model_that_hangs_is_detected_and_replaced(start: Callable[..., Command], port: int, tmp_path: Path) -> None:
    """In the thread: its request gets 504, those behind it 503, health checks succeed, the log shows where it hangs."""
    contract = CONTRACT.replace("[0, 10]", "[0, 1]").replace('"repeat": 2', '"repeat": 1')
    command = serving(start, port, str(hanging(tmp_path, "time.sleep(600)", contract)), PREDICT_TIMEOUT_S="2")
    [pid] = workers(command)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        stuck = pool.submit(status, port, HANG)
        command.wait_for("hanging")
        waiting = [pool.submit(status, port, ROW) for _ in range(3)]
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            call = channel.unary_unary("/seldon.protos.Seldon/Predict").future(b"\x2a\x01x", timeout=30)
            assert get(port, "/health/status")
            code = call.code()
        assert stuck.result() == 504
        assert {each.result() for each in waiting} <= {503, 200}
    assert code in (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.OK)
    command.wait_for("worker.ready")
    assert "predict.hung" in command.output
    assert "in predict" in command.output.replace(", in", " in")
    assert status(port, ROW) == 200
    until(command, lambda: pid not in workers(command))
    assert command.stop() == 0


def test_a_model_that_blocks_the_whole_worker_is_replaced(
    start: Callable[..., Command], port: int, tmp_path: Path
) -> None:
    """In the event loop: the supervisor misses the heartbeat, has the worker print its stack, and starts another
    one."""
    command = serving(start, port, str(hanging(tmp_path, "time.sleep(600)", "")), PREDICT_TIMEOUT_S="2")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        stuck = pool.submit(status, port, HANG)
        command.wait_for("hanging")
        waiting = pool.submit(status, port, ROW)
        assert stuck.result() == 0
        assert waiting.result() in (200, 0)  # it waited on the socket, or had been accepted before
    command.wait_for("worker.ready")
    assert "worker.hung" in command.output
    assert re.search(r'Mine.py", line 6 in predict', command.output)
    assert status(port, ROW) == 200
    assert command.stop() == 0


@pytest.mark.parametrize("how", ["raise ValueError('secret')", "import sys; sys.exit(3)", "raise KeyboardInterrupt"])
def test_an_exception_of_the_model_affects_its_caller_only(
    start: Callable[..., Command], port: int, tmp_path: Path, how: str
) -> None:
    """The answer is a 500 without the exception's text, and the worker goes on, also after SystemExit."""
    command = serving(start, port, str(hanging(tmp_path, how, "")))
    before = workers(command)
    assert [status(port, HANG), status(port, ROW)] == [500, 200]
    assert workers(command) == before


@pytest.mark.parametrize("contract", [CONTRACT.replace("[0, 10]", "[0, 1]"), ""], ids=["in the thread", "in the loop"])
def test_a_fork_of_the_model_does_not_serve(
    start: Callable[..., Command], port: int, tmp_path: Path, contract: str
) -> None:
    """A child that returns from predict exits; one that lives on holds neither the port nor connections."""
    how = (
        "import os, signal\n"
        "            if os.fork() == 0: return X\n"
        "            child = os.fork()\n"
        "            if child == 0: os.close(1); os.close(2); time.sleep(600)\n"
        "            doomed = os.fork()\n"
        "            if doomed == 0: time.sleep(600)\n"
        "            os.kill(doomed, signal.SIGTERM); os.waitpid(doomed, 0)\n"
        "            print('child', child, flush=True)"
    )
    command = serving(start, port, str(hanging(tmp_path, how, contract)))
    before = workers(command)
    assert ask(port, {"data": {"ndarray": [[9, 9]]}})["data"]["ndarray"] == [[9, 9]]
    command.wait_for("child")
    for _ in range(20):
        assert status(port, {"data": {"ndarray": [[1, 1]]}}) == 200
    child = int(command.output.split("child ")[1].split()[0])
    try:
        assert command.stop() == 0
        assert Path(f"/proc/{child}").exists()
        with pytest.raises(ConnectionRefusedError):
            raise_cause(port)
    finally:
        os.kill(child, signal.SIGKILL)
    assert len(before) == 1


def raise_cause(port: int) -> None:
    try:
        ask(port, ROW)
    except urllib.error.URLError as error:
        raise error.reason from error  # type: ignore[misc]  # an OSError here


def test_a_killed_worker_loses_only_its_open_requests(start: Callable[..., Command], port: int, tmp_path: Path) -> None:
    """After kill -9 under load only the open requests fail, at once; all others are answered by a new worker."""
    command = serving(start, port, str(hanging(tmp_path, "time.sleep(600)", CONTRACT)))
    [pid] = workers(command)
    over = False

    def client() -> list[int]:
        statuses = []
        while not over:
            statuses.append(status(port, {"data": {"ndarray": [[1, 1]]}}))
        return statuses

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        clients = [pool.submit(client) for _ in range(8)]
        time.sleep(0.5)
        os.kill(pid, signal.SIGKILL)
        killed = time.monotonic()
        command.wait_for("worker.ready")
        again_s = time.monotonic() - killed
        time.sleep(0.5)
        over = True
        statuses = [each for one in clients for each in one.result()]
    assert set(statuses) <= {200, 0}
    assert statuses.count(0) <= 8, "each client can have had one request there"
    assert statuses.count(200) > 100
    assert again_s < WITHIN_S / 2


def test_a_worker_that_somebody_else_stops_is_replaced(
    start: Callable[..., Command], port: int, tmp_path: Path
) -> None:
    """After SIGTERM to the worker alone it drains, and its successor accepts connections on the same socket."""
    command = serving(start, port, str(hanging(tmp_path, "pass", "")))
    [pid] = workers(command)
    os.kill(pid, signal.SIGTERM)
    command.wait_for("worker.ready")
    assert [status(port, ROW) for _ in range(5)] == [200] * 5
    assert command.stop() == 0


def test_a_model_that_fails_its_probe_is_not_ready(start: Callable[..., Command], port: int, tmp_path: Path) -> None:
    """Health checks fail until a prediction for a row of the contract works; it is repeated until then."""
    source = (
        "import pathlib\nclass Mine:\n    def predict(self, X, names):\n"
        "        if not pathlib.Path(__file__).with_name('database').exists(): raise OSError('no database')\n"
        "        return X\n"
    )
    command = serving(start, port, str(component(tmp_path, source)))
    assert get(port, "/health/ping") == "pong"
    with pytest.raises(urllib.error.HTTPError, match="503") as caught:
        get(port, "/health/status")
    assert "failed on a row of its own contract" in caught.value.read().decode()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        check = channel.unary_unary("/grpc.health.v1.Health/Check")
        assert check(b"", timeout=10) == b"\x08\x02"
        (tmp_path / "database").touch()
        command.wait_for("probe.answered")
        assert check(b"", timeout=10) == b"\x08\x01"
    assert get(port, "/health/status")


def test_a_reload_reads_everything_again(start: Callable[..., Command], port: int, tmp_path: Path) -> None:
    """SIGHUP reads code, constructor and load() again; if the new version fails, the old one goes on serving."""
    source = (
        "import pathlib\nHERE = pathlib.Path(__file__).parent\nclass Mine:\n"
        "    def __init__(self): self.built = (HERE / 'model').read_text()\n"
        "    def load(self): self.loaded = (HERE / 'model').read_text()\n"
        "    def predict(self, X, names): return [self.built, self.loaded, 'code 1']\n"
    )
    folder = component(tmp_path, source, "")
    (folder / "model").write_text("one")
    command = serving(start, port, str(folder), GUNICORN_WORKERS="2")

    def answers() -> set[tuple[str, ...]]:
        return {tuple(ask(port, ROW)["data"]["ndarray"]) for _ in range(20)}

    assert answers() == {("one", "one", "code 1")}
    (folder / "model").write_text("two")
    # Of another length: Python takes a compiled module for current if the source's second and size are the same.
    (folder / "Mine.py").write_text(source.replace("code 1", "code two"))
    command.process.send_signal(signal.SIGHUP)
    command.wait_for("worker.left", 2)
    assert answers() == {("two", "two", "code two")}

    (folder / "Mine.py").write_text("raise ValueError('half an upload')")
    command.process.send_signal(signal.SIGHUP)
    command.wait_for("worker.not_renewed")
    assert "half an upload" in command.output
    assert answers() == {("two", "two", "code two")}
    assert command.output.count("worker.not_renewed") == 1, "the second worker is not tried after the first has failed"

    (folder / "Mine.py").write_text(source.replace("code 1", "code three"))
    command.process.send_signal(signal.SIGHUP)
    command.wait_for("worker.left", 4)
    assert answers() == {("two", "two", "code three")}
    assert len(workers(command)) == 2
    assert command.stop() == 0


def test_a_worker_that_is_worn_out_is_replaced(start: Callable[..., Command], tmp_path: Path) -> None:
    """Requests without health checks count, and memory, which this model leaks; none is lost or counted twice."""
    source = (
        "import os\nclass Mine:\n    def __init__(self): self.leak = []\n"
        "    def predict(self, X, names):\n"
        "        self.leak.append(b'x' * int(X[0][0]))\n        return [os.getpid()]\n"
    )
    folder = component(tmp_path, source, "")
    port, page = free_ports("127.0.0.1", 2)
    more = {"GUNICORN_MAX_REQUESTS_JITTER": "5", "PREDICTIVE_UNIT_METRICS_SERVICE_PORT": str(page)}
    command = serving(start, port, str(folder), GUNICORN_MAX_REQUESTS="30", MAX_RSS_MB="400", **more)
    for _ in range(60):
        get(port, "/health/ping")
    asked = 0
    while "worker.left" not in command.output:
        assert status(port, ROW) == 200
        asked += 1
        time.sleep(0.01)
    assert re.search(r"worker.renewed .*answered=\d+ limit=3[0-5]", command.output)
    assert asked >= 30
    big = {"data": {"ndarray": [[50_000_000]]}}
    left = len(re.findall("worker.left", command.output))
    while not re.search(r"worker.renewed .*rss_mb=\d+ limit=400", command.output):
        assert status(port, big) == 200
        asked += 1
        time.sleep(0.05)
        assert asked < 2000, command.output
    command.wait_for("worker.left", left + 1)
    assert re.findall(r"requests_seconds_count\{[^}]*service=\"predictions[^}]*\} ([\d.]+)", get(page, "/metrics")) == [
        f"{asked}.0"
    ]
    assert command.stop() == 0


def test_a_memory_limit_below_the_model_is_ignored_with_a_warning(
    start: Callable[..., Command], port: int, tmp_path: Path
) -> None:
    """A limit that no worker can keep would make the supervisor replace them for ever."""
    command = serving(start, port, str(hanging(tmp_path, "pass", "")), MAX_RSS_MB="1")
    assert "worker.large" in command.output
    assert status(port, ROW) == 200
    time.sleep(2.5)
    assert "worker.renewed" not in command.output


def test_a_call_past_its_deadline_does_not_reach_the_model(
    start: Callable[..., Command], port: int, tmp_path: Path
) -> None:
    """A call with a timeout of 50 ms behind a prediction of half a second is DEADLINE_EXCEEDED and not predicted."""
    source = (
        "import time\nclass Mine:\n    def predict(self, X, names):\n"
        "        print('predicting', X.tolist(), flush=True); time.sleep(0.5); return X\n"
    )
    command = serving(start, port, str(component(tmp_path, source, "")))
    assert status(port, ROW) == 200  # by now it is known to be slow
    with concurrent.futures.ThreadPoolExecutor(1) as pool, grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        grpc.channel_ready_future(channel).result(WITHIN_S)
        first = pool.submit(status, port, {"data": {"ndarray": [[2]]}})
        command.wait_for("predicting [[2]]")
        message = message_class("seldon.protos.SeldonMessage")()
        message.data.tensor.shape.extend([1, 1])
        message.data.tensor.values.append(3)
        with pytest.raises(grpc.RpcError) as caught:
            channel.unary_unary("/seldon.protos.Seldon/Predict")(message.SerializeToString(), timeout=0.05)
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert first.result() == 200
    assert status(port, ROW) == 200
    assert "predicting [[3" not in command.output


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="another process's limits can be set on Linux alone")
def test_a_worker_that_cannot_be_started_is_tried_again(
    start: Callable[..., Command], port: int, tmp_path: Path
) -> None:
    """Without file descriptors a reload and a crash leave the others serving; with some again, both are completed."""
    command = serving(start, port, str(hanging(tmp_path, "pass")), GUNICORN_WORKERS="2")
    before = set(workers(command))
    limits = resource.prlimit(command.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(command.process.pid, resource.RLIMIT_NOFILE, (5, limits[1]))
    command.process.send_signal(signal.SIGHUP)
    command.wait_for("worker.not_started")
    assert set(workers(command)) == before
    assert status(port, ROW) == 200
    os.kill(min(before), signal.SIGKILL)
    command.wait_for("the next one starts in")
    command.wait_for("worker.not_started", 2)
    resource.prlimit(command.process.pid, resource.RLIMIT_NOFILE, limits)
    until(command, lambda: len(workers(command)) == 2 and not set(workers(command)) & {min(before)})
    assert status(port, ROW) == 200
    assert command.stop() == 0
