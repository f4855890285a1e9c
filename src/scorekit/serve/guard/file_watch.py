"""Files that change under a running server: keys and certificates, which are replaced before they end."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from ...errors import SetupError

log = logging.getLogger(__name__)

State = tuple[tuple[int, int, int] | None, ...]


def state(paths: Sequence[str]) -> State:
    """What changes when a file is written or another takes its place, as Kubernetes exchanges mounted secrets."""
    return tuple(map(_state, paths))


def _state(path: str) -> tuple[int, int, int] | None:
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size


async def watch(paths: Sequence[str], read: Callable[[], None], every_s: float = 2.0) -> None:
    """Call ``read`` whenever a file has changed, for ever. What it cannot use leaves what was in force, and is told."""
    seen = state(paths)
    while True:
        await asyncio.sleep(every_s)
        now = state(paths)
        if now != seen:
            seen = now
            try:
                read()
            except SetupError as error:
                log.warning("reload.failed files=%s cause=%s", ",".join(paths), error)
            else:
                log.info("reload.done files=%s", ",".join(paths))
