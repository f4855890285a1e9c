"""The load generator of the latency plots charges a server with what waited for it."""

import json
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

OPENLOOP = Path(__file__).parents[2] / "benchmarks" / "openloop.py"


def server(stall_s: float, listener: socket.socket) -> None:
    """Answers one connection; does nothing for a while after its tenth answer."""
    client, _ = listener.accept()
    answered = 0
    buffer = b""
    while data := client.recv(65536):
        buffer += data
        while (end := buffer.find(b"\r\n\r\n")) >= 0 and len(buffer) >= end + 6:
            buffer = buffer[end + 6 :]
            if answered == 10:
                time.sleep(stall_s)
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            answered += 1
    client.close()


@pytest.mark.slow
def test_a_stall_is_charged_to_every_request_that_was_due_in_it(tmp_path: Path) -> None:
    """At 100 a second, a server that stalls for half a second delays fifty requests, not one."""
    body = tmp_path / "body"
    body.write_bytes(b"{}")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = threading.Thread(target=server, args=(0.5, listener))
        serving.start()
        port = str(listener.getsockname()[1])
        argv = [sys.executable, str(OPENLOOP), "127.0.0.1", port, "/", str(body), "100", "1", "1"]
        printed = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
        serving.join()
    found = json.loads(printed)
    assert found["requests"] == 100
    assert found["errors"] == 0
    assert found["p999_ms"] >= 480
    assert found["p90_ms"] >= 300  # some forty of a hundred waited, from half a second down to nothing
