"""One serving process, from listening to the last answer of a drain."""

import asyncio
import logging
import multiprocessing
import os
import signal
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import uvloop

from ..component import Component, build
from ..conformity import Conformity
from ..errors import BadMetadata
from ..metadata import Metadata, described
from ..metrics import Metrics, component_labels
from ..openapi import document
from ..service import Service
from ..settings import UNSET, UNSET_IMAGE, Settings
from ..sockets import reserve
from . import contracts
from .detect import Detect
from .exchange import Exchange
from .fleet import Fleet
from .grpc import Grpc
from .http import Connection
from .http2 import Connection as Http2
from .metrics import MetricsPage
from .rest import Manners, Rest, refuse

log = logging.getLogger(__name__)

# A request still unanswered after this is cut off. Kubernetes allows a pod 30 s, the Seldon operator asks for 20 s.
# A prediction that is being made is not cut off: it runs in this thread.
GRACE_S = 15.0

# How long a server that was told to stop goes on taking what comes, with "Connection: close" in each answer: a request
# may be on its way to a connection that looks idle, and closing it then would reset it.
LINGER_S = 0.25

_SCRAPE_BYTES = 65536

Ready = Callable[[str, bool], None]
"""Told the address that answers, and whether requests are merged."""


def run(settings: Settings, directory: Path | None, ready: Ready) -> None:
    """Load the component, serve until SIGTERM or SIGINT, drain, return.

    Every port answers REST and gRPC alike. ``ready`` is called once, when requests are answered. Raises ``SetupError``
    where it cannot start.
    """
    # Bound before the model loads, listening only after: a taken port is told at once, and no probe is fooled.
    ports = [settings.http_port]
    if settings.grpc_workers and settings.grpc_port != settings.http_port:
        ports.append(settings.grpc_port)
    addresses = [reserve(settings.host, port) for port in ports]
    page = reserve(settings.host, settings.metrics_port)
    contract = contracts.enforced(settings.contract, directory)
    check = None if contract is None else Conformity(contract)
    # Loaded before there is an event loop, so that a signal ends a long load at once.
    component = build(settings.model_name, directory, settings.parameters, settings.expose_errors)
    metadata = _metadata(settings, component)
    version = next(filter(None, (metadata or {}).get("versions", [])), "0.1")  # the stock document's own
    told = document(settings.model_name, contract or contracts.described(directory), version)
    component.load()
    _start_custom_service(component, [*addresses, page])
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, component, metadata, told, check, addresses, page, ready))


def _metadata(settings: Settings, component: Component) -> Metadata | None:
    """The model's metadata; ``None``, with the reason in the log, where they are none: predictions do not suffer."""
    image = None if settings.unit_image == UNSET_IMAGE else settings.unit_image
    try:
        return described(component.init_metadata(), settings.model_metadata, image)
    except BadMetadata as error:
        log.warning("metadata.invalid cause=%s", error)
        return None


def _metrics(settings: Settings) -> Metrics:
    labels = component_labels(
        settings.deployment_id,
        settings.predictor_id,
        settings.predictor_version,
        settings.unit_id or UNSET,
        settings.unit_image,
        UNSET,
    )
    return Metrics(labels, str(os.getpid()) if settings.metrics_worker_id else None, settings.count_feedback)


def _start_custom_service(component: Component, addresses: list[socket.socket]) -> None:
    """Run the class's own service in a process of its own, which ends with this one."""
    service = component.custom_service
    if service is None:
        return

    def run() -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which ends this
        for address in addresses:
            address.close()
        service()

    # Forked, as by the stock wrapper: the service is a method of an object that need not be picklable.
    multiprocessing.get_context("fork").Process(target=run, daemon=True).start()


async def _serve(
    settings: Settings,
    component: Component,
    metadata: Metadata | None,
    told: Mapping[str, Any],
    check: Conformity | None,
    addresses: list[socket.socket],
    page: socket.socket,
    ready: Ready,
) -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    path = {settings.unit_id: settings.unit_image} if settings.unit_id else {}
    max_batch_rows = settings.max_batch_rows if settings.batching else None
    metrics = _metrics(settings)
    service = Service(component, loop, path, max_batch_rows, settings.include_metrics, metrics, check)
    manners = Manners(settings.compatibility == "stock", settings.cors_allowed_origins)
    rest = Rest(service, metadata, settings.payload_passthrough, manners, told)
    grpc = Grpc(service, settings.max_grpc_message_bytes, metadata, metrics.request)
    fleet: Fleet = set()
    readers: Fleet = set()

    def observe(exchange: Exchange, status: int) -> None:
        seconds = time.perf_counter() - exchange.started
        metrics.request(exchange.service, exchange.method.lower(), str(status), seconds)

    def connect() -> Detect:
        connection = Detect(
            lambda: Connection(rest, manners.refuse, fleet, settings.max_body_bytes, observe),
            lambda: Http2(grpc, fleet),
            fleet,
        )
        if not rest.ready:
            connection.drain()
        return connection

    def text() -> bytes:
        in_flight = sum(connection.open_requests for connection in fleet)
        return metrics.text({"scorekit_connections": len(fleet), "scorekit_in_flight_requests": in_flight})

    shown = MetricsPage(settings.metrics_endpoint, text)
    scraped = await loop.create_server(lambda: Connection(shown, refuse, readers, _SCRAPE_BYTES), sock=page)
    servers = [await loop.create_server(connect, sock=address, backlog=1024) for address in addresses]
    host, port = addresses[0].getsockname()[:2]
    ready(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}", service.batching)
    await stopped.wait()

    rest.stop_being_ready()
    grpc.stop_being_ready()
    for connection in list(fleet):
        connection.drain()
    await asyncio.sleep(LINGER_S)
    for server in servers:
        server.close()
    await drain(fleet, GRACE_S)
    scraped.close()
    await drain(readers, 1.0)


async def drain(fleet: Fleet, grace_s: float) -> None:
    """Close every connection once it has answered what it holds; cut off what is left after ``grace_s`` seconds."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + grace_s
    for connection in list(fleet):
        connection.drain()
        connection.close_if_quiet()
    while fleet and loop.time() < deadline:
        await asyncio.sleep(0.01)
    if fleet:
        log.warning("drain.cut_off connections=%d after_s=%g", len(fleet), grace_s)
    for connection in list(fleet):
        connection.abort()
