"""The end of a forked process: as an interpreter exits, but within a limit.

``os._exit`` alone would skip what libraries have registered: ``concurrent.futures`` and joblib tell the processes of
their pools to end in a hook of ``threading``, and multiprocessing ends its daemons in a hook of ``atexit``. An ordinary
exit would wait for ever for a thread or a process of the model that does not end. multiprocessing ends its own forks in
the same order (``BaseProcess._bootstrap``).
"""

import atexit
import contextlib
import logging
import os
import sys
import threading
import time
from typing import Any, NoReturn

log = logging.getLogger(__name__)

EXIT_S = 3.0
"""So long the threads and processes of the model have to end. It is part of the 20 s that a worker has to exit."""

_REAP_S = 0.5  # for multiprocessing's hook to reap the processes that have been killed


def exit_interpreter(status: int) -> NoReturn:
    """Run the hooks of an interpreter's exit, and exit with ``status`` after them, or after ``EXIT_S`` without them."""
    # A thread, as this one may wait for a lock in C that no signal interrupts.
    threading.Thread(target=_exit_late, args=(status,), name="scorekit-exit", daemon=True).start()
    for hook in (threading._shutdown, atexit._run_exitfuncs):  # type: ignore[attr-defined]  # threading's is private
        with contextlib.suppress(Exception):
            hook()
    _flush()
    os._exit(status)


def _exit_late(status: int) -> None:
    time.sleep(EXIT_S)
    children = _children()
    threads = [each.name for each in threading.enumerate() if not each.daemon and each is not threading.main_thread()]
    log.warning(
        "worker.exit_late pid=%d after_s=%g threads=%s processes=%s: these of the model have not ended, and are ended",
        *(os.getpid(), EXIT_S, threads, [child.pid for child in children]),
    )
    for child in children:
        child.kill()
    if children:
        time.sleep(_REAP_S)
    _flush()
    os._exit(status)


def _children() -> list[Any]:
    """Return the running processes that were started by multiprocessing, if it has been imported."""
    multiprocessing = sys.modules.get("multiprocessing")
    return multiprocessing.active_children() if multiprocessing else []


def _flush() -> None:
    with contextlib.suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
