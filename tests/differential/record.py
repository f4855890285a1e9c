"""Records the answers of seldon-core 1.17.1: ``python -m tests.differential.record``.

The stock wrapper is a black box: ``seldon-core-microservice`` of the running environment, one process group for each
component and environment, on free ports. Nothing recorded depends on time, ports or process ids: dates and server names
are left out, headers are kept only where the request is about them, and the methods in ``Allow`` are sorted.
"""

import contextlib
import http.client
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

import grpc

from scorekit.settings import variables

from ..ports import free_ports
from . import golden
from .asking import ask, call
from .cases import Environ, Server, grpc_calls, rest_cases, servers

COMPONENTS = Path(__file__).parent / "components"
START_WITHIN_S = 60
AT_ONCE = 3
PACKAGES = ("seldon-core", "Flask", "Werkzeug", "gunicorn", "numpy", "protobuf", "grpcio")


@contextlib.contextmanager
def stock(component: str, env: Environ) -> Iterator[tuple[int, int]]:
    """Yields the HTTP and gRPC port of a stock server once it answers. Its process group is ended afterwards."""
    http_port, grpc_port, metrics_port = free_ports("127.0.0.1", 3)
    ports = ["--http-port", str(http_port), "--grpc-port", str(grpc_port), "--metrics-port", str(metrics_port)]
    inherited = {name: value for name, value in os.environ.items() if name not in variables()}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [str(Path(sys.executable).parent / "seldon-core-microservice"), component, *ports],
            cwd=COMPONENTS,
            env={**inherited, "PYTHONDONTWRITEBYTECODE": "1", **dict(env)},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            deadline = time.monotonic() + START_WITHIN_S
            while not _pings(http_port):
                if process.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    raise SystemExit(f"{component} did not start:\n{log.read().decode()}")
                time.sleep(0.1)
            yield http_port, grpc_port
        finally:
            for number in (signal.SIGTERM, signal.SIGKILL):
                with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
                    os.killpg(process.pid, number)
                    process.wait(10)


def _pings(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health/ping")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _recorded(server: Server) -> tuple[dict[str, Any], dict[str, Any]]:
    with stock(server.component, server.env) as (http_port, grpc_port):
        rest = {case.id: ask(http_port, case) for case in server.cases}
        with grpc.insecure_channel(f"127.0.0.1:{grpc_port}") as channel:
            grpc.channel_ready_future(channel).result(START_WITHIN_S)
            calls = {each.id: call(channel, each) for each in server.calls}
    return rest, calls


def main() -> None:
    """Records every case; the files keep the order of the table."""
    cases, calls = rest_cases(), grpc_calls()
    rest: dict[str, Any] = {}
    grpcs: dict[str, Any] = {}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for some_rest, some_calls in pool.map(_recorded, servers(cases, calls)):
            rest |= some_rest
            grpcs |= some_calls
    made = {
        "command": "python -m tests.differential.record",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
        "normalised": "headers: content type, and for CORS named ones (Allow sorted); of /seldon.json only its kind",
    }
    golden.write("rest.json", made, {case.id: rest[case.id] for case in cases})
    golden.write("grpc.json", made, {each.id: grpcs[each.id] for each in calls})


if __name__ == "__main__":
    main()
