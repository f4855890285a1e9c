"""`scorekit serve` as a command."""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest

from ..ports import free_ports
from .conftest import COMPONENT, WITHIN_S, Command

pytestmark = pytest.mark.e2e


def serving(start: Callable[..., Command], port: int, component: str = str(COMPONENT), **more: Any) -> Command:
    command = start("serve", component, "--host", "127.0.0.1", "--http-port", str(port), **more)
    command.wait_for("serve.ready")
    return command


def ask(port: int, body: Any) -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/predict", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)


def test_the_example_component_answers(start: Callable[..., Command], port: int) -> None:
    """Two rows in, two rows of probabilities out, by the folder's own .s2i/environment."""
    command = serving(start, port)
    answer = ask(port, {"data": {"names": ["a", "b"], "tensor": {"shape": [2, 2], "values": [0, 0, 1, 1]}}})
    assert answer["data"]["names"] == ["setosa", "versicolor", "virginica"]
    assert answer["data"]["tensor"]["shape"] == [2, 3]
    assert sum(answer["data"]["tensor"]["values"]) == pytest.approx(2)
    assert "batching=on" in command.output
    assert command.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_cleanly_and_answers_what_it_holds(
    start: Callable[..., Command], port: int, tmp_path: Path, number: signal.Signals
) -> None:
    """A request that is being predicted when the signal comes is answered; then the exit status is 0."""
    (tmp_path / "Slow.py").write_text(
        "import time\nclass Slow:\n    def predict(self, X, names):\n"
        "        print('predicting', flush=True); time.sleep(0.5); return X\n"
    )
    command = serving(start, port, "Slow", cwd=tmp_path)
    answers: list[Any] = []
    asking = threading.Thread(target=lambda: answers.append(ask(port, {"data": {"ndarray": [[1]]}})))
    asking.start()
    command.wait_for("predicting")
    assert command.stop(number) == 0
    asking.join()
    assert answers == [{"data": {"names": ["t:0"], "ndarray": [[1]]}, "meta": {}}]


@pytest.mark.parametrize(("batching", "workers"), [("on", "1"), ("off", "1"), ("on", "2")])
def test_no_request_is_lost_when_it_stops_under_load(
    start: Callable[..., Command], port: int, batching: str, workers: str
) -> None:
    """Clients that ask again and again over kept connections are answered to the last, and told that it ends."""
    command = serving(start, port, BATCHING=batching, GUNICORN_WORKERS=workers)
    body = json.dumps({"data": {"ndarray": [[1, 1]]}})
    headers = {"Content-Type": "application/json"}
    told: list[str | None] = []
    answered = [0] * 16

    def ask_until_told(client: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            while True:
                connection.request("POST", "/predict", body, headers)
                response = connection.getresponse()
                response.read()
                answered[client] += response.status == 200
                if response.getheader("Connection") == "close":
                    told.append("close")
                    return
        except OSError as error:
            told.append(repr(error))
        finally:
            connection.close()

    clients = [threading.Thread(target=ask_until_told, args=(client,)) for client in range(len(answered))]
    for client in clients:
        client.start()
    while min(answered) < 20:
        time.sleep(0.01)
    assert command.stop() == 0
    for client in clients:
        client.join()
    assert told == ["close"] * len(answered)


def test_a_signal_during_a_long_load_ends_it_at_once(start: Callable[..., Command], port: int, tmp_path: Path) -> None:
    """Ctrl-C while a model loads does not wait for the model."""
    (tmp_path / "Slow.py").write_text(
        "import time\nclass Slow:\n    def __init__(self):\n        print('loading', flush=True); time.sleep(60)\n"
    )
    command = start("serve", "Slow", "--host", "127.0.0.1", "--http-port", str(port), cwd=tmp_path)
    command.wait_for("loading")
    started = time.monotonic()
    assert command.stop(signal.SIGINT) == 0
    assert time.monotonic() - started < 5
    assert "Traceback" not in command.output


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({}, "which class is the model? Set MODEL_NAME in .s2i/environment"),
        ({".s2i/environment": "MODEL_NAME=Mine"}, "there is no module Mine for MODEL_NAME=Mine"),
        ({".s2i/environment": "MODEL_NAME=Mine", "Mine.py": "1/0"}, "Mine could not be imported: ZeroDivisionError"),
        ({".s2i/environment": "NONSENSE"}, "line 1: expected KEY=value"),
    ],
)
def test_what_does_not_start_is_one_sentence(
    start: Callable[..., Command], port: int, tmp_path: Path, files: dict[str, str], told: str
) -> None:
    """Exit status 1 and one line on stderr, no traceback."""
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    command = start("serve", str(tmp_path), "--host", "127.0.0.1", "--http-port", str(port))
    assert command.ended() == 1
    assert told in command.output
    assert command.output.count("\n") == 1
    assert command.output.startswith("scorekit: ")


