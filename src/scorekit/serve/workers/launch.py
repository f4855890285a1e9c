"""How a worker is started: as a fork of the supervisor, which has imported and built nothing of the user's.

A library that has started threads of its own (OpenMP in LightGBM, XGBoost and HistGradientBoosting) waits for them for
ever in a fork, because a fork has only the thread that forked. So the model is built in the process that uses it. A
fork of a process without a model is as clean as a new interpreter, and it starts in milliseconds, because scorekit and
numpy are imported already.
"""

import contextlib
import faulthandler
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ...errors import SetupError
from ...model import forks
from .channel import send_state
from .interpreter_exit import exit_interpreter
from .process import WorkerProcess
from .slots import Slot
from .supervisor_channels import SupervisorChannels

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Work:
    """What the workers of a server do."""

    serve: Callable[[Sequence[socket.socket], socket.socket], None]
    """Builds the model and serves, given a worker's listening sockets and its end of the channel."""
    reads: str
    """What a new worker reads again, in words."""


def fork(body: Callable[[], int], *, forget: Callable[[], None], strangers: Iterable[socket.socket]) -> int:
    """Run ``body`` in a fork, which exits with the status that it returns; return the id of the process.

    In the fork ``forget`` is called first, and ``strangers`` are closed: these are the sockets of other processes.
    Raises ``OSError`` if the system has no more processes or memory.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.flush()  # or both processes would write what is buffered
    with forks.forking_worker():
        pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        forget()
        for each in strangers:
            each.close()
        status = body()
    finally:
        # The fork must not return into the code of the supervisor, so it ends here, as an interpreter does at its exit.
        exit_interpreter(status)


def enter(work: Work, sockets: Sequence[socket.socket], supervisor: socket.socket) -> int:
    """Do the work of a worker, and return its exit status. If it cannot start, the reason goes to the supervisor."""
    signal.signal(signal.SIGHUP, lambda *_: None)  # only the supervisor acts on it, but a terminal sends it to all
    faulthandler.enable()  # a crash in C, or SIGABRT from the supervisor, prints the Python stack of every thread
    try:
        work.serve(sockets, supervisor)
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
        self.work = work
        self._channels = channels

    def start(self, slot: Slot, reload: bool, strangers: Sequence[socket.socket]) -> WorkerProcess | None:
        """Return a new worker for the slot, which closes ``strangers``, the sockets of the other workers.

        Returns ``None``, with the reason in the log, if the system has no more processes, memory or files: a supervisor
        that died of this would take the workers along that still serve.
        """
        process = None
        try:
            process = WorkerProcess(slot.number, reload)
            self._channels.open(process)
            others = [*strangers, process.channel] if process.channel is not None else strangers
            theirs = process.theirs
            process.pid = fork(
                lambda: enter(self.work, slot.sockets, theirs), forget=self._channels.forget, strangers=others
            )
            theirs.close()
        except OSError as error:
            log.warning("worker.not_started slot=%d cause=%s", slot.number, error.strerror)
            if process is not None:
                self._channels.hang_up(process)
                process.theirs.close()
            return None
        return process

    def start_beside(self, body: Callable[[], int], strangers: Sequence[socket.socket]) -> int:
        """Run ``body`` in a process that is no worker, and return its id. Raises ``OSError`` as :func:`fork` does."""
        return fork(body, forget=self._channels.forget, strangers=strangers)
