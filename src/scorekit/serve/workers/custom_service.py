"""The component's ``custom_service()``, which runs beside the model, as in the stock wrapper (seldon-core 1.17.1)."""

import logging
import os
import signal

from ...errors import SetupError
from ...model import Component

log = logging.getLogger(__name__)


def start_custom_service(component: Component) -> int:
    """Run the component's service in a process of its own, and return its id; 0 if the component has none.

    It is a fork, as in the stock wrapper.
    """
    service = component.custom_service
    if service is None:
        return 0
    pid = os.fork()
    if pid:
        return pid
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which stops this process
        service()
        os._exit(0)
    except BaseException:
        log.exception("custom_service.failed")
    finally:
        os._exit(1)


def stop_custom_service(pid: int) -> None:
    """Stop the process and wait until it has exited. Raises ``SetupError`` if other code has reaped it."""
    try:
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)
    except (ProcessLookupError, ChildProcessError) as error:
        raise SetupError("the process of custom_service() is gone: other code in this process has reaped it") from error