def test_a_file_in_place_of_its_folder_is_named_with_its_folder(start: Callable[..., Command], tmp_path: Path) -> None:
    """The error about the file of a class names the folder to serve."""
    (tmp_path / "Mine.py").touch()
    command = start("serve", str(tmp_path / "Mine.py"))
    assert command.ended() == 1
    assert command.output.endswith(f"Mine.py is a file; name the folder that it is in: {tmp_path}\n")


def test_a_reader_that_has_gone_is_no_error() -> None:
    """`scorekit serve --explain DIR | head` leaves no traceback, however little was printed."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "scorekit", "serve", "--explain", str(COMPONENT)]
    with os.fdopen(writer, "w") as gone:
        ended = subprocess.run(command, stdout=gone, stderr=subprocess.PIPE, timeout=WITHIN_S)
    assert (ended.returncode, ended.stderr) == (1, b"")


def test_a_taken_port_is_told_before_the_model_loads(start: Callable[..., Command], port: int) -> None:
    """The second server on a port says who is in the way, and the first serves on."""
    serving(start, port)
    second = start("serve", str(COMPONENT), "--host", "127.0.0.1", "--http-port", str(port))
    assert second.ended() == 1
    assert f"cannot listen on 127.0.0.1:{port}: another process listens there" in second.output
    assert ask(port, {"data": {"ndarray": [[1, 1]]}})


def test_old_command_lines_keep_starting(start: Callable[..., Command], port: int) -> None:
    """The stock wrapper's flags are taken; those without effect are named in the log."""
    stock = ["--service-type", "MODEL", "--persistence", "0", "--workers", "2", "--grpc-port", "0", "--tracing"]
    command = start("serve", str(COMPONENT), "--host", "127.0.0.1", "--http-port", str(port), *stock)
    command.wait_for("serve.ready")
    for flag in ("--persistence", "--tracing"):
        assert f"settings.ignored flag={flag}" in command.output
    assert "workers=2" in command.output


def test_the_stock_command_line_starts_the_server(start: Callable[..., Command], port: int, tmp_path: Path) -> None:
    """`scorekit microservice` takes seldon-core-microservice's arguments and looks for the class in this folder."""
    (tmp_path / "Doubler.py").write_text(
        "class Doubler:\n    def __init__(self, by=2):\n        self.by = by\n"
        "    def predict(self, X, names):\n        return X * self.by\n"
    )
    stock = ["--service-type", "MODEL", "--persistence", "0", "--workers", "2", "--log-level", "WARNING", "--debug"]
    parameters = ["--parameters", '[{"name":"by","value":"3","type":"INT"}]']
    command = start(
        "microservice",
        "Doubler",
        *stock,
        *parameters,
        *("--http-port", str(port)),
        cwd=tmp_path,
        SCOREKIT_HOST="127.0.0.1",
        SELDON_LOG_LEVEL="INFO",  # the variable wins over the flag there
    )
    command.wait_for("serve.ready")
    assert ask(port, {"data": {"ndarray": [[7]]}})["data"]["ndarray"] == [[21]]


def test_the_stock_command_line_refuses_as_the_stock_does(start: Callable[..., Command], tmp_path: Path) -> None:
    """An API type, which older versions took, is named, with the stock status 255; a bad choice is status 2."""
    command = start("microservice", "Doubler", "REST", "--service-type", "MODEL", cwd=tmp_path)
    assert command.ended() == 255
    assert "Unknown args ['REST']. Note since 1.5.0 this CLI does not take API type (REST, GRPC)" in command.output
    assert start("microservice", "Doubler", "--service-type", "MODELL", cwd=tmp_path).ended() == 2
    assert start("serve", "Doubler", "REST", cwd=tmp_path).ended() == 2


