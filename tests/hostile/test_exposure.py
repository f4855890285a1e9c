"""What the server reveals and what it accepts: routes, serialized code, error texts, log lines, keys."""

import ast
import json
import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scorekit.cli.logs import EscapingFormatter, escaped
from scorekit.errors import SetupError
from scorekit.serve.guard.api_keys import ApiKeys, load_keys, parse_keys
from scorekit.serve.observe.access_log import line
from scorekit.serve.observe.finished import FinishedRequest
from scorekit.serve.rest import RestRoutes
from scorekit.serve.trace import trace

from ..serve.conftest import Wire, start, wire  # noqa: F401  fixtures
from . import http1, test_calls, test_codec, test_gateway, test_http1, test_http2
from .kinds import KINDS

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "scorekit"

ROUTES = {
    *("/predict", "/api/v0.1/predictions", "/api/v1.0/predictions"),
    *("/send-feedback", "/api/v0.1/feedback", "/api/v1.0/feedback"),
    *("/transform-input", "/transform-output", "/route", "/aggregate"),
    *("/health/ping", "/health/status", "/api/v1.0/health/status"),
    *("/metadata", "/api/v1.0/metadata", "/seldon.json"),
}


def test_there_are_no_routes_but_these(wire: Wire) -> None:  # noqa: F811  the fixture
    """No route loads models, changes settings, profiles or shows files."""
    assert isinstance(wire._handler, RestRoutes)
    assert {path.decode() for path in wire._handler._routes} == ROUTES


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/",
            "/metrics",
            "/admin",
            "/debug",
            "/debug/pprof",
            "/quitquitquit",
            "/stats",
            "/config",
            "/models",
            "/reload",
        ),
        *("/reload", "/PREDICT", "//predict", "/predict/", "/predict/.."),
        *("/v2/repository/models/x/load", "/pause", "/unpause", "/static/../../etc/passwd", "/..%2f..%2fetc/passwd"),
        *(
            "/.env",
            "/.s2i/environment",
            "/MLModel.py",
            "/contract.json",
            "//predict",
            "/predict/",
            "/predict/..",
            "/PREDICT",
        ),
    ],
)
def test_nothing_else_is_there(wire: Wire, path: str) -> None:  # noqa: F811  the fixture
    """An unknown path gets a 404 in our envelope that repeats nothing but the path."""
    ((status, _, body),) = wire.client().send(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()).receive()
    assert status == 404
    assert json.loads(body)["status"]["info"] == f"404 Not Found: no route {path}"


