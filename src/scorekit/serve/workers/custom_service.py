"""The component's ``custom_service()``, which runs beside the model, as in the stock wrapper (seldon-core 1.17.1).

Its process builds a component of its own, for the same reason as a worker does: threads of a library do not survive a
fork. So what the class keeps in memory is not shared with the workers.
"""

import contextlib
import logging
import os
import signal
from collections.abc import Callable

from ...errors import SetupError
from ...model import Component

log = logging.getLogger(__name__)


class CustomService:
    """The process of ``custom_service()``, if the component has one. ``build`` returns the component."""

    def __init__(self, build: Callable[[], Component]) -> None:
        self._build = build
        self._pid = 0

    def __repr__(self) -> str:
        return f"<CustomService pid={self._pid}>"

    def start(self, launch: Callable[[Callable[[], int]], int]) -> None:
        """Start the service by ``launch``, which runs a function in a process of its own and returns its id."""
        try:
            self._pid = launch(self._serve)
        except OSError as error:
            log.warning("custom_service.not_started cause=%s", error.strerror)

    def stop(self) -> None:
        """Stop the process, if there is one, and wait until it has exited."""
        if self._pid:
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(self._pid, signal.SIGTERM)
                os.waitpid(self._pid, 0)

    def _serve(self) -> int:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which stops this process
        try:
            service = self._build().custom_service
            if service is not None:
                service()
        except SetupError as error:
            log.warning("custom_service.failed cause=%s", error)
        except BaseException:
            log.exception("custom_service.failed")
        else:
            return 0
        return 1
