"""One serving process, from loading the model to the last answer of a drain."""

import asyncio
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Sequence

import orjson
import uvloop

from ...inference import Verdict
from ...metrics import Families
from ..accept import client_timeouts
from ..limits.descriptors import DescriptorCheck
from ..limits.open_connections import OpenConnections, close_slow_clients, drain
from ..limits.periodic import repeat
from ..observe.lossy_output import flush_outputs
from . import channel
from .channel import send_state
from .endpoints import Endpoints
from .metrics_page import MetricsPage
from .probe import ModelProbe, retry_until_it_works
from .served_model import ServedModel
from .shutdown import Shutdown, ShutdownReason, close_connections
from .supervisor_link import SupervisorLink
from .watchdog import Watchdog, rss_mb

log = logging.getLogger(__name__)

STUCK_STATUS = 70
"""The exit status of a worker whose model hangs."""


class Worker:
    """A serving process: :meth:`startup`, then :meth:`main_loop`, then :meth:`shutdown`.

        startup     no event loop     load the model ─▶ "loaded" ─▶ predict rows of the contract ─▶ "probed"
        main_loop   in event loop     listen ─▶ "ready" ─▶ answer requests until there is a reason to exit
        shutdown    in event loop     refuse or hand over new connections, drain the old ones, report the counts

    The words in quotes are sent to the supervisor. The model is loaded and probed before there is an event loop: both
    may take minutes, and nothing must be accepted meanwhile. So clients are refused, or served by another worker, until
    this one can answer.

    ``addresses`` are bound sockets, each for REST and gRPC alike; ``page`` is that of the metrics page; ``supervisor``
    is the worker's end of the channel.
    """

    def __init__(
        self, served: ServedModel, addresses: Sequence[socket.socket], page: socket.socket, supervisor: socket.socket
    ) -> None:
        self._served = served
        self._settings = served.settings
        self._addresses = addresses
        self._page = page
        self._supervisor = supervisor
        self._probe = ModelProbe(served.component, served.contract, served.settings.model.no_probe)
        self._shutdown = Shutdown()
        self._link = SupervisorLink(self._shutdown, self._counts)
        self._scrapers: OpenConnections = set()
        self._servers: list[asyncio.Server] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._verdict: Verdict
        self._endpoints: Endpoints
        self._page_server: asyncio.Server

    def __repr__(self) -> str:
        return f"<Worker {self._shutdown!r} listening={len(self._servers)}>"

    def run(self) -> None:
        """Serve until SIGTERM, SIGINT, or the supervisor asks to exit. Raises ``SetupError`` if ``load()`` fails."""
        self.startup()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._serve())
            if self._shutdown.reason is ShutdownReason.STUCK:
                # A normal exit would wait for the thread that hangs, and run what the model has registered for exit.
                sys.stderr.flush()
                os._exit(STUCK_STATUS)

    async def _serve(self) -> None:
        await self.main_loop()
        await self.shutdown()

    def startup(self) -> None:
        """Load the model, predict rows of its contract, and decide about batching.

        Raises ``SetupError`` if ``load()`` fails. A prediction that fails is not an error: the worker serves, but its
        health checks fail until the model answers.
        """
        self._probe.took["import and construct the model"] = self._served.build_s
        began = time.perf_counter()
        self._served.component.load()
        self._probe.took["load"] = time.perf_counter() - began
        send_state(self._supervisor, "loaded")
        self._probe.first()
        send_state(self._supervisor, "probed")
        self._verdict = self._probe.verdict(self._settings.model.batching)

    async def main_loop(self) -> None:
        """Listen, and answer requests until there is a reason to exit."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            # Not loop.add_signal_handler: while the model runs an event loop of its own, that one takes the signals of
            # the process, and only handlers of Python itself are called.
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(self._shutdown.stop))
        self._endpoints = Endpoints(
            self._served,
            loop,
            verdict=self._verdict,
            call_s=self._probe.call_s,
            draining=lambda: self._shutdown.reason is not None,
        )
        await self._link.open(loop, self._supervisor)
        if self._probe.failed:
            self._wait_for_the_model(loop)
        await self._listen(loop)
        state = {
            "state": "ready",
            "batching": self._endpoints.service.batching,
            "reason": self._verdict.reason,
            "took": self._probe.took,
        }
        self._link.send(channel.STATE, orjson.dumps(state))
        self._start_tasks()
        await self._shutdown.requested()

    async def shutdown(self) -> None:
        """Answer the open requests, close everything, and report the final counts to the supervisor."""
        endpoints = self._endpoints
        if self._shutdown.reason is ShutdownReason.STOPPED:
            endpoints.stop_being_ready()
        else:
            endpoints.grpc.release()  # other workers serve, so health checks must still succeed
        await close_connections(
            self._shutdown,
            endpoints.connections,
            servers=self._servers,
            sockets=self._addresses,
            longest_s=float(self._settings.workers.predict_timeout_s),
        )
        # The metrics page answers until the last request is answered.
        self._page_server.close()
        await drain(self._scrapers, 1.0)
        for task in self._tasks:
            task.cancel()
        endpoints.acceptor.close()
        self._link.send_counts()

    async def _listen(self, loop: asyncio.AbstractEventLoop) -> None:
        page = MetricsPage(self._settings.observability.metrics_endpoint, self._link.scrape)
        self._page_server = await loop.create_server(lambda: page.connection(self._scrapers), sock=self._page)
        encryption = self._endpoints.acceptor.encryption()
        for address in self._addresses:
            self._servers.append(
                await loop.create_server(self._endpoints.connect, sock=address, backlog=1024, **encryption)
            )

    def _start_tasks(self) -> None:
        endpoints, timeouts = self._endpoints, client_timeouts(self._settings.limits)
        watchdog = Watchdog(
            self._settings.workers,
            executor=endpoints.executor,
            thread=endpoints.thread,
            metrics=endpoints.metrics,
            send=self._link.send,
            stuck=self._give_up_the_model,
        )
        for work in (
            close_slow_clients(endpoints.connections, timeouts),
            close_slow_clients(self._scrapers, timeouts),
            watchdog.watch(),
            repeat("log", flush_outputs, 1.0),
            repeat("descriptors", DescriptorCheck().run, 1.0),
            *endpoints.acceptor.reloads(),
        ):
            self._tasks.append(asyncio.ensure_future(work))

    def _wait_for_the_model(self, loop: asyncio.AbstractEventLoop) -> None:
        log.warning("probe.unready: /health/status answers 503 until the model answers a row of its contract")
        self._endpoints.stop_being_ready("the model failed on a row of its own contract")
        retry_until_it_works(self._probe, self._endpoints.executor, loop.call_later, self._model_works)

    def _model_works(self) -> None:
        log.info("probe.answered: this worker is ready now")
        self._endpoints.be_ready()

    def _give_up_the_model(self) -> None:
        self._link.send(channel.STUCK)
        self._endpoints.executor.give_up()
        self._shutdown.stuck()

    def _counts(self) -> Families:
        gauges = {**self._endpoints.gauges(), "scorekit_worker_rss_bytes": rss_mb() * 1024 * 1024}
        return self._endpoints.metrics.families(gauges)
