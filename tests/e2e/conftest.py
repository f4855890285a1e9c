"""Real commands, started as a person starts them, on free ports, ended by their process id."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scorekit.settings import variables

from ..ports import free_ports

ROOT = Path(__file__).parents[2]
APP = ROOT / "ksonnet-app"
COMPONENT = ROOT / "seldon-ml-score-component"
WITHIN_S = 60

ANY_PORTS = {"PREDICTIVE_UNIT_GRPC_SERVICE_PORT": "0", "PREDICTIVE_UNIT_METRICS_SERVICE_PORT": "0"}
"""Tests run beside each other: a port that a test does not ask on is any free one."""


class Command:
    """A running `scorekit …`."""

    def __init__(self, *arguments: str, cwd: Path | None = None, python: str = sys.executable, **environ: str) -> None:
        inherited = {name: value for name, value in os.environ.items() if name not in variables()}
        self.process = subprocess.Popen(
            [python, "-m", "scorekit", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=cwd,
            env={**inherited, **ANY_PORTS, "PYTHONUNBUFFERED": "1", **environ},
            start_new_session=True,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(iter(self.process.stdout.readline, ""))

    @property
    def output(self) -> str:
        return "".join(self.lines)

    def wait_for(self, text: str, count: int = 1) -> None:
        """Until the output has ``text`` ``count`` times. Fails with the output when it ends or takes too long."""
        deadline = time.monotonic() + WITHIN_S
        while self.output.count(text) < count:
            assert time.monotonic() < deadline, f"no {text!r} within {WITHIN_S} s:\n{self.output}"
            assert self.process.poll() is None, f"ended before {text!r}:\n{self.output}"
            time.sleep(0.01)

    def ended(self) -> int:
        """The exit status, once it has ended by itself."""
        status = self.process.wait(WITHIN_S)
        self._reader.join(WITHIN_S)
        return status

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.ended()

    def close(self) -> None:
        """End it, if it still runs."""
        if self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(30)
            self.process.kill()
        self.ended()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def descendants(self) -> list[tuple[int, str]]:
        """Process ids and command lines of everything started below this command."""
        table = subprocess.run(["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
        rows = [(int(pid), int(ppid), args) for pid, ppid, args in (row.split(None, 2) for row in table.splitlines())]
        family = {self.process.pid}
        for _ in rows:
            family |= {pid for pid, ppid, _ in rows if ppid in family}
        return [(pid, args) for pid, _, args in rows if pid in family - {self.process.pid}]


@pytest.fixture
def start() -> Iterator[Callable[..., Command]]:
    """Starts commands; whatever still runs after the test is ended."""
    started: list[Command] = []

    def run(*arguments: str, cwd: Path | None = None, **environ: str) -> Command:
        started.append(Command(*arguments, cwd=cwd, **environ))
        return started[-1]

    yield run
    for command in started:
        command.close()


@pytest.fixture
def port() -> int:
    return free_ports("127.0.0.1", 1)[0]
