"""Keys, TLS, the access log, traces and spans, on a server as a person starts it."""

import contextlib
import http.client
import http.server
import json
import shutil
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import grpc
import pytest

from scorekit.codec import proto
from scorekit.codec.json import decode

from ..ports import free_ports
from .conftest import ROOT, Command

pytestmark = pytest.mark.e2e

PAIRS = ROOT / "tests" / "data" / "tls"
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACED = {"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": "vendor=value"}
MODEL = r"""
class Careless:
    def predict(self, X, names):
        if isinstance(X, str):
            raise ValueError("no\n2026-01-01 00:00:00,000 ERROR scorekit forged \x1b[2J" + X)
        return X
"""
JSON = {"Content-Type": "application/json"}
ROWS = b'{"data":{"ndarray":[[1.0,2.0]]}}'


class Collector:
    """An OTLP receiver over HTTP."""

    def __init__(self) -> None:
        self.spans: list[dict[str, Any]] = []
        self.resources: list[dict[str, Any]] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                for group in body["resourceSpans"]:
                    outer.resources.append(flat(group["resource"]["attributes"]))
                    outer.spans += [span for scope in group["scopeSpans"] for span in scope["spans"]]
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *arguments: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def flat(attributes: list[dict[str, Any]]) -> dict[str, Any]:
    return {each["key"]: next(iter(each["value"].values())) for each in attributes}


class Server:
    """``scorekit serve`` with everything on."""

    def __init__(self, folder: Path, start: Callable[..., Command], collector: int) -> None:
        self.folder = folder
        (folder / "Careless.py").write_text(MODEL)
        self.keys = folder / "keys"
        self.keys.write_text("# of the blue team\nblue\n\ngreen\n")
        self.put("first")
        self.port, self.metrics = free_ports("127.0.0.1", 2)
        self.command = start(
            *("serve", "Careless", "--host", "127.0.0.1", "--http-port", str(self.port), "--access-log"),
            *("--tls-cert", "tls.pem", "--tls-key", "tls.key", "--api-key-file", "keys"),
            cwd=folder,
            PREDICTIVE_UNIT_METRICS_SERVICE_PORT=str(self.metrics),
            OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{collector}",
            OTEL_SERVICE_NAME="careless-model",
            OTEL_BSP_SCHEDULE_DELAY="100",
        )
        self.command.wait_for("serve.ready")

    def put(self, pair: str) -> None:
        """Serve with another certificate from now on: the key first, as the file that is there must fit it."""
        for suffix in ("key", "pem"):
            fresh = self.folder / f"fresh.{suffix}"
            shutil.copy(PAIRS / f"{pair}.{suffix}", fresh)
            fresh.replace(self.folder / f"tls.{suffix}")

    def connect(self, *alpn: str) -> ssl.SSLSocket:
        context = ssl.create_default_context(cafile=str(PAIRS / "first.pem"))
        context.load_verify_locations(PAIRS / "second.pem")
        context.set_alpn_protocols(alpn or ["http/1.1"])
        return context.wrap_socket(socket.create_connection(("127.0.0.1", self.port), 10), server_hostname="localhost")

    def ask(
        self, path: str = "/predict", body: bytes = ROWS, headers: Mapping[str, str] | None = None, key: str = ""
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.sock = self.connect()
        named = {**JSON, **({"X-API-Key": key} if key else {}), **(headers or {})}
        connection.request("POST" if body else "GET", path, body or None, named)
        answer = connection.getresponse()
        told = answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        connection.close()
        return told

    def logged(self, text: str) -> dict[str, Any]:
        """The line of the access log that has ``text``, once there is one."""
        self.command.wait_for(text)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            for line in self.command.output.splitlines():
                if text in line and line.startswith("{"):
                    return dict(json.loads(line))
            time.sleep(0.01)
        raise AssertionError(f"no access log line with {text}")


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    made = Collector()
    yield made
    made.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> Iterator[Server]:
    started: list[Command] = []

    def start(*arguments: str, **more: Any) -> Command:
        started.append(Command(*arguments, **more))
        return started[-1]

    yield Server(tmp_path_factory.mktemp("doors"), start, collector.port)
    for command in started:
        command.close()


@pytest.fixture(scope="module")
def channel(server: Server) -> Iterator[grpc.Channel]:
    credentials = grpc.ssl_channel_credentials((PAIRS / "first.pem").read_bytes() + (PAIRS / "second.pem").read_bytes())
    made = grpc.secure_channel(f"127.0.0.1:{server.port}", credentials)
    yield made
    made.close()


def predict(channel: grpc.Channel, *metadata: tuple[str, str]) -> tuple[bytes, dict[str, Any]]:
    body, call = channel.unary_unary("/seldon.protos.Model/Predict").with_call(
        proto.encode(decode(ROWS)), metadata=metadata, timeout=20
    )
    return body, dict(call.initial_metadata())


def code_of(channel: grpc.Channel, *metadata: tuple[str, str]) -> grpc.StatusCode:
    try:
        predict(channel, *metadata)
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK


@pytest.mark.parametrize("headers", [{"X-API-Key": "blue"}, {"Authorization": "Bearer green"}, {"X-Api-Key": "green"}])
def test_a_good_key_is_let_in(server: Server, headers: dict[str, str]) -> None:
    """Any of the file's keys, in either header."""
    assert server.ask(headers=headers)[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-API-Key": "red"},
        {"X-API-Key": ""},
        {"X-API-Key": "blue,green"},
        {"X-API-Key": "# of the blue team"},
        {"Authorization": "Basic Ymx1ZQ=="},
        {"Authorization": "Bearer"},
        {"Authorization": "blue"},
        {"Authorization": "Bearer blu"},
    ],
)
@pytest.mark.parametrize("path", ["/predict", "/metadata", "/seldon.json", "/nowhere"])
def test_no_key_or_a_bad_one_is_kept_out(server: Server, headers: dict[str, str], path: str) -> None:
    """401, with the way to do it, before anything else is told."""
    status, told, body = server.ask(path, headers=headers)
    assert status == 401
    assert told["www-authenticate"] == "Bearer"
    assert b"X-API-Key" in body


