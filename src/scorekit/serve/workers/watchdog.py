"""What a worker checks once a second: that its event loop runs, that its model returns, and that it is not worn out.

Two limits find a worker that hangs, and both are ``PREDICT_TIMEOUT_S``:

* The model runs in its thread (slow models). The event loop lives, so the worker finds the hang itself: its callers are
  answered 504, the requests behind them 503, and the stack of the thread goes to the log.
* The model runs in the event loop (quick models), and blocks it. Then this code does not run either, no BEAT is sent,
  and the supervisor finds the hang: it sends SIGABRT, at which ``faulthandler`` prints all stacks, and then SIGKILL.

The default of 120 s is TorchServe's; gunicorn's 30 s would end models that are slow but sound.
"""

import logging
import os
import random
import resource
import sys
from collections.abc import Callable
from pathlib import Path

from ...inference import Executor
from ...metrics import Metrics
from ...settings import Workers
from ..limits.periodic import repeat
from . import channel
from .model_thread import ModelThread

log = logging.getLogger(__name__)

_MB = 1024 * 1024


class Watchdog:
    """Tells the supervisor, by ``send``, that the event loop runs, and when this worker should be replaced.

    ``stuck`` is called once if a call of the model takes longer than it may.
    """

    def __init__(
        self,
        limits: Workers,
        *,
        executor: Executor,
        thread: ModelThread,
        metrics: Metrics,
        send: Callable[[bytes, bytes], None],
        stuck: Callable[[], None],
    ) -> None:
        self._timeout_s = limits.predict_timeout_s
        jitter = random.randint(0, limits.max_requests_jitter)  # noqa: S311  not a secret
        self._max_requests = limits.max_requests and limits.max_requests + jitter
        self._max_rss_mb = limits.max_rss_mb
        if self._max_rss_mb and rss_mb() >= self._max_rss_mb:
            # Its successor would exceed the limit too, so workers would be replaced for ever.
            log.warning(
                "worker.large rss_mb=%.0f max_rss_mb=%d: the model alone needs more, so this limit is ignored",
                rss_mb(),
                self._max_rss_mb,
            )
            self._max_rss_mb = 0
        self._executor = executor
        self._thread = thread
        self._metrics = metrics
        self._send = send
        self._stuck = stuck
        self._given_up = False

    def __repr__(self) -> str:
        return f"<Watchdog timeout_s={self._timeout_s} requests={self._max_requests} rss_mb={self._max_rss_mb}>"

    async def watch(self) -> None:
        """Check once a second, until cancelled; once the model hangs, only send heartbeats."""
        await repeat("watchdog", self.check, min(1.0, self._timeout_s / 4))

    def check(self) -> None:
        """Send a heartbeat, and act if the model hangs or this worker is worn out."""
        self._send(channel.BEAT, b"")
        if self._given_up:
            return
        if self._executor.running_s > self._timeout_s:
            self._given_up = True
            log.error(
                "predict.hung after_s=%.0f: its requests get 504, its worker is replaced. It hangs here:\n%s",
                self._executor.running_s,
                self._thread.stack(),
            )
            self._stuck()
        elif reason := self.reason_to_renew():
            self._send(channel.RENEW, reason.encode())

    def reason_to_renew(self) -> str:
        """Return why this worker should be replaced; empty if it should not."""
        if self._max_requests and (answered := self._metrics.answered) >= self._max_requests:
            return f"answered={answered} limit={self._max_requests}"
        if self._max_rss_mb and (held := rss_mb()) >= self._max_rss_mb:
            return f"rss_mb={held:.0f} limit={self._max_rss_mb}"
        return ""


def rss_mb() -> float:
    """Return the resident memory of this process in MB; without ``/proc``, its peak so far."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / _MB
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / (_MB if sys.platform == "darwin" else 1024)
