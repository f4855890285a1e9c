"""A server from its start to its end: reserve the ports, then run workers below a supervisor.

Without ``--preload`` the supervisor imports and builds nothing of the user's. Each worker does that for itself, and the
first one tells the supervisor what depends on the class: whether it has a ``custom_service()``, and whether it learns
from feedback.
"""

import functools
import logging
import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..model import Component, forks
from ..net import reserve_shared
from ..settings import Settings
from .guard import load_keys, server_context
from .workers.channel import send_state
from .workers.custom_service import CustomService
from .workers.deadlines import Deadlines
from .workers.launch import Work
from .workers.preload import may_preload, start_again_without_preload, unexpected_threads
from .workers.process_table import ProcessTable
from .workers.served_model import ServedModel, build_component, build_served_model
from .workers.slots import Slot
from .workers.sockets import close_sockets_at
from .workers.supervisor import Supervisor
from .workers.worker import Worker

log = logging.getLogger(__name__)

Ready = Callable[[str, list[Mapping[str, Any]]], None]
"""Called with the server's address and with the state that each worker has reported."""

Read = Callable[[], tuple[Settings, Path]]
"""Returns the settings in force now, and the component's folder."""


def run(settings: Settings, read: Read, workers: int, ready: Ready) -> None:
    """Serve the component by ``workers`` processes until SIGTERM or SIGINT, drain, and return.

    Each worker calls ``read`` and builds the component for itself; ``ready`` is called once all workers answer.
    Raises ``SetupError`` if a file or port cannot be used, or the component cannot be built or loaded.
    """
    # The order matters. Ports, certificate and keys are checked first, because a model may take minutes to load. The
    # ports are bound but nothing listens on them before the model answers, so a probe cannot mistake a server that
    # loads for one that is ready. The ports are bound before the number of workers is final: that depends on the class.
    server_context(settings.listen.tls_cert, settings.listen.tls_key)
    load_keys(settings.listen.api_key_file, settings.listen.api_keys)
    by_port = [reserve_shared(settings.listen.host, port, workers) for port in _ports(settings)]
    forks.guard(functools.partial(close_sockets_at, [sockets[0].getsockname()[1] for sockets in by_port]))
    slots = [Slot(number, [sockets[number] for sockets in by_port]) for number in range(workers)]
    address = _address(by_port[0][0], "https" if settings.listen.tls_cert else "http")
    build = functools.partial(_build, read)
    if may_preload(settings.workers.preload):
        preloaded = build()
        if (threads := unexpected_threads()) != 0:
            start_again_without_preload(threads)
        work = Work(functools.partial(_serve, lambda: preloaded), "nothing again, because of --preload")
        custom_service = CustomService(lambda: preloaded.component)
    else:
        work = Work(functools.partial(_serve, build), "everything again")
        custom_service = CustomService(functools.partial(_component, read))
    supervisor = Supervisor(
        ProcessTable(slots, first_alone=settings.workers.count is None),
        work,
        functools.partial(ready, address),
        Deadlines(settings.workers.probe_timeout_s, settings.workers.predict_timeout_s),
        custom_service=custom_service,
    )
    try:
        supervisor.run()
    finally:
        custom_service.stop()


def _ports(settings: Settings) -> list[int]:
    """Return the ports for requests, then that of the metrics page."""
    ports = [settings.listen.http_port]
    if settings.listen.grpc_workers and settings.listen.grpc_port != settings.listen.http_port:
        ports.append(settings.listen.grpc_port)
    return [*ports, settings.listen.metrics_port]


def _address(bound: socket.socket, scheme: str) -> str:
    host, port = bound.getsockname()[:2]
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _component(read: Read) -> Component:
    return build_component(*read())


def _build(read: Read) -> ServedModel:
    return build_served_model(*read())


def _serve(build: Callable[[], ServedModel], sockets: Sequence[socket.socket], supervisor: socket.socket) -> None:
    served = build()
    send_state(supervisor, "built", **served.facts)
    Worker(served, sockets[:-1], sockets[-1], supervisor).run()
