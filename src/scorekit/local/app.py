"""An app on this machine: start it, wait until it answers, keep it running, and stop all of it.

start   all nodes and Envoy at once ─▶ probe every deployment through the gateway ─▶ "ready"
keep    a process that exits is started again, after a pause that doubles (local/processes.py)
stop    the nodes first, so that they can answer their open requests through the gateway; then Envoy
"""

import asyncio
import http.client
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import SetupError
from ..gateway import Route, bootstrap
from ..graph import NodePlan
from ..net import reserve
from .envoy import envoy_command
from .processes import ChildProcess, Command, RestartBackoff

NODE_HOST = "127.0.0.1"
"""The address of the nodes; only the gateway has the address that the user chooses."""

START_TIMEOUT_S = 300.0
"""An app that does not answer within this time does not start."""

_REPORT_EVERY_S = 5.0
_PROBE_EVERY_S = 0.02

Say = Callable[[str], None]
"""Called with each line that a person may want to read."""


@dataclass(frozen=True, slots=True)
class ReadinessProbe:
    """A request through the gateway that is answered with 200 once a deployment is ready."""

    plan: NodePlan
    body: Mapping[str, Any] | None
    """A prediction for a row of the contract; ``None`` if there is no contract, then the health is requested."""

    @property
    def path(self) -> str:
        """The path of the request, behind the prefix that Ambassador gives to a deployment."""
        tail = "api/v0.1/predictions" if self.body is not None else "health/status"
        return f"/seldon/{self.plan.deployment.name}/{tail}"


