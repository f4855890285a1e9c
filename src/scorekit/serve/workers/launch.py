"""How a worker is started: as a fork of the supervisor, or in an interpreter of its own.

A fork starts in milliseconds and shares the memory of what the supervisor has built. A fresh interpreter reads code and
model again, which a reload (SIGHUP) needs, and has no state of a library that does not survive a fork.
"""

import atexit
import contextlib
import faulthandler
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterable, Sequence

from ...errors import SetupError
from ...model import forks
from ...settings.names import ENV_WORKER
from .channel import send_state
from .process import WorkerProcess
from .slots import Slot
from .supervisor_channels import SupervisorChannels

log = logging.getLogger(__name__)

Work = Callable[[Sequence[socket.socket], socket.socket], None]
"""What a worker does, given its listening sockets and its end of the channel."""


def fork(
    process: WorkerProcess,
    sockets: Sequence[socket.socket],
    work: Work,
    *,
    forget: Callable[[], None],
    strangers: Iterable[socket.socket],
) -> None:
    """Start ``process`` as a fork, which does ``work`` with ``sockets`` and then exits.

    In the fork ``forget`` is called first, and ``strangers`` are closed: these are the sockets of the other workers.
    Raises ``OSError`` if the system has no more processes or memory.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.flush()  # or both processes would write what is buffered
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
        status = enter(work, sockets, process.theirs)
    finally:
        # The fork must not return into the code of the supervisor, so it ends here, as an interpreter does at its exit.
        with contextlib.suppress(Exception):
            atexit._run_exitfuncs()
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def spawn(process: WorkerProcess, sockets: Sequence[socket.socket]) -> None:
    """Start ``process`` by the command line of this process, in a fresh interpreter that inherits only its sockets.

    ``SCOREKIT_WORKER`` tells it that it is a worker, and the numbers of its file descriptors.
    Raises ``OSError`` as :func:`fork` does, and if the interpreter cannot be executed any more.
    """
    inherited = [process.theirs, *sockets]
    for each in inherited:
        each.set_inheritable(True)
    descriptors = {"channel": process.theirs.fileno(), "sockets": [each.fileno() for each in sockets]}
    try:
        process.pid = os.posix_spawn(
            sys.executable,
            [sys.executable, *sys.orig_argv[1:]],
            {**os.environ, ENV_WORKER: json.dumps(descriptors)},
            setsigdef=[signal.SIGTERM, signal.SIGINT],
        )
    finally:
        for each in inherited:
            each.set_inheritable(False)
    process.theirs.close()


def enter(work: Work, sockets: Sequence[socket.socket], supervisor: socket.socket) -> int:
    """Do the work of a worker, and return its exit status. If it cannot start, the reason goes to the supervisor."""
    signal.signal(signal.SIGHUP, lambda *_: None)  # only the supervisor acts on it, but a terminal sends it to all
    faulthandler.enable()  # a crash in C, or SIGABRT from the supervisor, prints the Python stack of every thread
    try:
        work(sockets, supervisor)
    except SetupError as error:
        with contextlib.suppress(OSError):
            send_state(supervisor, "failed", why=str(error))
        return 1
    except Exception:
        # The outermost handler of this process.
        log.exception("worker.crashed")
        return 1
    return 0


class Launcher:
    """Starts workers that do ``work``, and opens their channels."""

    def __init__(self, work: Work, channels: SupervisorChannels) -> None:
        self._work = work
        self._channels = channels

    def start(self, slot: Slot, fresh: bool, strangers: Sequence[socket.socket]) -> WorkerProcess | None:
        """Return a new worker for the slot; a fork closes ``strangers``, the sockets of the other workers.

        Returns ``None``, with the reason in the log, if the system has no more processes, memory or files: a supervisor
        that died of this would take the workers along that still serve.
        """
        process = None
        try:
            process = WorkerProcess(slot.number, fresh)
            self._channels.open(process)
            if fresh:
                spawn(process, slot.sockets)
            else:
                others = [*strangers, process.channel] if process.channel is not None else strangers
                fork(process, slot.sockets, self._work, forget=self._channels.forget, strangers=others)
        except OSError as error:
            log.warning("worker.not_started slot=%d cause=%s", slot.number, error.strerror)
            if process is not None:
                self._channels.hang_up(process)
                process.theirs.close()
            return None
        return process