def test_health_needs_no_key(server: Server, channel: grpc.Channel) -> None:
    """Kubelets have none, over REST nor over gRPC; the metrics have a port of their own, in the clear."""
    assert server.ask("/health/ping", b"")[0] == 200
    assert server.ask("/health/status", b"")[0] == 200
    assert channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=20) == b"\x08\x01"
    connection = http.client.HTTPConnection("127.0.0.1", server.metrics, timeout=10)
    connection.request("GET", "/metrics")
    assert b'code="401"' in connection.getresponse().read()
    connection.close()


def test_grpc_takes_keys_as_metadata(channel: grpc.Channel) -> None:
    """The same names; without one, UNAUTHENTICATED."""
    assert code_of(channel, ("x-api-key", "blue")) is grpc.StatusCode.OK
    assert code_of(channel, ("authorization", "Bearer green")) is grpc.StatusCode.OK
    assert code_of(channel) is grpc.StatusCode.UNAUTHENTICATED
    assert code_of(channel, ("x-api-key", "red")) is grpc.StatusCode.UNAUTHENTICATED


def test_the_key_is_seen_nowhere(server: Server) -> None:
    """Neither in the log nor among the arguments of a process."""
    server.ask(key="blue")
    server.ask(key="a-bad-one")
    for secret in ("blue", "green", "a-bad-one"):
        assert secret not in server.command.output
        assert all(secret not in arguments for _, arguments in server.command.descendants())