# What runs code that it reads, and what would.
SERIALIZERS = {"pickle", "cPickle", "_pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}
SERIALIZERS |= {"multiprocessing"}
CALLS = {
    "eval",
    "exec",
    "compile",
    "__import__",
    "send_pyobj",
    "recv_pyobj",
    "allow_pickle",
    "unsafe_load",
    "full_load",
}
NAMED = {"compile", "exec"}  # re.compile is no sin, and a kubeconfig's user has a field `exec`


def sins(text: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names} & SERIALIZERS
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found |= {(node.module or "").split(".")[0]} & SERIALIZERS
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            found |= {node.func.id} & CALLS
        elif isinstance(node, ast.Attribute):
            found |= {node.attr} & (CALLS - NAMED)
        elif isinstance(node, ast.keyword):
            found |= {node.arg or ""} & (CALLS - NAMED)
    return found


def test_no_source_reads_pickles_or_evaluates_text() -> None:
    """No module of ours imports a serializer that can run code, or evaluates text."""
    found = {str(path.relative_to(SOURCE)): sins(path.read_text()) for path in SOURCE.rglob("*.py")}
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize("text", ["import pickle", "from joblib import load", "eval('1')", "f(allow_pickle=1)"])
def test_the_scan_can_fail(text: str) -> None:
    """The scan finds what it looks for."""
    assert sins(text)


WATCHED = """
import pickle, sys
def never(*arguments, **named):
    raise SystemExit("pickle was used")
for name in ("load", "loads", "dump", "dumps", "Pickler", "Unpickler"):
    setattr(pickle, name, never)
import _pickle
for name in ("load", "loads", "dump", "dumps"):
    setattr(_pickle, name, never)
from scorekit.cli import main
sys.exit(main())
"""


@pytest.mark.e2e
def test_a_server_in_which_pickle_is_broken_serves(tmp_path: Path) -> None:
    """Start-up, two workers, every form of request, metrics across processes and a drain work without pickle."""
    from ..e2e.conftest import ANY_PORTS
    from ..e2e.test_serve import ask
    from ..ports import free_ports

    (tmp_path / "Same.py").write_text(
        "class Same:\n    def predict(self, X, names):\n        return X\n"
        "    def send_feedback(self, X, names, reward, truth, routing=None):\n        pass\n"
    )
    (tmp_path / "run.py").write_text(WATCHED)
    port, metrics = free_ports("127.0.0.1", 2)
    import os
    import time
    import urllib.request

    environ = {**os.environ, **ANY_PORTS, "PREDICTIVE_UNIT_METRICS_SERVICE_PORT": str(metrics)}
    command = [sys.executable, "run.py", "serve", "Same", "--host", "127.0.0.1", "--http-port", str(port)]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen([*command, "--workers", "2"], cwd=tmp_path, env=environ, stderr=log, stdout=log)
    try:
        deadline = time.monotonic() + 60
        while "serve.ready" not in (tmp_path / "log").read_text():
            assert process.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        for body in ({"data": {"ndarray": [[1]]}}, {"strData": "a"}, {"binData": "AA=="}, {"jsonData": [1]}):
            ask(port, body)
        feedback = urllib.request.Request(
            f"http://127.0.0.1:{port}/send-feedback", b'{"reward":1}', {"Content-Type": "application/json"}
        )
        urllib.request.urlopen(feedback, timeout=10).close()
        with urllib.request.urlopen(f"http://127.0.0.1:{metrics}/metrics", timeout=10) as page:
            assert b"requests_seconds" in page.read()
    finally:
        process.terminate()
        assert process.wait(60) == 0, (tmp_path / "log").read_text()
    assert "pickle was used" not in (tmp_path / "log").read_text()


def test_an_internal_error_reveals_only_a_reference(wire: Wire, caplog: pytest.LogCaptureFixture) -> None:  # noqa: F811
    """An internal error answers with a reference, and the log has the exception under it."""

    def broken(*arguments: Any) -> None:
        raise RuntimeError("a secret of /etc")

    wire._handler._routes[b"/predict"] = (("POST",), broken, "predictions")  # type: ignore[attr-defined]
    request = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
    with caplog.at_level(logging.ERROR):
        ((status, _, body),) = wire.client().send(request).receive()
    info = json.loads(body)["status"]["info"]
    assert status == 500
    assert info.startswith("internal error; the server's log has the details under ")
    assert info.rpartition(" ")[2] in caplog.text
    assert "a secret of /etc" in caplog.text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ü 漢", "plain ü 漢"),
        ("a\nb", "a\\nb"),
        ("a\r\nb", "a\\r\\nb"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\x00\x07\x7f\x9b", "\\x00\\x07\\x7f\\x9b"),
        ("a\u2028b\u202e", "a\\u2028b\\u202e"),
        ("\ud800", "\\ud800"),
        ("tab\tstays", "tab\tstays"),
    ],
)
def test_log_lines_are_lines(text: str, shown: str) -> None:
    """Characters that could end a line, move a cursor or reverse text are escaped in the log."""
    assert escaped(text) == shown
    record = logging.LogRecord("n", logging.INFO, "", 0, "event cause=%s", (text,), None)
    assert EscapingFormatter("%(levelname)s %(message)s").format(record) == f"INFO event cause={shown}"


def test_tracebacks_are_set_off() -> None:
    """Every line of a traceback begins as no log record does, even if the error's own text has several lines."""
    try:
        raise ValueError("x\n2026 ERROR forged")
    except ValueError:
        record = logging.LogRecord("n", logging.ERROR, "", 0, "failed", (), sys.exc_info())
    first, *rest = EscapingFormatter("%(levelname)s %(message)s").format(record).splitlines()
    assert first == "ERROR failed"
    assert rest
    assert all(each.startswith("  | ") for each in rest)


