"""API keys, TLS, the access log, traces and spans, on a server started by the command."""

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
    """``scorekit serve`` with all of these features on."""

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
        """Replace the key and the certificate, in this order, by the pair called ``pair``."""
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
        response = answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        connection.close()
        return response

    def logged(self, text: str) -> dict[str, Any]:
        """Wait for a line of the access log that contains ``text``, and return it."""
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
def test_a_valid_key_is_accepted(server: Server, headers: dict[str, str]) -> None:
    """Each key of the file is accepted, in either header."""
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
def test_a_request_without_a_valid_key_is_refused(server: Server, headers: dict[str, str], path: str) -> None:
    """The answer is 401 and says how to send a key, on every path, existing or not."""
    status, answered, body = server.ask(path, headers=headers)
    assert status == 401
    assert answered["www-authenticate"] == "Bearer"
    assert b"X-API-Key" in body


def test_health_needs_no_key(server: Server, channel: grpc.Channel) -> None:
    """Health checks over REST and gRPC need no key; the metrics port has neither keys nor TLS."""
    assert server.ask("/health/ping", b"")[0] == 200
    assert server.ask("/health/status", b"")[0] == 200
    assert channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=20) == b"\x08\x01"
    connection = http.client.HTTPConnection("127.0.0.1", server.metrics, timeout=10)
    connection.request("GET", "/metrics")
    assert b'code="401"' in connection.getresponse().read()
    connection.close()


def test_grpc_calls_carry_keys_as_metadata(channel: grpc.Channel) -> None:
    """The metadata have the names of the headers; without a valid key the status is UNAUTHENTICATED."""
    assert code_of(channel, ("x-api-key", "blue")) is grpc.StatusCode.OK
    assert code_of(channel, ("authorization", "Bearer green")) is grpc.StatusCode.OK
    assert code_of(channel) is grpc.StatusCode.UNAUTHENTICATED
    assert code_of(channel, ("x-api-key", "red")) is grpc.StatusCode.UNAUTHENTICATED


def test_no_key_is_visible(server: Server) -> None:
    """Keys are neither in the log nor among the arguments of a process."""
    server.ask(key="blue")
    server.ask(key="a-bad-one")
    for secret in ("blue", "green", "a-bad-one"):
        assert secret not in server.command.output
        assert all(secret not in arguments for _, arguments in server.command.descendants())


@pytest.mark.parametrize(("offered", "agreed"), [("h2", "h2"), ("http/1.1", "http/1.1"), ("h2 http/1.1", "http/1.1")])
def test_both_protocols_are_negotiated(server: Server, offered: str, agreed: str) -> None:
    """A client that offers both, as curl does, gets HTTP/1.1, which is REST; TLS is at least 1.2."""
    with server.connect(*offered.split()) as line:
        assert line.selected_alpn_protocol() == agreed
        assert line.version() in ("TLSv1.2", "TLSv1.3")


def test_a_client_without_tls_is_not_answered(server: Server) -> None:
    """A connection with plain HTTP to a TLS port is closed, and the next client is served."""
    with socket.create_connection(("127.0.0.1", server.port), 10) as line, contextlib.suppress(ConnectionError):
        line.sendall(b"GET /health/ping HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"HTTP" not in line.recv(100)
    assert server.ask("/health/ping", b"")[0] == 200


def test_a_trace_is_returned_and_logged(server: Server, channel: grpc.Channel) -> None:
    """``traceparent`` and ``tracestate`` are returned unchanged, and the access log names the trace."""
    _, answered, _ = server.ask("/api/v1.0/predictions", key="blue", headers=TRACED)
    assert {name: answered[name] for name in TRACED} == TRACED
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
def test_a_malformed_trace_is_ignored(server: Server, bad: str) -> None:
    """A malformed ``traceparent`` is not returned, nor is the ``tracestate`` beside it."""
    status, answered, _ = server.ask(key="blue", headers={"traceparent": bad, "tracestate": "a=b"})
    assert status == 200
    assert "traceparent" not in answered
    assert "tracestate" not in answered


def test_a_model_cannot_forge_a_log_line(server: Server) -> None:
    """Line ends and escapes in a model's error do not start a log line; the client gets a reference to the log only."""
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


def test_a_client_cannot_forge_a_log_line(server: Server) -> None:
    """A path in the log is printable and short, whatever bytes the client has sent."""
    server.ask("/predict%0a%1b[2J" + "a" * 5000, key="blue")
    with server.connect() as line:
        line.sendall(b"GET /\x1b[31m\xff HTTP/1.1\r\nHost: x\r\n\r\n")
        assert line.recv(100).startswith(b"HTTP/1.1 400 ")
    assert len(server.logged("%0a%1b[2J")["path"]) == 200
    assert server.command.output.isascii()


def test_spans_reach_the_collector(server: Server, channel: grpc.Channel, collector: Collector) -> None:
    """Each request over REST or gRPC makes a span, a child of the caller's, with the attributes of the conventions."""
    server.ask("/api/v0.1/predictions", key="blue", headers=TRACED)
    predict(channel, ("x-api-key", "blue"), *TRACED.items())
    wanted = {"POST /api/v0.1/predictions", "seldon.protos.Model/Predict"}
    deadline = time.monotonic() + 60
    while not wanted <= {span["name"] for span in collector.spans}:
        assert time.monotonic() < deadline, [span["name"] for span in collector.spans]
        time.sleep(0.05)
    spans = {span["name"]: span for span in collector.spans if span.get("parentSpanId")}
    for name in wanted:
        assert spans[name]["traceId"] == TRACE
        assert spans[name]["parentSpanId"] == PARENT
        assert spans[name]["kind"] == 2
        assert int(spans[name]["endTimeUnixNano"]) >= int(spans[name]["startTimeUnixNano"])
    attributes = flat(spans["POST /api/v0.1/predictions"]["attributes"])
    assert attributes["http.request.method"] == "POST"
    assert attributes["http.route"] == attributes["url.path"] == "/api/v0.1/predictions"
    assert int(attributes["http.response.status_code"]) == 200
    attributes = flat(spans["seldon.protos.Model/Predict"]["attributes"])
    call = (attributes["rpc.system"], attributes["rpc.service"], attributes["rpc.method"])
    assert call == ("grpc", "seldon.protos.Model", "Predict")
    assert int(attributes["rpc.grpc.status_code"]) == 0
    assert collector.resources[0]["service.name"] == "careless-model"


def test_keys_and_certificates_are_replaced_while_it_serves(server: Server) -> None:
    """New files are loaded within seconds, a broken one is not, and no connection is closed."""
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


def test_an_unreachable_collector_does_no_harm(start: Callable[..., Command], port: int, tmp_path: Path) -> None:
    """Spans are lost, requests are answered, and the server does not wait for the collector when it stops."""
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
def test_a_server_that_cannot_be_protected_does_not_start(
    start: Callable[..., Command], tmp_path: Path, flags: tuple[str, ...], words: str
) -> None:
    """With a missing or broken key or certificate the server does not start, and says why."""
    (tmp_path / "Careless.py").write_text(MODEL)
    (tmp_path / "empty").write_text("# none yet\n")
    (tmp_path / "keys").write_text("secret\n")
    command = start("serve", "Careless", "--http-port", "0", *flags, cwd=tmp_path)
    assert command.ended() == 1
    assert words in command.output
    assert "Traceback" not in command.output
    assert "secret" not in command.output
