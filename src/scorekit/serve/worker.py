"""One serving process, from loading the model to the last answer of a drain."""

import asyncio
import logging
import os
import signal
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import uvloop

from ..codec.tensor import from_ndarray
from ..component import Component
from ..conformity import Conformity
from ..contract import Contract
from ..errors import RequestError
from ..exposition import Histogram, plain
from ..lane import Lane
from ..message import Verb
from ..metadata import Metadata
from ..metrics import Metrics, component_labels
from ..proof import MAX_ROWS, Verdict, tried
from ..service import Service
from ..settings import UNSET, Settings
from . import channel
from .channel import Channel, say
from .detect import Busy, Detect
from .doors import Doors
from .exchange import Exchange
from .fleet import Fleet, drain, watch
from .grpc import Grpc
from .http import Connection
from .metrics import MetricsPage
from .rest import Manners, Rest, refuse
from .thread import WorkerThread

log = logging.getLogger(__name__)

# A request still unanswered after this is cut off. Kubernetes allows a pod 30 s, the Seldon operator asks for 20 s.
GRACE_S = 15.0

# How long a server that was told to stop goes on taking what comes, with "Connection: close" in each answer: a request
# may be on its way to a connection that looks idle, and closing it then would reset it.
LINGER_S = 0.25

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
    check: Conformity | None
    """What requests must keep to."""


def work(built: Built, addresses: list[socket.socket], page: socket.socket, supervisor: socket.socket) -> None:
    """Load the model, tell ``supervisor`` of each step, serve until SIGTERM or SIGINT, drain, return.

    Every address answers REST and gRPC alike. Raises ``SetupError`` where ``load()`` fails.
    """
    began = time.perf_counter()
    built.component.load()
    took = {"load": time.perf_counter() - began}
    say(supervisor, "loaded")
    verdict, call_s = _try(built, took, lambda: say(supervisor, "probed"))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(built, addresses, page, supervisor, verdict, call_s, took))


def _try(built: Built, took: dict[str, float], probed: Callable[[], None]) -> tuple[Verdict, float]:
    """Warm the model up on rows of its contract. Returns whether requests are merged, and what a call takes, if known.

    ``probed`` is called when the model has answered for the first time.
    """
    settings, component, contract = built.settings, built.component, built.contract
    asked = settings.batching
    call_s = 0.0
    rows = names = None
    if contract is not None and component.hooks[Verb.PREDICT].method is not None:
        rows, names = from_ndarray(contract.rows(MAX_ROWS), "contract.json"), contract.feature_names()
        began = time.perf_counter()
        try:
            component.predict(rows[:1], names)
            took["first prediction"] = time.perf_counter() - began
            began = time.perf_counter()
            component.predict(rows[:1], names)
            call_s = time.perf_counter() - began
        except RequestError as error:
            log.warning("probe.failed cause=%r: the model refuses a row of its contract", error.__cause__ or error)
    probed()
    if asked == "off":
        return Verdict(False, ""), call_s
    if component.hooks_per_call:
        return Verdict(False, "the component has tags() or metrics(), which can tell one call from two"), call_s
    if asked == "on":
        return Verdict(True, "BATCHING=on"), call_s
    if rows is None:
        return Verdict(False, "there is no contract.json with rows to try predict on"), call_s
    began = time.perf_counter()
    verdict = tried(component.predict, rows, names)
    took["batch proof"] = time.perf_counter() - began
    return verdict, call_s


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


def _told(metadata: Metadata | None, verdict: Verdict, settings: Settings) -> Metadata | None:
    """The metadata, with what was decided about merging where somebody asked for it."""
    if metadata is None or settings.batching == "off" or settings.compatibility == "stock":
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
    call_s: float,
    took: Mapping[str, float],
) -> None:
    settings = built.settings
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    path = {settings.unit_id: settings.unit_image} if settings.unit_id else {}
    metrics = _metrics(settings)
    lane = Lane(loop, WorkerThread(loop), metrics.call, mean_s=call_s)
    service = Service(
        built.component,
        loop,
        path,
        settings.max_batch_rows if verdict.merges else None,
        settings.include_metrics,
        metrics,
        built.check,
        lane,
        settings.max_batch_delay_ms / 1000,
        settings.max_in_flight,
        settings.max_wait_ms / 1000,
    )
    metadata = _told(built.metadata, verdict, settings)
    timeout_s = settings.request_timeout_ms / 1000 or float("inf")
    manners = Manners(settings.compatibility == "stock", settings.cors_allowed_origins, timeout_s)
    rest = Rest(service, metadata, settings.payload_passthrough, manners, built.document)
    grpc = Grpc(service, settings.max_grpc_message_bytes, metadata, metrics.request)
    fleet: Fleet = set()
    readers: Fleet = set()
    scrapes: list[Callable[[bytes], None]] = []

    doors = Doors(settings, rest, grpc, manners, observer(metrics), fleet)

    def connect() -> Detect | Busy:
        if len(fleet) >= settings.max_connections:
            return Busy()
        connection = doors.connection()
        if not rest.ready:
            connection.drain()
        return connection

    def count() -> None:
        gauges = {
            "scorekit_connections": len(fleet),
            "scorekit_in_flight_requests": sum(connection.open_requests for connection in fleet),
            "scorekit_waiting_calls": lane.waiting,
            "scorekit_predict_in_thread": float(lane.in_thread),
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

    def scrape(answer: Callable[[bytes], None]) -> None:
        scrapes.append(answer)
        above.send(channel.SCRAPE)

    supervisor.setblocking(False)
    _, above = await loop.create_connection(lambda: Channel(heard, stopped.set), sock=supervisor)
    shown = MetricsPage(settings.metrics_endpoint, scrape)
    scraped = await loop.create_server(lambda: Connection(shown, refuse, readers, _SCRAPE_BYTES), sock=page)
    servers = [
        await loop.create_server(connect, sock=address, backlog=1024, **doors.encryption()) for address in addresses
    ]
    state = {"state": "ready", "batching": service.batching, "reason": verdict.reason, "took": took}
    above.send(channel.STATE, orjson.dumps(state))
    watching = [asyncio.ensure_future(watch(each, doors.patience())) for each in (fleet, readers)]
    watching.extend(doors.watching())
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
    for each in watching:
        each.cancel()
    doors.close()
    count()
