"""Processes that a model forks: they are the model's own, and must not serve.

A fork has all that its parent has: the listening sockets, which would keep the port taken when the server is gone; the
connections, which would stay open when the server closes them; the wake-up of signals, by which a SIGTERM for the child
stops the parent. And one that returns from `predict` would answer the same request a second time.
"""

import contextlib
import os
import signal
from _thread import get_ident
from collections.abc import Callable, Iterator

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)

_ours = False
_is_one = False


def guard(let_go: Callable[[], None]) -> None:
    """Have every process that user code forks from here on call ``let_go``, and end where it returns to us."""

    masks: dict[int, set[int]] = {}

    def hold() -> None:  # until the child has handlers of its own: before that they are its parent's
        masks[get_ident()] = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)

    def go_on() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, masks.pop(get_ident()))

    def forked() -> None:
        global _is_one
        if not _ours:
            _is_one = True
            signal.set_wakeup_fd(-1)
            for number in _SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            let_go()
        go_on()

    os.register_at_fork(before=hold, after_in_parent=go_on, after_in_child=forked)


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
