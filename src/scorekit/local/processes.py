"""One child process: its lines, its end, its restarts."""

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import SetupError

OWN_WORDS = "scorekit: "
"""How a command of ours begins the one sentence it ends with."""

# After SIGTERM; a node's drain takes up to 15 s of it.
STOP_GRACE_S = 20.0

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)  # loaded here: between fork and exec nothing may be imported or allocated that can be helped


@dataclass(frozen=True, slots=True, eq=False)
class Command:
    """What to start. ``name`` prefixes its lines. Two commands are the same only if they are one."""

    name: str
    argv: Sequence[str]
    environ: Mapping[str, str]
    folder: Path


class Backoff:
    """How long to wait before the next restart: doubling from ``first_s`` to ``most_s``, afresh after ``stable_s``."""

    def __init__(self, first_s: float = 0.1, most_s: float = 10.0, stable_s: float = 30.0) -> None:
        self._first_s = first_s
        self._most_s = most_s
        self._stable_s = stable_s
        self._next_s = first_s

    def after(self, lived_s: float) -> float:
        """Seconds to wait now that a process has ended after ``lived_s`` seconds."""
        if lived_s >= self._stable_s:
            self._next_s = self._first_s
        wait_s = self._next_s
        self._next_s = min(self._next_s * 2, self._most_s)
        return wait_s


class Child:
    """A running process in a session of its own, so that Ctrl-C reaches it only through us."""

    def __init__(self, process: Process, name: str, say: Callable[[str], None]) -> None:
        self.name = name
        self._process = process
        self._say = say
        self._tail: deque[str] = deque(maxlen=20)
        self._swept = False
        self._reading = asyncio.create_task(self._read())

    def __repr__(self) -> str:
        state = "running" if self._process.returncode is None else f"ended {self._process.returncode}"
        return f"<Child {self.name} pid={self.pid} {state}>"

    @classmethod
    async def start(cls, command: Command, say: Callable[[str], None]) -> "Child":
        """Start ``command``; ``say`` is given its lines, each with its name in front."""
        try:
            process = await asyncio.create_subprocess_exec(
                *command.argv,
                env=dict(command.environ),
                cwd=command.folder,
                stdin=DEVNULL,
                stdout=PIPE,
                stderr=STDOUT,
                start_new_session=True,
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,
            )
        except OSError as error:
            raise SetupError(f"{command.name} could not be started: {error}") from error
        return cls(process, command.name, say)

    @property
    def pid(self) -> int:
        return self._process.pid

    def why(self, status: int) -> str:
        """Why it ended by itself, with ``status``: the signal, its own sentence, or the last line it wrote."""
        if status < 0:
            return f"it was killed by signal {-status}"
        sentences = [line for line in self._tail if line.startswith(OWN_WORDS)]
        return [f"it ended with status {status}", *self._tail, *sentences][-1].removeprefix(OWN_WORDS)

    async def ended(self) -> int:
        """Wait for the end: the exit status, negative for a signal. What it started has been ended too by then."""
        status = await self._process.wait()
        if not self._swept:
            self._swept = True
            self._signal(signal.SIGKILL)
        # Not wait_for: it would cancel the reading with the waiting.
        await asyncio.wait([self._reading], timeout=1.0)
        return status

    async def stop(self, grace_s: float = STOP_GRACE_S) -> None:
        """SIGTERM, then SIGKILL after ``grace_s`` seconds, to the process and all it started."""
        if self._process.returncode is None:
            self._signal(signal.SIGTERM)
        ending = asyncio.ensure_future(self.ended())
        await asyncio.wait([ending], timeout=grace_s)
        if not ending.done():
            self._say(f"{self.name}: still running {grace_s:g} s after SIGTERM; killed")
            self._signal(signal.SIGKILL)
        await ending

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    async def _read(self) -> None:
        stream = self._process.stdout
        assert stream is not None  # noqa: S101  asked for with PIPE
        while True:
            try:
                line = await stream.readline()
            except ValueError:  # longer than the stream's limit: a line nobody reads
                continue
            if not line:
                return
            text = line.decode(errors="replace").rstrip()
            self._tail.append(text)
            self._say(f"{self.name}: {text}")


def _end_with_parent() -> None:
    """In the child: be told to stop when the parent dies, even by SIGKILL, so that nothing is left behind."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
