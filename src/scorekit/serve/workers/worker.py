"""One serving process, from loading the model to the last answer of a drain."""

import asyncio
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import uvloop

from ...contract.columns import Contract
from ...contract.enforce import ContractCheck
from ...inference.batch_trial import Verdict
from ...inference.executor import Executor
from ...inference.service import Service
from ...metrics.exposition import Histogram, plain
from ...metrics.registry import Metrics, component_labels
from ...model.component import Component
from ...model.metadata import Metadata
from ...settings import UNSET, Settings
from ..accept import Doors, client_timeouts
from ..detect import ProtocolDetector, TooManyConnections
from ..grpc.services import GrpcServices
from ..http1.connection import Http1Connection
from ..http1.exchange import Exchange
from ..limits.open_connections import OpenConnections, close_slow_clients, drain
from ..rest import RestOptions, RestRoutes, refuse
from . import channel
from .channel import Channel, say
from .metrics_page import MetricsPage
from .model_thread import WorkerThread
from .probe import Probe, until_it_works
from .shutdown import Ending, Why, wind_up
from .watchdog import Watchdog, rss_mb

log = logging.getLogger(__name__)

STUCK_STATUS = 70
"""The exit status of a worker whose model hangs."""

_SCRAPE_BYTES = 65536


@dataclass(frozen=True, slots=True)
class Built:
    """What every worker has in common, made once."""

    settings: Settings
    component: Component
    metadata: Metadata | None
    document: Mapping[str, Any]
    """The OpenAPI document of the model."""
    contract: Contract | None
    """What describes the model's rows, if anything does."""
    check: ContractCheck | None
    """What requests must keep to."""


def work(built: Built, addresses: list[socket.socket], page: socket.socket, supervisor: socket.socket) -> None:
    """Load the model, tell ``supervisor`` of each step, serve until SIGTERM or SIGINT, drain, return.

    Every address answers REST and gRPC alike. Raises ``SetupError`` where ``load()`` fails.
    """
    probe = Probe(built.component, built.contract)
    began = time.perf_counter()
    built.component.load()
    probe.took["load"] = time.perf_counter() - began
    say(supervisor, "loaded")
    probe.first()
    say(supervisor, "probed")
    verdict = probe.verdict(built.settings.model.batching)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        why = runner.run(_serve(built, addresses, page, supervisor, verdict, probe))
        if why is Why.STUCK:
            sys.stderr.flush()
            os._exit(STUCK_STATUS)  # the thread that hangs must not be waited for, nor what the model does at exit


def _metrics(settings: Settings) -> Metrics:
    observability = settings.observability
    labels = component_labels(
        deployment=observability.deployment_id,
        predictor=observability.predictor_id,
        predictor_version=observability.predictor_version,
        model=observability.unit_id or UNSET,
        image=observability.unit_image,
        unset=UNSET,
    )
    return Metrics(
        labels,
        str(os.getpid()) if settings.observability.metrics_worker_id else None,
        settings.observability.count_feedback,
    )


def _told(metadata: Metadata | None, verdict: Verdict, settings: Settings) -> Metadata | None:
    """The metadata, with what was decided about merging where somebody asked for it."""
    if metadata is None or settings.model.batching == "off" or settings.model.compatibility == "stock":
        return metadata
    decision = {"scorekit.batching": "on" if verdict.merges else "off", "scorekit.batching.reason": verdict.reason}
    return {**metadata, "custom": {**decision, **metadata["custom"]}}


def observer(metrics: Metrics) -> Callable[[Exchange, int], None]:
    """What counts answered exchanges in ``metrics``."""
    found: dict[tuple[str, str, int], Histogram] = {}

    def observe(exchange: Exchange, status: int) -> None:
        key = exchange.service, exchange.head.method, status
        histogram = found.get(key)
        if histogram is None:
            histogram = found[key] = metrics.requests(exchange.service, exchange.head.method.lower(), str(status))
        histogram.observe(time.perf_counter() - exchange.started)

    return observe


