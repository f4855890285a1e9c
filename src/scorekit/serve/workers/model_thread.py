"""The thread in which a slow model predicts."""

import contextlib
import sys
import threading
import time
import traceback
from asyncio import AbstractEventLoop
from collections.abc import Callable
from queue import SimpleQueue

Work = tuple[Callable[[], None], Callable[[float], None]]


class WorkerThread:
    """Fulfils ``executor.Thread`` for ``loop``. It is started when first needed and ends with the process."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = loop
        self._work: SimpleQueue[Work] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def __repr__(self) -> str:
        return f"<WorkerThread {'idle' if self._thread is None else 'started'} waiting={self._work.qsize()}>"

    def run(self, work: Callable[[], None], done: Callable[[float], None], /) -> None:
        if self._thread is None:
            # A daemon: a predict that never ends must not keep a server from ending.
            self._thread = threading.Thread(target=self._serve, name="scorekit-predict", daemon=True)
            self._thread.start()
        self._work.put((work, done))

    def where(self) -> str:
        """The lines of Python that it is at, for the log; empty where it is at none."""
        frame = None if self._thread is None else sys._current_frames().get(self._thread.ident or 0)
        return "".join(traceback.format_stack(frame)) if frame else ""

    def _serve(self) -> None:
        while True:
            work, done = self._work.get()
            began = time.perf_counter()
            work()
            seconds = time.perf_counter() - began
            with contextlib.suppress(RuntimeError):  # the loop is closed: the server has ended without us
                self._loop.call_soon_threadsafe(done, seconds)