def test_an_access_log_line_is_one_line_of_json() -> None:
    """The access log writes one line of JSON, whatever a client sends as method, path, trace or address."""
    parsed = trace({b"traceparent": b"00-" + b"1" * 32 + b"-" + b"2" * 16 + b"-01"})
    path = b'/a"\n\r\0\xff' + b"x" * 900
    seen = FinishedRequest(
        protocol='G"\n',
        method="\x1b",
        path=path,
        status=200,
        grpc_status=3,
        began=0.0,
        seconds=0.0125,
        in_bytes=1,
        out_bytes=2,
        peer="[::1]:5",
        trace=parsed,
        reference="ref",
    )
    text = line(seen)
    assert text.count(b"\n") == 1
    assert text.isascii()
    assert all(byte >= 0x20 for byte in text[:-1])
    entry = json.loads(text)
    assert entry["path"].startswith('/a"\\n\\r\\x00\\xff')
    assert (entry["status"], entry["grpc_status"], entry["ms"], entry["reference"]) == (200, 3, 12.5, "ref")
    assert entry["time"] == "1970-01-01T00:00:00.000+00:00"
    assert (entry["trace_id"], entry["span_id"]) == ("1" * 32, "2" * 16)


def test_keys_are_read_from_lines_and_commas() -> None:
    """Comments and blank lines are ignored, and a text without keys is an error."""
    assert parse_keys("# a comment\n a \n\nb,c\r\n#d") == ["a", "b", "c"]
    assert load_keys("", "") == []
    for nothing in (" ", "#"):
        with pytest.raises(SetupError):
            load_keys("", nothing)


def test_every_key_is_compared_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A valid first key costs as many comparisons as an invalid one, all by hmac, of digests of one length."""
    compared: list[tuple[bytes, bytes]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return one == other

    monkeypatch.setattr("scorekit.serve.guard.api_keys.hmac.compare_digest", compare)
    keys = ApiKeys(["first", "second", "third"])
    for sent, good in ((b"first", True), (b"third", True), (b"x", False), (b"first" * 1000, False)):
        compared.clear()
        assert keys.allow({b"x-api-key": sent}) is good
        assert len(compared) == 3
        assert {len(each) for pair in compared for each in pair} == {32}


ELSEWHERE: dict[str, Callable[..., None]] = {
    "A head that does not arrive": test_http1.test_a_client_that_does_not_finish_its_request_gets_a_408,
    "A client that does not read": test_http1.test_a_client_that_does_not_read_is_cut_off,
    "A connection without a request": test_http1.test_an_idle_connection_is_closed,
    "More than 4096": test_http1.test_a_connection_above_the_limit_is_closed_at_once,
    "More than 100 connections": test_http1.test_the_metrics_page_has_a_limit_of_connections,
    "Requests that offer": test_http1.test_many_offers_of_another_protocol_are_declined_one_by_one,
    "Thousands of small requests": test_http1.test_only_a_few_pipelined_requests_are_under_way,
    "More bytes of request bodies": test_http1.test_a_worker_holds_a_bounded_number_of_request_bytes,
    "A compressed body": test_codec.test_a_compressed_body_is_refused_unread,
    "Forms and queries": test_codec.test_a_form_takes_little_more_memory_than_its_bytes,
    "gRPC messages": test_calls.test_a_malformed_message_ends_its_call_with_a_status,
    "gRPC calls of many": test_calls.test_reflection_stops_when_its_answers_are_not_read,
    "A second message on": test_calls.test_a_watch_takes_one_message,
    "HTTP/2: requests or answers": test_http2.test_unread_answers_are_dropped_above_the_limit,
    "HTTP/2: a frame head": test_http2.test_a_connection_that_is_closing_can_be_checked_again,
    "HTTP/2: streams that stop": test_http2.test_a_stream_that_stops_in_the_middle_is_reset_and_others_are_not,
}


def test_every_kind_has_cases() -> None:
    """Every row of the table in the documentation has cases."""
    tried = {case.kind for cases in (http1.CASES, test_http2.CASES, test_codec.CASES) for case in cases}
    for start_ in ELSEWHERE:
        tried |= {kind for kind in KINDS if kind.startswith(start_)}
    assert tried == set(KINDS)
    assert test_gateway.TABLE


def test_the_documentation_has_the_same_table() -> None:
    """The table in docs/robustness.md equals the one that the cases use."""
    text = (ROOT / "docs" / "robustness.md").read_text()
    section = text.partition("## Hostile input")[2].partition("\n## ")[0]
    rows = [row.strip("|").split(" | ") for row in section.splitlines() if row.startswith("| ")]
    assert {kind.strip(): answer.strip() for kind, answer in rows[1:]} == KINDS
