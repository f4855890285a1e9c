"""How much memory the container may use: the limit of its control group."""

from collections.abc import Sequence
from pathlib import Path

# Version 2 and version 1 of control groups, as a container sees its own group.
_FILES = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
_NO_LIMIT = 1 << 60
"""Version 1 writes a number near 2^63 where there is none; version 2 writes a word."""


def memory_limit_mib(files: Sequence[Path] = _FILES) -> int | None:
    """Return the limit in MiB; ``None`` if there is none, or nothing that says so."""
    for file in files:
        try:
            limit = int(file.read_text(encoding="ascii"))
        except (OSError, ValueError):
            continue
        return limit >> 20 if limit < _NO_LIMIT else None
    return None
