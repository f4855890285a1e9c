"""The supervisor's ends of all channels, and the pipe on which its signals arrive."""

import selectors
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from .process import WorkerProcess


class SupervisorChannels:
    """Waits for signals and for frames of workers at the same time, without an event loop."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._signals: socket.socket

    def __repr__(self) -> str:
        return f"<SupervisorChannels open={len(self._selector.get_map() or ())}>"

    @contextmanager
    def signals(self, *numbers: signal.Signals) -> Iterator[None]:
        """Receive these signals as events of :meth:`wait` inside of the ``with`` block.

        Python writes the number of each signal into a pipe (``set_wakeup_fd``) that the selector reads. So a signal
        that arrives between a check and the next wait is not lost, and no handler interrupts the code in between.
        """
        self._signals, writer = socket.socketpair()
        for end in (self._signals, writer):
            end.setblocking(False)
        signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        for number in numbers:
            signal.signal(number, lambda *_: None)
        self._selector.register(self._signals, selectors.EVENT_READ)
        try:
            yield
        finally:
            signal.set_wakeup_fd(-1)

    def received_signals(self) -> set[int]:
        """Return the numbers of the signals that have arrived."""
        return set(self._signals.recv(4096))

    def wait(self, timeout_s: float) -> list[WorkerProcess | None]:
        """Wait for events, and return the workers that have sent something; ``None`` in the list stands for signals."""
        return [key.data for key, _ in self._selector.select(timeout_s)]

    def open(self, process: WorkerProcess) -> None:
        """Listen to a worker that is about to be started."""
        if process.channel is not None:
            self._selector.register(process.channel, selectors.EVENT_READ, process)

    def send(self, process: WorkerProcess, data: bytes) -> None:
        """Send frames to a worker. What does not fit into its channel is sent when there is room again."""
        if not process.send(data):
            self.hang_up(process)
        elif process.channel is not None:
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if process.has_unsent else 0)
            self._selector.modify(process.channel, events, process)

    def hang_up(self, process: WorkerProcess) -> None:
        """Close the channel of a worker, if it is open."""
        if process.channel is not None:
            self._selector.unregister(process.channel)
            process.channel.close()
            process.channel = None

    def forget(self) -> None:
        """Close the selector, in a fork that does not need it."""
        self._selector.close()
