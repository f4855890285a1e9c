"""One worker process, as its supervisor sees it."""

import contextlib
import os
import signal
import socket
import time
from collections.abc import Iterator, Mapping
from typing import Any

from .channel import ChannelReader, Frame
from .memory_limit import memory_limit_mib

_START_STEPS = {
    "starting": "while it imported and constructed the model",
    "built": "while it loaded the model",
    "loaded": "during its first prediction",
}


class WorkerProcess:
    """The worker of the slot ``slot``.

    ``reload`` says whether it was started to read changed code, model or settings.
    """

    def __init__(self, slot: int, reload: bool) -> None:
        self.slot = slot
        self.reload = reload
        self.pid = 0
        self.state: Mapping[str, Any] = {"state": "starting"}
        """What it said last: ``state`` is ``starting``, ``built``, ``loaded``, ``probed``, ``ready`` or ``failed``."""
        self.began = self.since = self.heard_at = time.monotonic()
        """When it was started, when its state began, and when its last frame arrived."""
        self.kill_at: float | None = None
        """When it gets SIGKILL if it has not exited by then."""
        self.hung_s = 0.0
        """For how long its model had not returned when it was given up."""
        self.reported_slow = False
        """Whether the log says that its first prediction takes long."""
        ours, self.theirs = socket.socketpair()
        """Its end of the channel; the supervisor closes its copy once the process has been started."""
        ours.setblocking(False)
        self.channel: socket.socket | None = ours
        """The supervisor's end; ``None`` once it is closed."""
        self._frames = ChannelReader()
        self._unsent = b""

    def __repr__(self) -> str:
        return f"<WorkerProcess {self.pid} slot={self.slot} {self.state['state']}>"

    @property
    def ready(self) -> bool:
        """Whether it accepts connections."""
        return bool(self.state["state"] == "ready")

    @property
    def start_error(self) -> str:
        """Why it could not start, in its own words; empty if it has not said so."""
        return str(self.state.get("why", "")) if self.state["state"] == "failed" else ""

    @property
    def start_step(self) -> str:
        """The step of its start at which it is, in words."""
        return _START_STEPS.get(str(self.state["state"]), "before it was ready")

    @property
    def has_unsent(self) -> bool:
        """Whether the channel was full at the last :meth:`send`."""
        return bool(self._unsent)

    def receive(self) -> Iterator[Frame] | None:
        """Return the frames that have arrived; ``None`` once the worker has closed the channel."""
        if self.channel is None:
            return None
        try:
            data = self.channel.recv(1 << 20)
        except BlockingIOError:
            return iter(())
        except OSError:
            data = b""
        self.heard_at = time.monotonic()
        return self._frames.feed(data) if data else None

    def send(self, data: bytes) -> bool:
        """Send as much as fits into the channel; the rest goes with the next call. Return whether it is still open."""
        if self.channel is None:
            return False
        self._unsent += data
        try:
            while self._unsent:
                self._unsent = self._unsent[self.channel.send(self._unsent) :]
        except BlockingIOError:
            pass
        except OSError:
            return False
        return True

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it has been started and not been reaped."""
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)


def exit_words(code: int) -> str:
    """Return how a process ended, in words; ``code`` is its exit status, or the negative number of a signal."""
    if code >= 0:
        return f"with status {code}"
    name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
    if name != "SIGKILL":
        return f"by {name}"
    # The kernel kills what uses most memory in a container that has reached its limit, and says so nowhere here.
    limit = memory_limit_mib()
    return f"by SIGKILL (perhaps out of memory{f'; the limit is {limit} MiB' if limit is not None else ''})"
