"""What nobody waits for is not begun: a model is not given the requests of clients that have gone."""

import json
import socket
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived

from .conftest import Command

pytestmark = pytest.mark.e2e

BODY = b'{"data":{"ndarray":[[%d]]}}'
HEAD = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


def posted(port: int, value: int) -> socket.socket:
    """A connection on which a prediction has been asked for."""
    client = socket.create_connection(("127.0.0.1", port), timeout=10)
    body = BODY % value
    client.sendall(HEAD % len(body) + body)
    return client


def called(port: int, value: int) -> tuple[socket.socket, H2Connection]:
    """A connection on which a prediction has been asked for over gRPC."""
    client = socket.create_connection(("127.0.0.1", port), timeout=10)
    h2 = H2Connection(H2Configuration())
    h2.initiate_connection()
    h2.send_headers(
        1,
        [
            (":method", "POST"),
            (":scheme", "http"),
            (":path", "/seldon.protos.Seldon/Predict"),
            (":authority", "x"),
            ("content-type", "application/grpc"),
            ("te", "trailers"),
        ],
    )
    message = b"\x2a\x01%d" % value  # strData
    h2.send_data(1, b"\0" + len(message).to_bytes(4, "big") + message, end_stream=True)
    client.sendall(h2.data_to_send())
    return client, h2


def test_what_nobody_waits_for_is_not_begun(start: Callable[..., Command], port: int, tmp_path: Path) -> None:
    """Of twelve clients that ask and leave, over HTTP/1.1 and HTTP/2, few reach the model; who ends one side does."""
    (tmp_path / "Slow.py").write_text(
        "import time\nclass Slow:\n    def predict(self, X, names):\n"
        "        print('predicting', X, flush=True); time.sleep(0.5); return X\n"
    )
    command = start("serve", "Slow", "--http-port", str(port), "--host", "127.0.0.1", "--workers", "1", cwd=tmp_path)
    command.wait_for("serve.ready")
    for value in range(9):
        posted(port, value).close()
    for value in range(3):
        called(port, value)[0].close()
    half = posted(port, 77)
    half.shutdown(socket.SHUT_WR)
    half2, h2 = called(port, 8)
    half2.shutdown(socket.SHUT_WR)
    began = time.monotonic()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/predict", BODY % 99, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        assert json.load(response)["data"]["ndarray"] == [[99]]
    # Half a second each for it, for the two that wait, and for two that may have begun before their clients left.
    assert time.monotonic() - began < 2.9
    answer = half.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b'"ndarray":[[77]]' in answer
    half.close()
    received = b""
    while data := half2.recv(65536):
        received += b"".join(event.data for event in h2.receive_data(data) if isinstance(event, DataReceived))
    assert b"8" in received
    half2.close()
    assert command.output.count("predicting") <= 5
