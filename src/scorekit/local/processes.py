"""One child process: its output, its exit, and how long to wait before it is started again."""

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

ERROR_PREFIX = "scorekit: "
"""What the error message of a scorekit command begins with."""

STOP_GRACE_S = 20.0
"""How long a process may take to exit after SIGTERM; the drain of a node takes up to 15 s of it."""

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)  # loaded here, because between fork and exec as little as possible may be allocated


@dataclass(frozen=True, slots=True, eq=False)
class Command:
    """What to start. ``name`` prefixes its lines. Commands are compared by identity, so equal ones are told apart."""

    name: str
    argv: Sequence[str]
    environ: Mapping[str, str]
    folder: Path


class RestartBackoff:
    """How long to wait before a restart: ``first_s``, then twice as long each time, up to ``most_s``.

    A process that has lived for ``stable_s`` seconds starts the series again.
    """

    def __init__(self, first_s: float = 0.1, most_s: float = 10.0, stable_s: float = 30.0) -> None:
        self._first_s = first_s
        self._most_s = most_s
        self._stable_s = stable_s
        self._next_s = first_s

    def after(self, lived_s: float) -> float:
        """Return the seconds to wait after a process has ended that lived for ``lived_s`` seconds."""
        if lived_s >= self._stable_s:
            self._next_s = self._first_s
        wait_s = self._next_s
        self._next_s = min(self._next_s * 2, self._most_s)
        return wait_s


class ChildProcess:
    """A running process.

    It has a session of its own, for two reasons: Ctrl-C in the terminal reaches it only through :meth:`stop`, in the
    right order; and its process group contains everything it has started, so that nothing is left behind.
    """

    def __init__(self, process: Process, name: str, say: Callable[[str], None]) -> None:
        self.name = name
        self._process = process
        self._say = say
        self._tail: deque[str] = deque(maxlen=20)
        self._swept = False
        self._reading = asyncio.create_task(self._read())

    def __repr__(self) -> str:
        state = "running" if self._process.returncode is None else f"ended {self._process.returncode}"
        return f"<ChildProcess {self.name} pid={self.pid} {state}>"

    @classmethod
    async def start(cls, command: Command, say: Callable[[str], None]) -> "ChildProcess":
        """Start ``command``; ``say`` gets its lines, each with its name in front.

        Raises ``SetupError`` if it cannot be started.
        """
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
        """Return why it exited with ``status``: the signal, its own error message, or the last line it wrote."""
        if status < 0:
            return f"it was killed by signal {-status}"
        errors = [line for line in self._tail if line.startswith(ERROR_PREFIX)]
        return [f"it ended with status {status}", *self._tail, *errors][-1].removeprefix(ERROR_PREFIX)

    async def ended(self) -> int:
        """Wait until it exits, kill what it has started, and return its exit status; negative for a signal."""
        status = await self._process.wait()
        if not self._swept:
            self._swept = True
            self._signal(signal.SIGKILL)
        # asyncio.wait, because wait_for would cancel the reading when the time is over.
        await asyncio.wait([self._reading], timeout=1.0)
        return status

    async def stop(self, grace_s: float = STOP_GRACE_S) -> None:
        """Stop it and all it has started: SIGTERM, after ``grace_s`` seconds SIGKILL. Return once it has exited."""
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
            except ValueError:  # a line that is longer than the stream's limit is dropped
                continue
            if not line:
                return
            text = line.decode(errors="replace").rstrip()
            self._tail.append(text)
            self._say(f"{self.name}: {text}")


def _end_with_parent() -> None:
    """Ask the kernel, in the child, to send it SIGTERM when its parent dies, even by SIGKILL. Only on Linux."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
