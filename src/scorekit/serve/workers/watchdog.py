"""What a worker looks after once a second: that it is heard, that its model comes back, that it is not worn out."""

import asyncio
import logging
import os
import random
import resource
import sys
from collections.abc import Callable
from pathlib import Path

from ...inference.executor import Executor
from ...metrics.registry import Metrics
from ...settings import Settings
from . import channel
from .model_thread import WorkerThread

log = logging.getLogger(__name__)

_MB = 1024 * 1024


class Watchdog:
    """Tells the supervisor, by ``tell``, that the loop turns and when this worker wants a successor.

    ``stuck`` is called once when the model has been at one call for longer than it may.
    """

    def __init__(
        self,
        settings: Settings,
        lane: Executor,
        thread: WorkerThread,
        metrics: Metrics,
        tell: Callable[[bytes, bytes], None],
        stuck: Callable[[], None],
    ) -> None:
        limits = settings.workers
        self._timeout_s = limits.predict_timeout_s
        jitter = random.randint(0, limits.max_requests_jitter)  # noqa: S311  no secret
        self._most_requests = limits.max_requests and limits.max_requests + jitter
        self._most_mb = limits.max_rss_mb
        if self._most_mb and rss_mb() >= self._most_mb:
            log.warning(
                "worker.large rss_mb=%.0f max_rss_mb=%d: the model alone takes more, so this limit is not kept",
                rss_mb(),
                self._most_mb,
            )
            self._most_mb = 0
        self._lane = lane
        self._thread = thread
        self._metrics = metrics
        self._tell = tell
        self._stuck = stuck

    def __repr__(self) -> str:
        return f"<Watchdog timeout_s={self._timeout_s} requests={self._most_requests} rss_mb={self._most_mb}>"

    async def watch(self) -> None:
        """Look, until cancelled or the model hangs."""
        every_s = min(1.0, self._timeout_s / 4)
        while True:
            self._tell(channel.BEAT, b"")
            await asyncio.sleep(every_s)
            if self._lane.running_s > self._timeout_s:
                log.error(
                    "predict.hung after_s=%.0f: its callers are answered 504, a new worker takes over. It is at\n%s",
                    self._lane.running_s,
                    self._thread.where(),
                )
                self._stuck()
                return
            if why := self.weary():
                self._tell(channel.RENEW, why.encode())

    def weary(self) -> str:
        """Why this worker should be replaced; empty if it should not."""
        if self._most_requests and (answered := self._metrics.answered) >= self._most_requests:
            return f"answered={answered} limit={self._most_requests}"
        if self._most_mb and (held := rss_mb()) >= self._most_mb:
            return f"rss_mb={held:.0f} limit={self._most_mb}"
        return ""


def rss_mb() -> float:
    """Resident memory of this process; where the system tells no more, the most that it ever was."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / _MB
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / (_MB if sys.platform == "darwin" else 1024)
