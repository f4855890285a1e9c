"""A request for metrics, answered with those of all workers."""

import time
from collections.abc import Callable, Sequence

from ...metrics.exposition import Families
from ...metrics.merge import MergedMetrics
from . import channel
from .channel import frame
from .process import Process

_LONGEST_S = 0.5  # how long a worker may take to tell its counts; then its last ones stand


class Scrapes:
    """Who waits for the metrics of all, and whose are missing. ``send`` gives a process a frame."""

    def __init__(self, send: Callable[[Process, bytes], None]) -> None:
        self._send = send
        self._merged = MergedMetrics()
        self._waiting: list[Process] = []
        self._missing: set[int] = set()
        self._began = 0.0

    def __repr__(self) -> str:
        return f"<Scrapes waiting={len(self._waiting)} missing={len(self._missing)}>"

    def ask(self, asker: Process, workers: Sequence[Process]) -> None:
        """``asker`` waits for what all ``workers`` have counted."""
        if not self._waiting:
            self._began = time.monotonic()
            self._missing = {each.pid for each in workers}
            for each in workers:
                self._send(each, frame(channel.COUNT))
        self._waiting.append(asker)

    def told(self, worker: Process, families: Families) -> None:
        """A worker has told what it has counted."""
        self._merged.update(worker.pid, families)
        self._missing.discard(worker.pid)

    def ended(self, worker: Process) -> None:
        """A worker is no more; what it had counted stays."""
        self._merged.worker_ended(worker.pid)
        self._missing.discard(worker.pid)
        self._waiting = [each for each in self._waiting if each is not worker]

    def answer(self) -> None:
        """Answer whoever waits, if nothing is missing or it is late."""
        if self._waiting and (not self._missing or time.monotonic() - self._began > _LONGEST_S):
            waiting, self._waiting = self._waiting, []
            text = frame(channel.TEXT, self._merged.text())
            for process in {id(each): each for each in waiting}.values():
                self._send(process, text)

    def late_s(self, now: float) -> float | None:
        """Seconds until an answer is late; ``None`` where nobody waits."""
        return self._began + _LONGEST_S - now if self._waiting else None
