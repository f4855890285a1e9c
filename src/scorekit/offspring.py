"""Processes that a model forks: they are the model's own, and must not serve.

A fork has all that its parent has: the listening sockets, which would keep the port taken when the server is gone; the
connections, which would stay open when the server closes them; the wake-up of signals, by which a SIGTERM for the child
stops the parent. And one that returns from `predict` would answer the same request a second time.
"""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator

_ours = False
_is_one = False


def guard(let_go: Callable[[], None]) -> None:
    """Have every process that user code forks from here on call ``let_go``, and end where it returns to us."""

    def forked() -> None:
        global _is_one
        if _ours:
            return
        _is_one = True
        with contextlib.suppress(ValueError):  # not in the main thread, says an interpreter that forked in another
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
        let_go()

    os.register_at_fork(after_in_child=forked)


@contextlib.contextmanager
def ours() -> Iterator[None]:
    """A fork made in this block is a worker."""
    global _ours
    _ours = True
    try:
        yield
    finally:
        _ours = False


def end_here() -> None:
    """End this process if it is one that user code forked and then forgot."""
    if _is_one:
        os._exit(0)
