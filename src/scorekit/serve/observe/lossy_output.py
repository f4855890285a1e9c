"""Output that never waits for its reader: the log, and the access log.

Standard output and standard error are often pipes, and a pipe whose reader has stopped takes 64 kB. The next write
waits, for ever if need be, and with it the worker that answers requests and the supervisor that should replace it. So
what cannot be written at once is kept, up to a limit; above that it is lost and counted. A server that has something to
say must not stop because nobody listens.
"""

import contextlib
import os
import select
import socket
import stat
import threading
import time
import weakref

_MAX_WAITING_BYTES = 1 << 20
# A pipe that can be written to has room for so many bytes at least (PIPE_BUF, POSIX), so a write of no more is at once.
_PIPE_BYTES = select.PIPE_BUF

_outputs: "weakref.WeakSet[LossyOutput]" = weakref.WeakSet()


class LossyOutput:
    """Writes to ``descriptor``, a file, pipe, terminal or socket of which other processes may have copies."""

    def __init__(self, descriptor: int) -> None:
        self._given = descriptor
        self._waiting = bytearray()
        self._lock = threading.Lock()
        self._begin()
        self.lost = 0
        """Writes that were lost since this was last set to 0."""
        _outputs.add(self)

    def __repr__(self) -> str:
        return f"<LossyOutput {self._given} waiting={len(self._waiting)} lost={self.lost}>"

    @property
    def waiting(self) -> int:
        """The bytes that wait for the reader."""
        return len(self._waiting)

    def write(self, data: bytes) -> None:
        """Write ``data``, keep it for later, or lose it; all of it. Does not wait and does not raise ``OSError``."""
        with self._lock:
            self._drain()
            if self._waiting and len(self._waiting) + len(data) > _MAX_WAITING_BYTES:
                self.lost += 1
                return
            self._waiting += data
            if len(self._waiting) == len(data):
                self._drain()

    def flush(self, most_s: float = 0.0) -> None:
        """Write what waits, as much as the reader takes within ``most_s`` seconds."""
        deadline = time.monotonic() + most_s
        with self._lock:
            self._drain()
            while self._waiting and (left_s := deadline - time.monotonic()) > 0:
                self._writable(left_s)
                self._drain()

    def close(self) -> None:
        """Close what this has opened, but not the descriptor that it was given."""
        if self._socket is not None:
            self._socket.close()
        if self._reopened is not None:
            os.close(self._reopened)
        self._begin()

    def _begin(self) -> None:
        self._opened = self._polls = False
        self._socket: socket.socket | None = None
        self._reopened: int | None = None

    def _open(self) -> None:
        """Find out how to write without waiting.

        To make the descriptor itself non-blocking would make it so for all who share it, such as the shell. A pipe or
        terminal that is opened again, by its name below ``/proc``, is non-blocking for us alone.
        """
        self._opened = True
        with contextlib.suppress(OSError):
            kind = os.fstat(self._given).st_mode
            if stat.S_ISSOCK(kind):
                self._socket = socket.socket(fileno=os.dup(self._given))
            elif stat.S_ISFIFO(kind) or os.isatty(self._given):
                self._polls = True  # if it cannot be opened again, which needs Linux and the owner's rights
                flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY
                self._reopened = os.open(f"/proc/self/fd/{self._given}", flags)
                self._polls = False

    def _drain(self) -> None:
        try:
            while self._waiting:
                if not (sent := self._send()):
                    return
                del self._waiting[:sent]
        except BlockingIOError:
            pass
        except OSError:  # the reader has gone, or the disk is full
            self.lost += 1
            self._waiting.clear()

    def _send(self) -> int:
        if not self._opened:
            self._open()
        if self._socket is not None:
            return self._socket.send(self._waiting, socket.MSG_DONTWAIT)
        if self._polls:
            return os.write(self._given, self._waiting[:_PIPE_BYTES]) if self._writable(0) else 0
        return os.write(self._given if self._reopened is None else self._reopened, self._waiting)

    def _writable(self, most_s: float) -> bool:
        poll = select.poll()
        poll.register(self._given, select.POLLOUT)
        with contextlib.suppress(OSError):
            return bool(poll.poll(most_s * 1000))
        return False

    def _forked(self) -> None:
        """Begin anew in a fork.

        What waits is written by the parent. What is open is closed: a process of the model's own that closes its
        standard output must not keep it open by a copy that it does not know.
        """
        self._lock = threading.Lock()
        self._waiting.clear()
        self.lost = 0
        self.close()


def flush_outputs() -> None:
    """Write what waits in all outputs of this process, as much as their readers take at once."""
    for output in list(_outputs):
        output.flush()


def _forget_in_fork() -> None:
    for output in list(_outputs):
        output._forked()


os.register_at_fork(after_in_child=_forget_in_fork)
