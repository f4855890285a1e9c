"""Builds the model once, before the workers are forked, if the user asks for it and a fork is safe.

Workers that are forked after the build share its memory. But a fork has only the thread that forked: a library whose
threads are missing waits for them for ever. Whether the build has started such threads can be counted, in 8 µs; that
libgomp is loaded says nothing, because scikit-learn always loads it. Counted on 2 CPUs after the build: 4 threads with
scikit-learn's LogisticRegression, whose fork predicts, and 5 with LightGBM, XGBoost, and HistGradientBoosting after a
prediction, whose forks hang.

These threads are expected, as they survive a fork or are not needed: the main thread; those of OpenBLAS, which starts
them again in a fork; and jemalloc's in the background (pyarrow).
"""

import atexit
import contextlib
import logging
import os
import sys
from importlib import import_module
from pathlib import Path

from ...settings.names import ENV_NO_PRELOAD

log = logging.getLogger(__name__)

_TASKS = Path("/proc/self/task")


def may_preload(asked: bool) -> bool:
    """Return whether to build the model before forking: if ``asked``, and it has not been found unsafe before."""
    return os.environ.pop(ENV_NO_PRELOAD, "") == "" and asked


def unexpected_threads() -> int | None:
    """Return how many threads of this process would be missing in a fork; ``None`` if they cannot be counted."""
    try:
        names = [(task / "comm").read_text().strip() for task in _TASKS.iterdir()]
    except OSError:
        return None
    return max(0, len(names) - 1 - names.count("jemalloc_bg_thd") - _threads_of_openblas())


def start_again_without_preload(threads: int | None) -> None:
    """Execute the command of this process again, so that no thread is left, and let each worker build the model."""
    log.warning(
        "preload.unsafe threads=%s: a fork would lack these threads of the model's libraries, so the server starts "
        "again, and each worker builds the model for itself",
        "unknown" if threads is None else threads,
    )
    with contextlib.suppress(Exception):
        atexit._run_exitfuncs()  # what the model has registered, such as to delete its temporary files
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {**os.environ, ENV_NO_PRELOAD: "1"})  # noqa: S606


def _threads_of_openblas() -> int:
    """Return how many threads OpenBLAS has beside the callers'; 0 without threadpoolctl, which scikit-learn brings."""
    try:
        pools = import_module("threadpoolctl").threadpool_info()
    except ImportError:
        return 0
    return sum(
        pool["num_threads"] - 1
        for pool in pools
        if pool["internal_api"] == "openblas" and pool["threading_layer"] == "pthreads"
    )
