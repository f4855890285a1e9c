"""No request is lost while servers stop, reload and replace their workers under load.

DRAIN_REQUESTS is how many are counted in each case, of REST and of gRPC each; `script/bench drain` counts 20,000, three
times. DRAIN_RESULTS names a file that is given a line for each case.
"""

import asyncio
import contextlib
import copy
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from scorekit.gateway import Route, bootstrap
from scorekit.local.envoy import envoy_command

from ..ports import free_ports
from .conftest import APP, COMPONENT, WITHIN_S, Command
from .counting import Grpc, Rest
from .test_serve import serving
from .test_up import NAME, node, running

pytestmark = pytest.mark.e2e

COUNT = int(os.environ.get("DRAIN_REQUESTS", "3000"))
BODY = b'{"data":{"names":["a","b"],"tensor":{"shape":[1,2],"values":[1,1]}}}'
DIRECT, GATEWAY = "/predict", f"/seldon/{NAME}/api/v0.1/predictions"

Meanwhile = Callable[[Callable[[int], Awaitable[None]]], Awaitable[None]]
"""What happens to the server under load. It gets a function that waits until a share of the load, in percent, is
done."""


async def counted(case: str, port: int, meanwhile: Meanwhile, gateway: bool = False, ends: bool = False) -> None:
    """Load ``port`` with REST and gRPC at once; every request must be answered, or refused if the server stops."""
    rest = Rest(port, GATEWAY if gateway else DIRECT, BODY, ends)
    calls = Grpc(port, [("seldon", NAME)] if gateway else [], ends)

    async def share(percent: int) -> None:
        for load in (rest, calls):
            await load.more_than(COUNT * percent // 100)

    began = time.monotonic()
    try:
        await meanwhile(share)
        if ends:
            await asyncio.gather(rest.given_up(), calls.given_up())
    finally:
        await asyncio.gather(rest.stop(), calls.stop())
        await calls.close()
    took_s = time.monotonic() - began
    if results := os.environ.get("DRAIN_RESULTS"):
        line = {"case": case, "rest": vars(rest.counts), "grpc": vars(calls.counts), "seconds": round(took_s, 1)}
        with Path(results).open("a") as file:
            file.write(json.dumps(line) + "\n")
    assert not rest.counts.lost
    assert not calls.counts.lost
    assert min(rest.counts.answered, calls.counts.answered) >= COUNT
    if not ends:
        assert rest.counts.refused == calls.counts.refused == 0


async def renewed(command: Command, count: int) -> None:
    """Wait until ``count`` workers have been replaced and have exited."""
    deadline = time.monotonic() + WITHIN_S
    while command.output.count("worker.left") < count:
        assert command.process.poll() is None, command.output
        assert time.monotonic() < deadline, command.output
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_server_that_stops_loses_nothing(start: Callable[..., Command], port: int, workers: str) -> None:
    """After SIGTERM all requests that were sent are answered, then connections are refused; the exit status is 0."""
    command = serving(start, port, GUNICORN_WORKERS=workers)

    async def end(share: Callable[[int], Awaitable[None]]) -> None:
        await share(100)
        command.process.send_signal(signal.SIGTERM)

    asyncio.run(counted(f"SIGTERM, {workers} workers, direct", port, end, ends=True))
    assert command.ended() == 0, command.output
    assert "cut_off" not in command.output


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_reload_loses_nothing(start: Callable[..., Command], port: int, workers: str) -> None:
    """With SIGHUP twice under load, every request is answered and none is refused."""
    command = serving(start, port, GUNICORN_WORKERS=workers)

    async def reload(share: Callable[[int], Awaitable[None]]) -> None:
        for at in (1, 2):
            await share(30 * at)
            command.process.send_signal(signal.SIGHUP)
            await renewed(command, at * int(workers))
        await share(100)

    asyncio.run(counted(f"SIGHUP twice, {workers} workers, direct", port, reload))
    assert command.stop() == 0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_recycling_loses_nothing(start: Callable[..., Command], port: int, workers: str) -> None:
    """With workers that are replaced every few hundred requests, every request is answered and none is refused."""
    more = {"GUNICORN_WORKERS": workers, "GUNICORN_MAX_REQUESTS": "500", "GUNICORN_MAX_REQUESTS_JITTER": "100"}
    command = serving(start, port, **more)

    async def recycle(share: Callable[[int], Awaitable[None]]) -> None:
        await share(100)
        await renewed(command, 2)

    asyncio.run(counted(f"--max-requests 500, {workers} workers, direct", port, recycle))
    assert command.stop() == 0


def test_nothing_is_lost_behind_the_gateway(start: Callable[..., Command], port: int, tmp_path: Path) -> None:
    """While the only server behind Envoy recycles and reloads its worker, all requests are answered."""
    component = shutil.copytree(COMPONENT, tmp_path / COMPONENT.name)
    with (component / ".s2i" / "environment").open("a") as environment:
        environment.write("\nGUNICORN_MAX_REQUESTS=1000\nGUNICORN_MAX_REQUESTS_JITTER=100\n")
    command = running(start, port, shutil.copytree(APP, tmp_path / APP.name))

    async def trouble(share: Callable[[int], Awaitable[None]]) -> None:
        await share(25)
        await renewed(command, 1)
        left = command.output.count("worker.left")
        os.kill(node(command), signal.SIGHUP)
        await share(60)
        await renewed(command, left + 1)
        await share(100)

    asyncio.run(counted("--max-requests 1000 and SIGHUP, through Envoy", port, trouble, gateway=True))
    assert command.stop() == 0


@contextlib.contextmanager
def gateway(port: int, first: int, *others: int) -> Iterator[None]:
    """The Envoy of `scorekit up` in front of several servers, which answer REST and gRPC on one port each."""
    route = Route(
        name=NAME,
        namespace="seldon",
        host="127.0.0.1",
        port=first,
        timeout_ms=10_000,
        grpc_port=first,
        grpc_timeout_ms=10_000,
    )
    config = bootstrap("127.0.0.1", port, [route])
    for cluster in config["static_resources"]["clusters"]:
        endpoints = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"]
        for other in others:
            endpoints.append(copy.deepcopy(endpoints[0]))
            endpoints[-1]["endpoint"]["address"]["socket_address"]["port_value"] = other
    envoy = subprocess.Popen(envoy_command(config, os.environ).argv, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        envoy.terminate()
        envoy.wait(WITHIN_S)


def test_nothing_is_lost_behind_the_gateway_when_servers_end(start: Callable[..., Command], port: int) -> None:
    """While two servers behind Envoy are stopped and started again, one after the other, all requests are answered."""
    ports = free_ports("127.0.0.1", 2)
    servers = [serving(start, each) for each in ports]

    async def rollout(share: Callable[[int], Awaitable[None]]) -> None:
        for at in (0, 1):
            await share(30 * (at + 1))
            servers[at].process.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(servers[at].ended) == 0
            servers[at] = await asyncio.to_thread(serving, start, ports[at])
        await share(100)

    with gateway(port, *ports):
        while not _connects(port):
            time.sleep(0.05)
        asyncio.run(counted("SIGTERM of each of two servers, through Envoy", port, rollout, gateway=True))


def _connects(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True