def test_a_payload_is_passed_through(start: Callable[..., Command], port: int, tmp_path: Path) -> None:
    """With PAYLOAD_PASSTHROUGH predict_raw is given the body as it came, and what it returns is sent as it is."""
    (tmp_path / "Raw.py").write_text(
        "class Raw:\n    def predict_raw(self, body):\n        return b'{ \"was\": ' + body + b' }'\n"
    )
    serving(start, port, "Raw", cwd=tmp_path, PAYLOAD_PASSTHROUGH="true")
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/predict", b"[ 1,2 ]", {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        assert (response.read(), response.headers["Content-Type"]) == (b'{ "was": [ 1,2 ] }', "application/json")


def test_a_components_own_service_runs_beside_it(start: Callable[..., Command], port: int, tmp_path: Path) -> None:
    """custom_service() runs in a process of its own, which ends with the server."""
    (tmp_path / "Own.py").write_text(
        "import os, pathlib, time\nclass Own:\n    def predict(self, X, names):\n        return X\n"
        "    def custom_service(self):\n"
        "        pathlib.Path('pid').write_text(str(os.getpid()))\n        time.sleep(60)\n"
    )
    command = serving(start, port, "Own", cwd=tmp_path)
    pid = tmp_path / "pid"
    deadline = time.monotonic() + 10
    while not (pid.exists() and pid.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    service = Path("/proc") / pid.read_text()
    assert int(pid.read_text()) != command.process.pid
    assert service.exists()
    assert command.stop() == 0
    while service.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_metrics_are_read_on_their_port(start: Callable[..., Command], port: int, tmp_path: Path) -> None:
    """The component's own and the server's, of REST and gRPC alike, at the operator's path and nowhere else."""
    (tmp_path / "Counting.py").write_text(
        "class Counting:\n    def predict(self, X, names):\n        return X\n"
        "    def metrics(self):\n        return [{'type': 'COUNTER', 'key': 'asked', 'value': 1}]\n"
    )
    metrics = free_ports("127.0.0.1", 1)[0]
    more = {"PREDICTIVE_UNIT_METRICS_SERVICE_PORT": str(metrics), "PREDICTIVE_UNIT_METRICS_ENDPOINT": "/prometheus"}
    serving(start, port, "Counting", cwd=tmp_path, SELDON_DEPLOYMENT_ID="dep", **more)
    for _ in range(3):
        ask(port, {"data": {"ndarray": [[1]]}})
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        channel.unary_unary("/seldon.protos.Seldon/Predict")(b"\x2a\x01x", timeout=10)
    with urllib.request.urlopen(f"http://127.0.0.1:{metrics}/prometheus", timeout=10) as response:
        lines = response.read().decode().splitlines()
        assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert [line.split()[-1] for line in lines if line.startswith("asked_total{")] == ["4.0"]
    counts = [line for line in lines if line.startswith("seldon_api_executor_server_requests_seconds_count")]
    assert {(line.split('service="')[1].split('"')[0], line.split()[-1]) for line in counts} == {
        ("predictions", "3.0"),
        ("/seldon.protos.Seldon/Predict", "1.0"),
    }
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"http://127.0.0.1:{metrics}/metrics", timeout=10)


def test_the_contract_is_enforced_where_it_is_asked_for(start: Callable[..., Command], port: int) -> None:
    """The example component refuses what contract.json does not describe; `--contract ""` leaves that to the model."""
    command = serving(start, port)
    for row, told in (([1, 2, 3], "expected rows of 2 features"), ([1, 9], "petal_width_cm in row 0: expected")):
        with pytest.raises(urllib.error.HTTPError) as caught:
            ask(port, {"data": {"ndarray": [row]}})
        assert caught.value.code == 400
        assert told in json.load(caught.value)["status"]["info"]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/seldon.json", timeout=10) as response:
        document = json.load(response)
    assert (document["info"]["title"], document["info"]["version"]) == ("MLModel", "0.1")
    example = document["components"]["schemas"]["Request"]["example"]
    assert ask(port, example)["data"]["names"] == ["setosa", "versicolor", "virginica"]
    assert command.stop() == 0

    start("serve", str(COMPONENT), "--contract", "", "--host", "127.0.0.1", "--http-port", str(port)).wait_for("ready")
    assert ask(port, {"data": {"ndarray": [[1, 9]]}})["data"]["ndarray"]