@pytest.mark.parametrize(("offered", "agreed"), [("h2", "h2"), ("http/1.1", "http/1.1"), ("h2 http/1.1", "http/1.1")])
def test_both_protocols_are_agreed_upon(server: Server, offered: str, agreed: str) -> None:
    """Who offers both, as curl does, speaks HTTP/1.1, which is REST; nothing older than TLS 1.2 is spoken."""
    with server.connect(*offered.split()) as line:
        assert line.selected_alpn_protocol() == agreed
        assert line.version() in ("TLSv1.2", "TLSv1.3")


def test_who_speaks_no_tls_is_not_answered(server: Server) -> None:
    """Plain HTTP to an encrypted port ends, and the next client is served."""
    with socket.create_connection(("127.0.0.1", server.port), 10) as line, contextlib.suppress(ConnectionError):
        line.sendall(b"GET /health/ping HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"HTTP" not in line.recv(100)
    assert server.ask("/health/ping", b"")[0] == 200


def test_a_trace_comes_back_and_is_logged(server: Server, channel: grpc.Channel) -> None:
    """``traceparent`` and ``tracestate`` are answered as they came, and the access log names the trace."""
    _, told, _ = server.ask("/api/v1.0/predictions", key="blue", headers=TRACED)
    assert {name: told[name] for name in TRACED} == TRACED
    line = server.logged('"/api/v1.0/predictions"')
    assert (line["trace_id"], line["span_id"], line["status"], line["method"]) == (TRACE, PARENT, 200, "POST")
    assert line["in_bytes"] == len(ROWS)
    assert line["ms"] >= 0
    assert line["peer"].startswith("127.0.0.1:")
    _, metadata = predict(channel, ("x-api-key", "blue"), *TRACED.items())
    assert {name: metadata[name] for name in TRACED} == TRACED
    line = server.logged('"/seldon.protos.Model/Predict"')
    assert line["protocol"] == "HTTP/2"


@pytest.mark.parametrize(
    "bad", ["00-0-0-01", f"ff-{TRACE}-{PARENT}-01", f"00-{'0' * 32}-{PARENT}-01", f"00-{TRACE.upper()}-{PARENT}-01"]
)
def test_a_trace_that_is_none_is_passed_over(server: Server, bad: str) -> None:
    """What is malformed is not answered, and neither is the state beside it."""
    status, told, _ = server.ask(key="blue", headers={"traceparent": bad, "tracestate": "a=b"})
    assert status == 200
    assert "traceparent" not in told
    assert "tracestate" not in told


def test_what_a_model_says_forges_no_log_line(server: Server) -> None:
    """Line ends and escapes of a model's error stay on their line; caller and log have one reference, and no more."""
    status, _, body = server.ask("/predict", b'{"strData":"x\\u0007y"}', key="blue", headers=TRACED)
    assert status == 500
    info = json.loads(body)["status"]["info"]
    assert "forged" not in info
    reference = info.rpartition(" ")[2]
    assert server.logged(reference)["status"] == 500
    server.command.wait_for(f"component.failed id={reference}")
    server.command.wait_for(f"id={reference} trace_id={TRACE}")
    forged = [line for line in server.command.output.splitlines() if "forged" in line]
    assert forged
    assert all(line.startswith("  | ") for line in forged)
    assert "\x1b" not in server.command.output
    assert "\x07" not in server.command.output


def test_what_a_client_sends_forges_no_log_line(server: Server) -> None:
    """A path in the log is printable, whatever its bytes were meant to be, and short."""
    server.ask("/predict%0a%1b[2J" + "a" * 5000, key="blue")
    with server.connect() as line:
        line.sendall(b"GET /\x1b[31m\xff HTTP/1.1\r\nHost: x\r\n\r\n")
        assert line.recv(100).startswith(b"HTTP/1.1 400 ")
    assert len(server.logged("%0a%1b[2J")["path"]) == 200
    assert server.command.output.isascii()


def test_spans_reach_the_collector(server: Server, channel: grpc.Channel, collector: Collector) -> None:
    """One a request, REST and gRPC, children of the caller's, by the conventions."""
    server.ask("/api/v0.1/predictions", key="blue", headers=TRACED)
    predict(channel, ("x-api-key", "blue"), *TRACED.items())
    wanted = {"POST /api/v0.1/predictions", "seldon.protos.Model/Predict"}
    deadline = time.monotonic() + 60
    while not wanted <= {span["name"] for span in collector.spans}:
        assert time.monotonic() < deadline, [span["name"] for span in collector.spans]
        time.sleep(0.05)
    found = {span["name"]: span for span in collector.spans if span.get("parentSpanId")}
    for name in wanted:
        assert found[name]["traceId"] == TRACE
        assert found[name]["parentSpanId"] == PARENT
        assert found[name]["kind"] == 2
        assert int(found[name]["endTimeUnixNano"]) >= int(found[name]["startTimeUnixNano"])
    told = flat(found["POST /api/v0.1/predictions"]["attributes"])
    assert told["http.request.method"] == "POST"
    assert told["http.route"] == told["url.path"] == "/api/v0.1/predictions"
    assert int(told["http.response.status_code"]) == 200
    told = flat(found["seldon.protos.Model/Predict"]["attributes"])
    assert (told["rpc.system"], told["rpc.service"], told["rpc.method"]) == ("grpc", "seldon.protos.Model", "Predict")
    assert int(told["rpc.grpc.status_code"]) == 0
    assert collector.resources[0]["service.name"] == "careless-model"


def test_keys_and_certificates_are_replaced_while_it_serves(server: Server) -> None:
    """New files are taken over within seconds, a broken one is not, and nobody is cut off."""
    with server.connect() as line:
        before = line.getpeercert()
    server.keys.write_text("")
    server.command.wait_for("reload.failed")
    assert server.ask(key="blue")[0] == 200
    server.keys.write_text("violet\n")
    server.command.wait_for("reload.done files=keys")
    assert server.ask(key="violet")[0] == 200
    assert server.ask(key="blue")[0] == 401
    server.put("second")
    server.command.wait_for("reload.done files=tls.pem,tls.key")
    with server.connect() as line:
        assert line.getpeercert() != before


def test_a_collector_that_is_away_harms_nobody(start: Callable[..., Command], port: int, tmp_path: Path) -> None:
    """Spans are lost, requests are answered, and the end is not waited for."""
    (tmp_path / "Careless.py").write_text(MODEL)
    nowhere = free_ports("127.0.0.1", 1)[0]
    command = start(
        *("serve", "Careless", "--host", "127.0.0.1", "--http-port", str(port)),
        cwd=tmp_path,
        OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{nowhere}",
        OTEL_BSP_SCHEDULE_DELAY="50",
    )
    command.wait_for("serve.ready")
    for _ in range(20):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("POST", "/predict", ROWS, JSON)
        assert connection.getresponse().status == 200
        connection.close()
    began = time.monotonic()
    assert command.stop() == 0
    assert time.monotonic() - began < 15


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--tls-cert", "tls.pem"), "both a certificate"),
        (("--tls-cert", "none.pem", "--tls-key", "none.key"), "No such file"),
        (("--tls-cert", "keys", "--tls-key", "keys"), "cannot be used"),
        (("--api-key-file", "none"), "cannot be read"),
        (("--api-key-file", "empty"), "contains no API key"),
    ],
)
def test_what_cannot_be_closed_is_not_opened(
    start: Callable[..., Command], tmp_path: Path, flags: tuple[str, ...], words: str
) -> None:
    """A key or certificate that is missing or broken ends the start with its reason, not an open server."""
    (tmp_path / "Careless.py").write_text(MODEL)
    (tmp_path / "empty").write_text("# none yet\n")
    (tmp_path / "keys").write_text("secret\n")
    command = start("serve", "Careless", "--http-port", "0", *flags, cwd=tmp_path)
    assert command.ended() == 1
    assert words in command.output
    assert "Traceback" not in command.output
    assert "secret" not in command.output
