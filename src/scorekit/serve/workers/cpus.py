"""How many CPUs this process may use: the quota of its control group, or the cores it may be scheduled on."""

import os
from pathlib import Path

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
"""Variables that limit the threads of numeric libraries, which read them when they are imported."""


def available() -> float:
    """Return how many CPUs this process may use at once: the quota if there is one, but no more than the cores."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(quota() or cores, cores)


def quota(root: Path = Path("/")) -> float | None:
    """Return the number of CPUs in the limit of the container; ``None`` without a limit.

    A container's limit is a quota of its control group: so many microseconds of CPU time in each period. Groups are
    nested, and the smallest quota counts. Versions 1 and 2 of control groups are read, below ``root``.
    """
    try:
        groups = (root / "proc/self/cgroup").read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    grants = []
    for line in groups:
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        mount = root / "sys/fs/cgroup" / ("cpu" if controllers else "")
        # In a container the path may be that of the host, where this container sees nothing, or "/". Its own group is
        # then the mount itself, so all folders from the path up to the mount are read.
        folder = mount / path.lstrip("/")
        while folder.is_relative_to(mount):
            grants.append(_version_1(folder) if controllers else _version_2(folder))
            if folder == mount:
                break
            folder = folder.parent
    return min((grant for grant in grants if grant), default=None)


def _version_2(folder: Path) -> float | None:
    try:
        granted, period = (folder / "cpu.max").read_text(encoding="ascii").split()
        return int(granted) / int(period)
    except (OSError, ValueError, ZeroDivisionError):  # there is no such file, or it says "max"
        return None


def _version_1(folder: Path) -> float | None:
    try:
        granted, period = (int((folder / f"cpu.cfs_{name}_us").read_text()) for name in ("quota", "period"))
    except (OSError, ValueError):
        return None
    return granted / period if granted > 0 and period > 0 else None
