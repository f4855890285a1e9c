"""Files that change under a running server: keys and certificates, which are replaced before they expire."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from ...errors import SetupError
from ..limits.periodic import repeat

log = logging.getLogger(__name__)

FileState = tuple[int, int, int] | None
"""Time of change, inode and size; ``None`` if the file is missing."""


def state(paths: Sequence[str]) -> tuple[FileState, ...]:
    """Return a value that changes if one of the files is written or replaced.

    The inode counts because Kubernetes replaces a mounted secret by another file, behind a symbolic link.
    """
    return tuple(map(_state, paths))


def _state(path: str) -> FileState:
    try:
        status = Path(path).stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size


async def watch(paths: Sequence[str], load: Callable[[], None], every_s: float = 2.0) -> None:
    """Call ``load`` whenever one of the files has changed, for ever.

    If it raises ``SetupError`` the reason is logged, and what was loaded before stays in force.
    """
    before = state(paths)

    def check() -> None:
        nonlocal before
        now = state(paths)
        if now != before:
            before = now
            try:
                load()
            except SetupError as error:
                log.warning("reload.failed files=%s cause=%s", ",".join(paths), error)
            else:
                log.info("reload.done files=%s", ",".join(paths))

    await repeat("file_watch", check, every_s)
