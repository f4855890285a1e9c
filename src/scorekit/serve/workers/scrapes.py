"""A request for metrics, answered with the sum over all workers.

Every worker has the metrics port, and the kernel gives a scrape to one of them. That worker asks the supervisor, which
asks all workers for their counts, adds them up and sends the text back. What a dead worker had counted is kept, so a
counter never goes down.
"""

import time
from collections.abc import Callable, Sequence

from ...metrics import Families, MergedMetrics
from . import channel
from .channel import frame
from .process import WorkerProcess

_LONGEST_S = 0.5  # a worker that has not sent its counts by then is included with its previous ones


class Scrapes:
    """Which workers wait for the metrics of all, and whose counts are missing. ``send`` sends frames to a worker."""

    def __init__(self, send: Callable[[WorkerProcess, bytes], None]) -> None:
        self._send = send
        self._merged = MergedMetrics()
        self._waiting: list[WorkerProcess] = []
        self._missing: set[int] = set()
        self._began = 0.0

    def __repr__(self) -> str:
        return f"<Scrapes waiting={len(self._waiting)} missing={len(self._missing)}>"

    def request(self, asker: WorkerProcess, workers: Sequence[WorkerProcess]) -> None:
        """Ask all ``workers`` for their counts, on behalf of ``asker``, unless that is under way already."""
        if not self._waiting:
            self._began = time.monotonic()
            self._missing = {each.pid for each in workers}
            for each in workers:
                self._send(each, frame(channel.COUNT))
        self._waiting.append(asker)

    def received(self, worker: WorkerProcess, families: Families) -> None:
        """Keep the counts that a worker has sent."""
        self._merged.update(worker.pid, families)
        self._missing.discard(worker.pid)

    def ended(self, worker: WorkerProcess) -> None:
        """Forget a worker that has exited, but not its counts."""
        self._merged.worker_ended(worker.pid)
        self._missing.discard(worker.pid)
        self._waiting = [each for each in self._waiting if each is not worker]

    def answer(self) -> None:
        """Send the sum to the workers that wait, if no counts are missing or they are late."""
        if self._waiting and (not self._missing or time.monotonic() - self._began > _LONGEST_S):
            waiting, self._waiting = self._waiting, []
            text = frame(channel.TEXT, self._merged.text())
            for process in {id(each): each for each in waiting}.values():
                self._send(process, text)

    def due_s(self, now: float) -> float | None:
        """Return the seconds until missing counts are late; ``None`` if no worker waits."""
        return self._began + _LONGEST_S - now if self._waiting else None
