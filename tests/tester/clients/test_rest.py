"""The REST client against servers that answer, hang, drop and speak TLS."""

import contextlib
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from scorekit.errors import SetupError
from scorekit.tester.clients.address import parse
from scorekit.tester.clients.rest import RestClient
from scorekit.tester.wire import Ask, NoAnswer, Unreachable, Unsendable

from ...ports import free_ports

ASK = Ask({"data": {"ndarray": [[1]]}})


class Server(ThreadingHTTPServer):
    """Answers 200 with ``answer``; the behaviours below by name."""

    daemon_threads = True
    behaviour = "answer"
    connections = 0

    def process_request(self, request, client_address) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        self.connections += 1
        super().process_request(request, client_address)

    def handle_error(self, request, client_address) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        """A client that speaks another protocol, or leaves, is what some tests are about."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.behaviour == "hang":
            released.wait(5)
        elif self.server.behaviour == "drop":
            self.close_connection = True
        elif self.server.behaviour == "noise":
            self.wfile.write(b"220 mail.example SMTP\r\n")
            self.close_connection = True
        else:
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")
            self.close_connection = self.server.behaviour == "close"

    def log_message(self, format: str, *args: object) -> None:
        pass


released = threading.Event()


@contextlib.contextmanager
def serving(server: Server) -> Iterator[int]:
    released.clear()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        released.set()
        server.shutdown()
        thread.join()
        server.server_close()


def client(port: int, timeout_s: float = 5, scheme: str = "http", authorities: str | None = None) -> RestClient:
    return RestClient(parse(f"{scheme}://127.0.0.1:{port}"), timeout_s, authorities)


def test_requests_share_a_connection_and_outlive_one_that_was_closed() -> None:
    """Three requests take one connection; a connection that the server closed while idle is opened again."""
    server = Server(("127.0.0.1", 0), Handler)
    with serving(server) as port, contextlib.closing(client(port)) as asking:
        assert [asking.send(ASK).status for _ in range(3)] == [200] * 3
        assert server.connections == 1
        server.behaviour = "close"
        assert [asking.send(ASK).status for _ in range(2)] == [200] * 2


@pytest.mark.parametrize(
    ("behaviour", "told", "hung"),
    [
        ("hang", "no answer within 0.2 s", True),
        ("drop", "the server closed the connection without an answer", False),
        ("noise", "the answer is not HTTP", False),
    ],
)
def test_a_request_without_an_answer_ends(behaviour: str, told: str, hung: bool) -> None:
    """A server that holds, drops or garbles is told as a finding, after the timeout at the latest."""
    server = Server(("127.0.0.1", 0), Handler)
    server.behaviour = behaviour
    with serving(server) as port, contextlib.closing(client(port, 0.2)) as asking:
        with pytest.raises(NoAnswer, match=told) as caught:
            asking.send(ASK)
        assert caught.value.hung == hung


def test_nobody_there_is_told_in_a_sentence() -> None:
    """Refused connections and unknown hosts cannot be tested."""
    (port,) = free_ports("127.0.0.1", 1)
    with pytest.raises(Unreachable, match=f"http://127.0.0.1:{port} cannot be reached: Connection refused; is the"):
        client(port).send(ASK)


def test_a_gateway_has_no_route_for_transform_input() -> None:
    """Such a request is not sent."""
    with pytest.raises(Unsendable):
        RestClient(parse("http://127.0.0.1:1/seldon/m")).send(Ask({}, "transform-input"))


def test_https_asks_whom_it_trusts_and_says_how_to_trust_others(certificate: tuple[Path, Path]) -> None:
    """An unknown authority is refused with the flag that names it; with the flag the server answers."""
    cert, key = certificate
    server = Server(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with serving(server) as port:
        with pytest.raises(Unreachable, match=r"not trusted .*--cacert"):
            client(port, scheme="https").send(ASK)
        with contextlib.closing(client(port, scheme="https", authorities=str(cert))) as asking:
            assert asking.send(ASK).status == 200
    with pytest.raises(SetupError, match=r"nowhere\.pem is no file of certificates"):
        client(1, scheme="https", authorities="nowhere.pem")
