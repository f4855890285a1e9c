"""One worker process, as its supervisor knows it: what it is told, what it says, how long it has been silent."""

import contextlib
import os
import signal
import socket
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .channel import Frame, Frames

if TYPE_CHECKING:
    from .slots import Slot


class Process:
    """A worker of ``slot``: with ``fresh`` an interpreter of its own, which has read everything anew; else a fork.

    ``theirs`` is its end of the channel, to be closed here once it has been born.
    """

    def __init__(self, slot: "Slot", fresh: bool) -> None:
        self.slot = slot
        self.fresh = fresh
        self.pid = 0
        self.state: Mapping[str, Any] = {"state": "starting"}
        self.began = self.since = self.beat = time.monotonic()
        """When it began, when its state began, and when it was last heard."""
        self.kill_at: float | None = None
        """When it is to be ended by force, if it has not ended by itself."""
        ours, self.theirs = socket.socketpair()
        ours.setblocking(False)
        self.channel: socket.socket | None = ours
        self._frames = Frames()
        self._outgoing = b""

    def __repr__(self) -> str:
        return f"<Process {self.pid} slot={self.slot.number} {self.state['state']}>"

    @property
    def ready(self) -> bool:
        return bool(self.state["state"] == "ready")

    @property
    def failed_to_start(self) -> str:
        """Why, in its own words, it could not start; empty if it did not say so."""
        return str(self.state.get("why", "")) if self.state["state"] == "failed" else ""

    @property
    def has_unsent(self) -> bool:
        """Whether the channel was full when something was said."""
        return bool(self._outgoing)

    def hear(self) -> Iterator[Frame] | None:
        """What it has said; ``None`` once it has hung up."""
        if self.channel is None:
            return None
        try:
            data = self.channel.recv(1 << 20)
        except BlockingIOError:
            return iter(())
        except OSError:
            data = b""
        self.beat = time.monotonic()
        return self._frames.feed(data) if data else None

    def say(self, data: bytes) -> bool:
        """Send what it takes in at once; the rest waits for the next call. Returns whether it still listens."""
        if self.channel is None:
            return False
        self._outgoing += data
        try:
            while self._outgoing:
                self._outgoing = self._outgoing[self.channel.send(self._outgoing) :]
        except BlockingIOError:
            pass
        except OSError:
            return False
        return True

    def signal(self, number: signal.Signals) -> None:
        """Send it ``number``, if it has not been reaped."""
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)


def ended(code: int) -> str:
    """How a process ended, in words, by its exit status; a signal's number is below zero."""
    if code >= 0:
        return f"with status {code}"
    name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
    return f"by {name}" + (", as when memory runs out" if name == "SIGKILL" else "")
