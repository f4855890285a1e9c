"""How many CPUs this process may use: what its control group grants, or what it may be scheduled on."""

import os
from pathlib import Path

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
"""The variables by which numeric libraries are told how many threads to use, read when they are imported."""


def available() -> float:
    """CPUs this process may use at once: the quota where there is one, else the cores it may run on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(quota() or cores, cores)


def quota(root: Path = Path("/")) -> float | None:
    """The CPUs that the control group grants, as a container's limit is made; ``None`` without a limit.

    Of nested groups the smallest grant counts. Reads version 2 and version 1 below ``root``.
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
        # Inside a container the path may be the host's, which is not there, or "/": its own group is the mount then.
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
    except (OSError, ValueError, ZeroDivisionError):  # no such file, or "max"
        return None


def _version_1(folder: Path) -> float | None:
    try:
        granted, period = (int((folder / f"cpu.cfs_{name}_us").read_text()) for name in ("quota", "period"))
    except (OSError, ValueError):
        return None
    return granted / period if granted > 0 and period > 0 else None
