"""How a worker begins: as a fork of the supervisor, or in an interpreter of its own."""

import atexit
import contextlib
import faulthandler
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterable

from ...errors import SetupError
from ...model import forks
from ...settings.names import ENV_WORKER
from .channel import say
from .process import Process

log = logging.getLogger(__name__)

Work = Callable[[list[socket.socket], socket.socket], None]
"""What a worker does, given its listening sockets and its end of the channel."""


def fork(process: Process, work: Work, forget: Callable[[], None], strangers: Iterable[socket.socket]) -> None:
    """Start ``process`` as a fork, which shares what has been built by now.

    In the fork ``forget`` is called first, and ``strangers`` are closed: the sockets of its siblings.
    Raises ``OSError`` where there can be no more processes.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    with forks.forking_worker():
        process.pid = os.fork()
    if process.pid:
        process.theirs.close()
        return
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        forget()
        for each in strangers:
            each.close()
        status = entered(work, process.slot.sockets, process.theirs)
    finally:
        with contextlib.suppress(Exception):  # as an interpreter does at its end
            atexit._run_exitfuncs()
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def spawn(process: Process) -> None:
    """Start ``process`` by the command this process was started with, in an interpreter that inherits no state.

    Raises ``OSError`` as :func:`fork` does, and where the interpreter is gone.
    """
    inherited = [process.theirs, *process.slot.sockets]
    for each in inherited:
        each.set_inheritable(True)
    told = {"channel": process.theirs.fileno(), "sockets": [each.fileno() for each in process.slot.sockets]}
    try:
        process.pid = os.posix_spawn(
            sys.executable,
            [sys.executable, *sys.orig_argv[1:]],
            {**os.environ, ENV_WORKER: json.dumps(told)},
            setsigdef=[signal.SIGTERM, signal.SIGINT],
        )
    finally:
        for each in inherited:
            each.set_inheritable(False)
    process.theirs.close()


def entered(work: Work, sockets: list[socket.socket], supervisor: socket.socket) -> int:
    """Do a worker's work. Returns its exit status; why it could not start is told to the supervisor."""
    signal.signal(signal.SIGHUP, lambda *_: None)  # the supervisor's affair, also where a terminal tells all of them
    faulthandler.enable()  # a crash in C, or a supervisor that has waited too long, shows which line of Python it was
    try:
        work(sockets, supervisor)
    except SetupError as error:
        with contextlib.suppress(OSError):
            say(supervisor, "failed", why=str(error))
        return 1
    except Exception:
        # The outermost handler of this process.
        log.exception("worker.crashed")
        return 1
    return 0
