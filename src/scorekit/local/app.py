"""An app on this machine: start, wait until it answers, keep it running, stop all of it."""

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
from ..gateway.envoy import Route, bootstrap
from ..graph import NodePlan
from ..net import reserve
from . import gateway
from .processes import Backoff, Child, Command

NODE_HOST = "127.0.0.1"

# A model that takes longer to load is told about every few seconds, and given up after this.
START_TIMEOUT_S = 300.0
_TELL_EVERY_S = 5.0
_PROBE_EVERY_S = 0.02

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Probe:
    """How to find out that a deployment answers: a request through the gateway that must give 200."""

    plan: NodePlan
    body: Mapping[str, Any] | None
    """A prediction of the contract; ``None`` where there is no contract and only the health can be asked."""

    @property
    def path(self) -> str:
        """The seed's path for a prediction, or the health behind the same prefix."""
        tail = "api/v0.1/predictions" if self.body is not None else "health/status"
        return f"/seldon/{self.plan.deployment.name}/{tail}"


class LocalRun:
    """The nodes of ``probes`` behind one Envoy on ``host:port``.

    ``say`` is given every line a person may want: those of the children, restarts, long waits.
    """

    def __init__(self, probes: Sequence[Probe], host: str, port: int, environ: Mapping[str, str], say: Say) -> None:
        self._probes = probes
        self._host = host
        self._port = port
        self._say = say
        routes = [
            Route(
                each.deployment.name,
                each.deployment.namespace,
                NODE_HOST,
                each.http_port,
                each.deployment.rest_timeout_ms,
                each.grpc_port,
                each.deployment.grpc_timeout_ms,
            )
            for each in (probe.plan for probe in probes)
        ]
        self._nodes = [_node_command(probe.plan, environ) for probe in probes]
        self._front = gateway.command(bootstrap(host, port, routes), environ)
        self._children: dict[Command, Child] = {}

    def __repr__(self) -> str:
        return f"<LocalRun {self._host}:{self._port} {list(self._children.values())}>"

    async def run(self, ready: Callable[[], None], stop: asyncio.Event) -> None:
        """Start everything, call ``ready`` once all answer, then keep it running until ``stop`` is set.

        Raises ``SetupError`` where something does not start. Whatever happens, nothing is left running.
        """
        reserve(self._host, self._port).close()
        try:
            await self._start(stop)
            if stop.is_set():
                return
            ready()
            keepers = [asyncio.create_task(self._keep(command, stop)) for command in [*self._nodes, self._front]]
            try:
                await asyncio.gather(*keepers)
            finally:
                stop.set()
                await asyncio.gather(*keepers, return_exceptions=True)
        finally:
            await self._stop()

    async def _start(self, stop: asyncio.Event) -> None:
        for command in [*self._nodes, self._front]:
            self._children[command] = await Child.start(command, self._say)
        endings = {asyncio.create_task(child.ended()): child for child in self._children.values()}
        answering = asyncio.create_task(self._answer())
        stopping = asyncio.create_task(stop.wait())
        try:
            done, _ = await asyncio.wait(
                [answering, stopping, *endings], timeout=START_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED
            )
            if stopping in done:
                return
            if answering in done:
                answering.result()
                return
            ended = next((task for task in endings if task in done), None)
            if ended is None:
                raise SetupError(f"the app did not answer within {START_TIMEOUT_S:g} s")
            child = endings[ended]
            raise SetupError(f"{child.name} did not start: {child.why(ended.result())}")
        finally:
            pending = [answering, stopping, *endings]
            for task in pending:
                task.cancel()
            await asyncio.gather(*pending, return_exceptions=True)

    async def _answer(self) -> None:
        """Return once every deployment has answered its probe through the gateway."""
        for probe in self._probes:
            started = told = time.monotonic()
            while (problem := await asyncio.to_thread(self._ask, probe)) is not None:
                now = time.monotonic()
                if now - told > _TELL_EVERY_S:
                    told = now
                    self._say(f"{probe.plan.deployment.name}: not ready after {now - started:.0f} s ({problem})")
                await asyncio.sleep(_PROBE_EVERY_S)

    def _ask(self, probe: Probe) -> str | None:
        """``None`` when the deployment answered, else why not yet. Raises ``SetupError`` when it never will."""
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
        if response.status in (502, 503, 504):  # Envoy's, while the node loads
            return f"status {response.status}"
        name = probe.plan.deployment.name
        raise SetupError(f"{name} answered {response.status} to a row of its own contract: {text[:500]}")

    async def _keep(self, command: Command, stop: asyncio.Event) -> None:
        """Restart ``command`` whenever it ends, until ``stop`` is set. Never cancelled half-way through a start."""
        backoff = Backoff()
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
                self._children[command] = await Child.start(command, self._say)
            except SetupError as error:  # its folder has gone, or the machine is out of processes: later, perhaps
                self._say(str(error))

    async def _stop(self) -> None:
        """Nodes first, so that they answer what they hold through the gateway; then the gateway."""
        await asyncio.gather(*(self._children[node].stop() for node in self._nodes if node in self._children))
        if self._front in self._children:
            await self._children[self._front].stop()


def _node_command(plan: NodePlan, environ: Mapping[str, str]) -> Command:
    # -P: the component's folder is data until the server itself imports the model from it.
    argv = [sys.executable, "-P", "-m", "scorekit", "serve", str(plan.folder)]
    return Command(plan.deployment.name, argv, {**environ, **plan.environ}, Path(plan.folder))
