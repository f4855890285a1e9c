"""The REST client against servers that answer, hang, drop connections and speak TLS."""

import contextlib
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from scorekit.errors import SetupError
from scorekit.tester.clients import RestClient, parse_address
from scorekit.tester.transport import NoAnswer, Query, Unreachable, Unsendable

from ...ports import free_ports

QUERY = Query({"data": {"ndarray": [[1]]}})


class Server(ThreadingHTTPServer):
    """Answers 200, or does what ``behaviour`` names."""

    daemon_threads = True
    behaviour = "answer"
    connections = 0

    def process_request(self, request, client_address) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        self.connections += 1
        super().process_request(request, client_address)

    def handle_error(self, request, client_address) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        """Ignore the errors of clients that speak another protocol or hang up: some tests make them."""


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
    return RestClient(parse_address(f"{scheme}://127.0.0.1:{port}"), timeout_s, authorities)


def test_requests_share_a_connection_and_survive_its_end() -> None:
    """Three requests take one connection; a connection that the server closed while idle is opened again."""
    server = Server(("127.0.0.1", 0), Handler)
    with serving(server) as port, contextlib.closing(client(port)) as asking:
        assert [asking.send(QUERY).status for _ in range(3)] == [200] * 3
        assert server.connections == 1
        server.behaviour = "close"
        assert [asking.send(QUERY).status for _ in range(2)] == [200] * 2


@pytest.mark.parametrize(
    ("behaviour", "message", "hung"),
    [
        ("hang", "no answer within 0.2 s", True),
        ("drop", "the server closed the connection without an answer", False),
        ("noise", "the answer is not HTTP", False),
    ],
)
def test_a_request_without_an_answer_ends(behaviour: str, message: str, hung: bool) -> None:
    """A server that holds a request, drops it or answers with noise is a finding, after the timeout at the latest."""
    server = Server(("127.0.0.1", 0), Handler)
    server.behaviour = behaviour
    with serving(server) as port, contextlib.closing(client(port, 0.2)) as asking:
        with pytest.raises(NoAnswer, match=message) as caught:
            asking.send(QUERY)
        assert caught.value.hung == hung


def test_a_missing_server_is_an_error() -> None:
    """The error names the address and the reason."""
    (port,) = free_ports("127.0.0.1", 1)
    with pytest.raises(Unreachable, match=f"http://127.0.0.1:{port} cannot be reached: Connection refused; is the"):
        client(port).send(QUERY)


def test_a_gateway_has_no_route_for_transform_input() -> None:
    """A request for it is not sent."""
    with pytest.raises(Unsendable):
        RestClient(parse_address("http://127.0.0.1:1/seldon/m")).send(Query({}, "transform-input"))


def test_https_verifies_the_server_and_says_how_to_trust_another(certificate: tuple[Path, Path]) -> None:
    """The error about an unknown authority names --cacert; with that file the server answers."""
    cert, key = certificate
    server = Server(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with serving(server) as port:
        with pytest.raises(Unreachable, match=r"not trusted .*--cacert"):
            client(port, scheme="https").send(QUERY)
        with contextlib.closing(client(port, scheme="https", authorities=str(cert))) as asking:
            assert asking.send(QUERY).status == 200
    with pytest.raises(SetupError, match=r"nowhere\.pem is not a file of certificates"):
        client(1, scheme="https", authorities="nowhere.pem")
