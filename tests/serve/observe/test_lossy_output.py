"""Output whose reader has stopped: nothing waits, what is lost is counted, and what is kept arrives in order."""

import fcntl
import logging
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scorekit.cli.logs import LossyHandler
from scorekit.serve.observe.lossy_output import LossyOutput

from ...e2e.conftest import ANY_PORTS
from ...ports import free_ports


@pytest.fixture(params=["pipe", "polled pipe", "socket"])
def ends(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, int]]:
    """The descriptors of a reader that does not read yet, and of what it would read."""
    if request.param == "socket":
        one, other = socket.socketpair()
        reader, writer = one.detach(), other.detach()
    else:
        reader, writer = os.pipe()
    if request.param == "polled pipe":  # as where a pipe cannot be opened again

        def refuse(path: str, flags: int) -> int:
            raise PermissionError

        monkeypatch.setattr(os, "open", refuse)
    yield reader, writer
    os.close(reader)
    os.close(writer)


def taken(reader: int, output: LossyOutput) -> bytes:
    """Read all that the output has kept."""
    os.set_blocking(reader, False)
    parts = []
    while True:
        try:
            parts.append(os.read(reader, 65536))
        except BlockingIOError:
            if not output.waiting:
                return b"".join(parts)
            output.flush()


def test_a_reader_that_stops_costs_lines_and_no_time(ends: tuple[int, int]) -> None:
    """Ten megabytes for nobody are kept up to a limit and counted above it; what was kept arrives whole, in order."""
    reader, writer = ends
    output = LossyOutput(writer)
    lines = [b"%d %s\n" % (each, b"x" * 1000) for each in range(10_000)]
    for each in lines:
        output.write(each)
    assert not fcntl.fcntl(writer, fcntl.F_GETFL) & os.O_NONBLOCK  # others who share the descriptor see no change
    kept = taken(reader, output).splitlines(keepends=True)
    assert kept == lines[: len(kept)]
    assert output.lost == len(lines) - len(kept)
    assert 500 < len(kept) < 2000
    output.write(b"again\n")
    assert taken(reader, output) == b"again\n"
    output.close()


def test_a_reader_that_has_gone_costs_lines_only() -> None:
    """Writing to a pipe without a reader, or to a full disk, loses lines and raises nothing."""
    reader, writer = os.pipe()
    os.close(reader)
    for descriptor in (writer, os.open("/dev/full", os.O_WRONLY)):
        output = LossyOutput(descriptor)
        output.write(b"x")
        assert (output.lost, output.waiting) == (1, 0)
        output.close()
        os.close(descriptor)


def descriptors() -> list[Path]:
    """The open descriptors of this process."""
    return [*Path("/proc/self/fd").iterdir()]


def test_what_waits_is_written_by_one_process(ends: tuple[int, int]) -> None:
    """A fork forgets what its parent is about to write, and keeps no descriptor but those that it knows."""
    before = descriptors()
    output = LossyOutput(ends[1])
    while not output.waiting:
        output.write(b"x" * 1000)
    pid = os.fork()
    if not pid:
        os._exit(output.waiting > 0 or descriptors() != before)
    assert os.waitpid(pid, 0)[1] == 0
    output.close()


def test_the_log_tells_how_many_records_were_lost() -> None:
    """Once a log that nobody read is read again, it says how much is missing."""
    reader, writer = os.pipe()
    handler = LossyHandler(writer)
    record = logging.LogRecord("a", logging.INFO, "", 0, "x" * 10_000, None, None)
    for _ in range(300):
        handler.emit(record)
    lost = handler._output.lost
    assert lost > 100
    taken(reader, handler._output)
    handler.emit(record)
    assert f"log.lost records={lost}: standard error was full\n".encode() in taken(reader, handler._output)
    handler.close()
    handler._output.close()
    for each in (reader, writer):
        os.close(each)


MODEL = """
class Failing:
    def predict(self, X, names):
        raise ValueError("x" * 2000)
"""


@pytest.mark.e2e
def test_a_server_whose_log_nobody_reads_answers_and_stops(tmp_path: Path) -> None:
    """With standard output and error a pipe that nobody reads, 300 failures are answered, a worker is replaced, and
    SIGTERM ends the server."""
    (tmp_path / "Failing.py").write_text(MODEL)
    (tmp_path / ".s2i").mkdir()
    (tmp_path / ".s2i" / "environment").write_text("MODEL_NAME=Failing\nSERVICE_TYPE=MODEL\n")
    (port,) = free_ports("127.0.0.1", 1)
    reader, writer = os.pipe()
    command = [sys.executable, "-m", "scorekit", "serve", str(tmp_path), "--host", "127.0.0.1", "--access-log"]
    environ = {**os.environ, **ANY_PORTS}
    server = subprocess.Popen([*command, "--http-port", str(port)], stdout=writer, stderr=writer, env=environ)
    os.close(writer)
    try:
        wait_until(lambda: status(port, "/health/ping") == 200)
        for _ in range(2):
            assert [status(port, "/predict", b'{"data":{"ndarray":[[1]]}}') for _ in range(150)] == [500] * 150
            (worker,) = children(server.pid)
            os.kill(worker, signal.SIGKILL)
            wait_until(lambda gone=worker: children(server.pid) not in ([], [gone]))  # type: ignore[misc]
            wait_until(lambda: status(port, "/health/ping") == 200)
        server.send_signal(signal.SIGTERM)
        assert server.wait(20) == 0
    finally:
        server.kill()
        server.wait()
        os.close(reader)


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for 20 s at most."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def status(port: int, path: str, body: bytes | None = None) -> int:
    """The status of one request; 0 if there is no answer."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except OSError:
        return 0


def children(pid: int) -> list[int]:
    """The processes that ``pid`` has started and that have not been reaped."""
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
