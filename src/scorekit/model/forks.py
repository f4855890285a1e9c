"""Processes that a model forks: they are the model's own, and must not serve.

A fork inherits all that its parent has, and each of these goes wrong in its own way:

* the listening sockets would keep the port in use when the server has gone, so the child closes them;
* the connections would stay open when the server closes them, likewise;
* the wake-up of signals, a pipe to the parent's event loop, would let a SIGTERM for the child stop the parent, so the
  child takes the default actions for signals;
* a child that returns from ``predict`` would answer the same request a second time, so it ends where user code returns.

Signals are blocked from before the fork until the child has its own handlers: one that came in between would run the
parent's handlers in the child.
"""

import contextlib
import os
import signal
from _thread import get_ident
from collections.abc import Callable, Iterator

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)

_forking_worker = False  # the fork that is being made is a worker of ours
_is_users_fork = False


def guard(let_go: Callable[[], None]) -> None:
    """Have every process that user code forks from now on call ``let_go``, and end where it returns to us.

    ``let_go`` closes the descriptors that the child must not keep. It is called once in each child.
    """

    masks: dict[int, set[int]] = {}  # by thread, for several may fork at the same time

    def block_signals() -> None:
        masks[get_ident()] = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)

    def restore_signals() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, masks.pop(get_ident()))

    def begin_child() -> None:
        global _is_users_fork
        if not _forking_worker:
            _is_users_fork = True
            signal.set_wakeup_fd(-1)
            for number in _SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            let_go()
        restore_signals()

    os.register_at_fork(before=block_signals, after_in_parent=restore_signals, after_in_child=begin_child)


@contextlib.contextmanager
def forking_worker() -> Iterator[None]:
    """Mark the forks made in this block as workers of the server's."""
    global _forking_worker
    _forking_worker = True
    try:
        yield
    finally:
        _forking_worker = False


def end_if_forked() -> None:
    """End this process if user code has forked it. Called wherever user code returns."""
    if _is_users_fork:
        os._exit(0)