async def _serve(
    built: Built,
    addresses: list[socket.socket],
    page: socket.socket,
    supervisor: socket.socket,
    verdict: Verdict,
    probe: Probe,
) -> Why:
    settings = built.settings
    loop = asyncio.get_running_loop()
    ending = Ending()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.stop)
    path = {settings.observability.unit_id: settings.observability.unit_image} if settings.observability.unit_id else {}
    metrics = _metrics(settings)
    thread = WorkerThread(loop)
    lane = Executor(loop, thread, observe=metrics.calls.observe, mean_s=probe.call_s)
    service = Service(
        built.component,
        loop,
        path=path,
        max_batch_rows=settings.model.max_batch_rows if verdict.merges else None,
        include_metrics=settings.model.include_metrics,
        metrics=metrics,
        check=built.check,
        executor=lane,
        max_batch_delay_s=settings.model.max_batch_delay_ms / 1000,
        max_in_flight=settings.limits.max_in_flight,
        max_wait_s=settings.limits.max_wait_ms / 1000,
    )
    metadata = _told(built.metadata, verdict, settings)
    timeout_s = settings.limits.request_timeout_ms / 1000 or float("inf")
    manners = RestOptions(settings.model.compatibility == "stock", settings.listen.cors_allowed_origins, timeout_s)
    rest = RestRoutes(
        service,
        metadata=metadata,
        payload_passthrough=settings.model.payload_passthrough,
        options=manners,
        document=built.document,
    )
    grpc = GrpcServices(
        service,
        max_message_bytes=settings.limits.max_grpc_message_bytes,
        metadata=metadata,
        observe=metrics.request,
    )
    fleet: OpenConnections = set()
    readers: OpenConnections = set()
    scrapes: list[Callable[[bytes], None]] = []

    doors = Doors(settings, rest, grpc, manners, observer(metrics), fleet)

    def connect() -> ProtocolDetector | TooManyConnections:
        if len(fleet) >= settings.limits.max_connections:
            return TooManyConnections()
        connection = doors.connection()
        if ending.why is not None:
            connection.drain()
        return connection

    def count() -> None:
        gauges = {
            "scorekit_connections": len(fleet),
            "scorekit_in_flight_requests": sum(connection.open_requests for connection in fleet),
            "scorekit_waiting_calls": lane.waiting,
            "scorekit_predict_in_thread": float(lane.in_thread),
            "scorekit_worker_rss_bytes": rss_mb() * 1024 * 1024,
        }
        above.send(channel.FAMILIES, orjson.dumps(plain(metrics.families(gauges))))

    def heard(kind: bytes, payload: bytes) -> None:
        if kind == channel.COUNT:
            count()
        elif kind == channel.TEXT:
            waiting = scrapes.copy()
            scrapes.clear()
            for answer in waiting:
                answer(payload)
        elif kind == channel.RETIRE:
            ending.retire()

    def scrape(answer: Callable[[bytes], None]) -> None:
        scrapes.append(answer)
        above.send(channel.SCRAPE)

    def hangs() -> None:
        above.send(channel.STUCK)
        lane.give_up()
        ending.stuck()

    def works() -> None:
        log.info("probe.answered: this worker is ready now")
        rest.be_ready()
        grpc.be_ready()

    supervisor.setblocking(False)
    _, above = await loop.create_connection(lambda: Channel(heard, ending.stop), sock=supervisor)
    if probe.failed:
        log.warning("probe.unready: /health/status answers 503 until the model answers a row of its contract")
        rest.stop_being_ready("the model failed on a row of its own contract")
        grpc.stop_being_ready()
        until_it_works(probe, lane, loop.call_later, works)
    shown = MetricsPage(settings.observability.metrics_endpoint, scrape)
    scraped = await loop.create_server(lambda: Http1Connection(shown, refuse, readers, _SCRAPE_BYTES), sock=page)
    servers = [
        await loop.create_server(connect, sock=address, backlog=1024, **doors.encryption()) for address in addresses
    ]
    state = {"state": "ready", "batching": service.batching, "reason": verdict.reason, "took": probe.took}
    above.send(channel.STATE, orjson.dumps(state))
    watchdog = Watchdog(settings, lane, thread, metrics, above.send, hangs)
    watching = [asyncio.ensure_future(close_slow_clients(each, client_timeouts(settings))) for each in (fleet, readers)]
    watching += [asyncio.ensure_future(watchdog.watch()), *doors.watching()]
    why = await ending.wait()

    if why is Why.STOPPED:
        rest.stop_being_ready()
        grpc.stop_being_ready()
    else:
        grpc.release()  # others serve, so health checks are answered as before
    await wind_up(ending, fleet, servers, addresses, float(settings.workers.predict_timeout_s))
    scraped.close()
    await drain(readers, 1.0)
    for each in watching:
        each.cancel()
    doors.close()
    count()
    return ending.why or why