@pytest.mark.parametrize(
    ("content", "told"),
    [(None, "contract.json cannot be read: No such file"), ("{}", "contract.json, line 1: features is missing")],
)
def test_a_contract_that_cannot_be_read_stops_the_start(
    start: Callable[..., Command], port: int, tmp_path: Path, content: str | None, told: str
) -> None:
    """A missing or broken contract file is named before anything listens."""
    (tmp_path / "Any.py").write_text("class Any:\n    def predict(self, X, names): return X\n")
    if content is not None:
        (tmp_path / "contract.json").write_text(content)
    command = start("serve", "Any", "--contract", "contract.json", "--http-port", str(port), cwd=tmp_path)
    assert command.ended() == 1
    assert f"{tmp_path}/{told}" in command.output


def test_every_limit_is_explained(start: Callable[..., Command]) -> None:
    """`--explain` prints each limit with its value and where that comes from, and serves nothing."""
    command = start("serve", str(COMPONENT), "--explain", "--max-in-flight", "7", HEAD_TIMEOUT_S="3")
    assert command.ended() == 0
    rows = {line.split()[0]: line for line in command.lines}
    assert "--max-in-flight" in rows["max_in_flight"]
    assert rows["max_in_flight"].split()[1] == "7"
    assert rows["head_timeout_s"].split()[1:4] == ["3", "s", "HEAD_TIMEOUT_S"]
    assert "default (IDLE_TIMEOUT_S)" in rows["idle_timeout_s"]


def test_overload_is_answered_at_once_and_health_first(
    start: Callable[..., Command], port: int, tmp_path: Path
) -> None:
    """Of forty clients of a model of 0.1 s those beyond the limit hear 503 in an instant; the rest are answered."""
    (tmp_path / "Slow.py").write_text(
        "import time\nclass Slow:\n    def predict(self, X, names):\n        time.sleep(0.1); return X\n"
    )
    serving(start, port, "Slow", cwd=tmp_path, MAX_IN_FLIGHT="5")
    for _ in range(3):
        ask(port, {"data": {"ndarray": [[1]]}})  # by now it is known to be slow
    outcomes: list[tuple[int, float, str | None]] = []

    def client() -> None:
        began = time.monotonic()
        try:
            ask(port, {"data": {"ndarray": [[1]]}})
            outcomes.append((200, time.monotonic() - began, None))
        except urllib.error.HTTPError as error:
            outcomes.append((error.code, time.monotonic() - began, error.headers["Retry-After"]))
            error.close()

    clients = [threading.Thread(target=client) for _ in range(40)]
    for each in clients:
        each.start()
    began = time.monotonic()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/status", timeout=10) as response:
        assert response.status == 200
    health_s = time.monotonic() - began
    for each in clients:
        each.join()
    refused = sorted(seconds for status, seconds, _ in outcomes if status == 503)
    assert len(refused) >= 20
    assert {retry for status, _, retry in outcomes if status == 503} == {"1"}
    assert sum(status == 200 for status, _, _ in outcomes) == 40 - len(refused) >= 5
    assert refused[len(refused) // 2] < 0.5
    assert health_s < 0.5


def test_what_is_too_late_for_the_gateway_is_not_predicted(
    start: Callable[..., Command], port: int, tmp_path: Path
) -> None:
    """A request whose header gives it 50 ms, behind one of half a second, is answered 504, and no call is made."""
    (tmp_path / "Slow.py").write_text(
        "import time\nclass Slow:\n    def predict(self, X, names):\n"
        "        print('predicting', X.tolist(), flush=True); time.sleep(0.5); return X\n"
    )
    command = serving(start, port, "Slow", cwd=tmp_path)
    ask(port, {"data": {"ndarray": [[1]]}})
    first = threading.Thread(target=ask, args=(port, {"data": {"ndarray": [[2]]}}))
    first.start()
    command.wait_for("predicting [[2]]")
    headers = {"Content-Type": "application/json", "x-envoy-expected-rq-timeout-ms": "50"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/predict", b'{"data":{"ndarray":[[3]]}}', headers)
    with pytest.raises(urllib.error.HTTPError, match="504") as caught:
        urllib.request.urlopen(request, timeout=10)
    caught.value.close()
    first.join()
    assert "predicting [[3]]" not in command.output
