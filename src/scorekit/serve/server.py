"""One serving process, from listening to the last answer of a drain."""

import asyncio
import logging
import signal
from collections.abc import Callable
from pathlib import Path

from ..component import build
from ..service import Service
from ..settings import Settings
from ..sockets import reserve
from .http import Connection
from .rest import Rest, refuse

log = logging.getLogger(__name__)

# A request still unanswered after this is cut off. Kubernetes allows a pod 30 s, the Seldon operator asks for 20 s.
GRACE_S = 15.0


async def run(settings: Settings, directory: Path | None, ready: Callable[[str], None]) -> None:
    """Load the component, serve until SIGTERM or SIGINT, drain, return.

    ``ready`` is called once with the address that answers. Raises ``SetupError`` where it cannot start.
    """
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)

    # Bound before the model loads, listening only after: a taken port is told at once, and no probe is fooled.
    address = reserve(settings.host, settings.http_port)
    component = build(settings.model_name, directory, settings.parameters)
    component.load()
    path = {settings.unit_id: settings.unit_image} if settings.unit_id else {}
    rest = Rest(Service(component, loop, path, settings.max_batch_rows if settings.batching else None))
    fleet: set[Connection] = set()
    server = await loop.create_server(
        lambda: Connection(rest, refuse, fleet, settings.max_body_bytes), sock=address, backlog=1024
    )
    host, port = address.getsockname()[:2]
    ready(f"http://{host}:{port}")
    await stopped.wait()

    rest.stop_being_ready()
    server.close()
    await drain(fleet, GRACE_S)


async def drain(fleet: set[Connection], grace_s: float) -> None:
    """Let every connection answer what it holds; cut off what is left after ``grace_s`` seconds."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + grace_s
    for connection in list(fleet):
        connection.drain()
    while fleet and loop.time() < deadline:
        await asyncio.sleep(0.01)
    if fleet:
        log.warning("drain.cut_off connections=%d after_s=%g", len(fleet), grace_s)
    for connection in list(fleet):
        connection.abort()
