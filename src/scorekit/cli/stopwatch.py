"""What a start takes, step by step: ``scorekit serve --timings``."""

import os
import time
from pathlib import Path


class Stopwatch:
    """Seconds by step, from the beginning of the process if the system reports that."""

    def __init__(self) -> None:
        self._last = time.perf_counter()
        before = _process_age_s()
        self._began = self._last - before
        self.laps = [("start Python", before)] if before else []

    def __repr__(self) -> str:
        return f"<Stopwatch {self.laps}>"

    def lap(self, step: str) -> None:
        """Count the time since the last lap for ``step``."""
        now = time.perf_counter()
        self.laps.append((step, now - self._last))
        self._last = now

    @property
    def total_s(self) -> float:
        """Seconds since the beginning."""
        return time.perf_counter() - self._began


def _process_age_s() -> float:
    """How long this process has been running, in seconds; 0 on systems without ``/proc``.

    Field 22 of ``/proc/self/stat`` is the start in ticks since boot. The second field, the command's name in
    parentheses, may itself have spaces and parentheses, so fields are counted from after the last one: field 22 is then
    number 19.
    """
    try:
        after_name = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        began = int(after_name[19]) / os.sysconf("SC_CLK_TCK")
        return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - began)
    except (OSError, ValueError, IndexError, AttributeError):
        return 0.0