class LocalRun:
    """The nodes of ``probes`` behind one Envoy on ``host:port``.

    ``say`` gets the lines of all processes, and a line for each restart and each long wait.
    Raises ``SetupError`` if there is no Envoy.
    """

    def __init__(
        self, probes: Sequence[ReadinessProbe], *, host: str, port: int, environ: Mapping[str, str], say: Say
    ) -> None:
        self._probes = probes
        self._host = host
        self._port = port
        self._say = say
        self._nodes = [_node_command(probe.plan, environ) for probe in probes]
        routes = [_route(probe.plan) for probe in probes]
        self._gateway = envoy_command(bootstrap(host, port, routes), environ)
        self._children: dict[Command, ChildProcess] = {}

    def __repr__(self) -> str:
        return f"<LocalRun {self._host}:{self._port} {list(self._children.values())}>"

    async def run(self, ready: Callable[[], None], stop: asyncio.Event) -> None:
        """Start everything, call ``ready`` once all deployments answer, and keep it running until ``stop`` is set.

        Raises ``SetupError`` if something does not start. No process is left running, whatever happens.
        """
        reserve(self._host, self._port).close()  # so that an address in use is reported before anything is started
        try:
            await self._start(stop)
            if stop.is_set():
                return
            ready()
            keepers = [asyncio.create_task(self._keep(command, stop)) for command in [*self._nodes, self._gateway]]
            try:
                await asyncio.gather(*keepers)
            finally:
                stop.set()
                await asyncio.gather(*keepers, return_exceptions=True)
        finally:
            await self._stop()

    async def _start(self, stop: asyncio.Event) -> None:
        """Start all processes, and wait for whatever comes first: all answer, one exits, ``stop``, or the timeout."""
        for command in [*self._nodes, self._gateway]:
            self._children[command] = await ChildProcess.start(command, self._say)
        exits = {asyncio.create_task(child.ended()): child for child in self._children.values()}
        answering = asyncio.create_task(self._all_answer())
        stopping = asyncio.create_task(stop.wait())
        try:
            done, _ = await asyncio.wait(
                [answering, stopping, *exits], timeout=START_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED
            )
            if stopping in done:
                return
            if answering in done:
                answering.result()
                return
            exited = next((task for task in exits if task in done), None)
            if exited is None:
                raise SetupError(f"the app did not answer within {START_TIMEOUT_S:g} s")
            child = exits[exited]
            raise SetupError(f"{child.name} did not start: {child.why(exited.result())}")
        finally:
            pending = [answering, stopping, *exits]
            for task in pending:
                task.cancel()
            await asyncio.gather(*pending, return_exceptions=True)

    async def _all_answer(self) -> None:
        """Return once every deployment has answered its probe through the gateway."""
        for probe in self._probes:
            started = reported = time.monotonic()
            while (problem := await asyncio.to_thread(self._ask, probe)) is not None:
                now = time.monotonic()
                if now - reported > _REPORT_EVERY_S:
                    reported = now
                    self._say(f"{probe.plan.deployment.name}: not ready after {now - started:.0f} s ({problem})")
                await asyncio.sleep(_PROBE_EVERY_S)

    def _ask(self, probe: ReadinessProbe) -> str | None:
        """Return ``None`` if the deployment answers, otherwise why not yet. Raises ``SetupError`` if it never will."""
        connection = http.client.HTTPConnection(self._host, self._port, timeout=10)
        try:
            if probe.body is None:
                connection.request("GET", probe.path)
            else:
                connection.request("POST", probe.path, json.dumps(probe.body), {"Content-Type": "application/json"})
            response = connection.getresponse()
            text = response.read().decode(errors="replace").strip()
        except (OSError, http.client.HTTPException) as error:
            return f"gateway: {error}"
        finally:
            connection.close()
        if response.status == 200:
            return None
        if response.status in (502, 503, 504):  # Envoy's own answers while the node loads
            return f"status {response.status}"
        name = probe.plan.deployment.name
        raise SetupError(f"{name} answered {response.status} to a row of its own contract: {text[:500]}")

    async def _keep(self, command: Command, stop: asyncio.Event) -> None:
        """Start ``command`` again whenever it exits, until ``stop`` is set.

        It looks at ``stop`` itself and is not cancelled, because a start that is cancelled half-way could leave a
        process behind that nobody knows of.
        """
        backoff = RestartBackoff()
        stopping = asyncio.create_task(stop.wait())
        started = time.monotonic()
        while True:
            ended = asyncio.create_task(self._children[command].ended())
            await asyncio.wait([ended, stopping], return_when=asyncio.FIRST_COMPLETED)
            if stopping.done():
                ended.cancel()
                return
            status, wait_s = ended.result(), backoff.after(time.monotonic() - started)
            how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
            self._say(f"{command.name} {how}; restarting in {wait_s:g} s")
            await asyncio.wait([stopping], timeout=wait_s)
            if stopping.done():
                return
            started = time.monotonic()
            try:
                self._children[command] = await ChildProcess.start(command, self._say)
            except SetupError as error:  # its folder is gone, or the machine is out of processes; that may change
                self._say(str(error))

    async def _stop(self) -> None:
        """Stop the nodes, which answer their open requests through the gateway, and then the gateway."""
        await asyncio.gather(*(self._children[node].stop() for node in self._nodes if node in self._children))
        if self._gateway in self._children:
            await self._children[self._gateway].stop()


def _route(plan: NodePlan) -> Route:
    deployment = plan.deployment
    return Route(
        name=deployment.name,
        namespace=deployment.namespace,
        host=NODE_HOST,
        port=plan.http_port,
        timeout_ms=deployment.rest_timeout_ms,
        grpc_port=plan.grpc_port,
        grpc_timeout_ms=deployment.grpc_timeout_ms,
    )


def _node_command(plan: NodePlan, environ: Mapping[str, str]) -> Command:
    # -P keeps the current folder, which is the component's, out of sys.path: its files must not replace modules of the
    # server. The server itself imports the model from there later.
    argv = [sys.executable, "-P", "-m", "scorekit", "serve", str(plan.folder)]
    return Command(plan.deployment.name, argv, {**environ, **plan.environ}, Path(plan.folder))
