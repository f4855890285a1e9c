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
"""What to run, and what to call with the seconds it took."""


class ModelThread:
    """The executor's thread; it calls back into ``loop``. It is started when first needed and ends with the process."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = loop
        self._work: SimpleQueue[Work] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def __repr__(self) -> str:
        return f"<ModelThread {'idle' if self._thread is None else 'started'} waiting={self._work.qsize()}>"

    def run(self, work: Callable[[], None], done: Callable[[float], None], /) -> None:
        """Run ``work`` in the thread; then call ``done`` in the event loop with the seconds it took."""
        if self._thread is None:
            # A daemon, because a prediction that never returns must not keep the process alive.
            self._thread = threading.Thread(target=self._serve, name="scorekit-predict", daemon=True)
            self._thread.start()
        self._work.put((work, done))

    def stack(self) -> str:
        """Return the lines of Python that the thread executes now, for the log; empty if it has not been started."""
        frame = None if self._thread is None else sys._current_frames().get(self._thread.ident or 0)
        return "".join(traceback.format_stack(frame)) if frame else ""

    def _serve(self) -> None:
        while True:
            work, done = self._work.get()
            began = time.perf_counter()
            work()
            seconds = time.perf_counter() - began
            with contextlib.suppress(RuntimeError):  # the loop is closed: the worker has exited meanwhile
                self._loop.call_soon_threadsafe(done, seconds)
