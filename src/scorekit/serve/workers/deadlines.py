"""How long the supervisor waits for a worker, in each of its states."""

from collections.abc import Iterable
from dataclasses import dataclass

from .process import WorkerProcess

GRACE_S = 20.0
"""For all workers to exit after SIGTERM: their own limit for a drain and the time to close."""

STUCK_GRACE_S = 5.0
"""For a worker that hangs: to answer its callers, or to print where it hangs."""

RETIRE_S = 30.0
"""For a worker that has a successor, beside the longest prediction."""

AGAIN_S = 1.0
"""After which a worker that could not be started at all is tried again."""

LATE_S = 5.0
"""A supervisor that slept for so much too long was stopped itself, and its workers with it."""

_HEARTBEAT_S = 1.0
_LONGEST_WAIT_S = 60.0


@dataclass(frozen=True, slots=True)
class Deadlines:
    """The two timeouts that are settings.

    A first prediction that takes ``probe_timeout_s`` is reported in the log, once. A worker that sends nothing for
    ``predict_timeout_s`` hangs: its event loop is blocked.
    """

    probe_timeout_s: float
    predict_timeout_s: float

    def of(self, process: WorkerProcess, stopping: bool) -> float | None:
        """Return by when ``process`` must have sent something or exited, on the monotonic clock; ``None``: never."""
        if process.kill_at is not None:
            return process.kill_at
        if stopping:
            return None
        if process.state["state"] == "loaded" and not process.reported_slow:
            return process.since + self.probe_timeout_s
        return process.heard_at + self.predict_timeout_s + _HEARTBEAT_S if process.ready else None


def seconds_until(now: float, times: Iterable[float | None]) -> float:
    """Return the seconds until the earliest of ``times`` has passed, and at most a minute."""
    waits = [each - now for each in times if each is not None]
    return max(0.0, min([_LONGEST_WAIT_S, *waits])) + 0.005
