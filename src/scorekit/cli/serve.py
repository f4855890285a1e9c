"""``scorekit serve``: one component, served."""

import argparse
import json
import logging
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import SetupError
from ..serve.workers import cpus
from ..settings import (
    ENV_FROM_FILE,
    ENV_MODEL_NAME,
    ENV_WORKER,
    LOG_LEVELS,
    SERVICE_TYPES,
    Settings,
    explained,
    parse_annotations,
    parse_environment_file,
    read_settings,
)
from .logs import start_logging
from .parser import Commands

ANNOTATIONS = Path("/etc/podinfo/annotations")

# The stock wrapper's flags that this version takes and does not act on, so that old command lines keep starting.
INERT = (
    "persistence",
    "tracing",
    "debug",
    "threads",
    "keepalive",
    "single-threaded",
    "pidfile",
    "grpc-threads",
)


_LIMITS = {
    "max-in-flight": "requests that wait in one worker; one more is answered 503 (MAX_IN_FLIGHT; 1024)",
    "max-wait-ms": "a request that would wait longer is answered 503 (MAX_WAIT_MS; 5000)",
    "request-timeout-ms": "a request that has waited longer is answered 504; 0: never (REQUEST_TIMEOUT_MS; 0)",
    "max-connections": "of one worker (MAX_CONNECTIONS; 4096)",
    "max-headers": "of one request; more are answered 431 (MAX_HEADERS; 100)",
    "head-timeout-s": "for a request's head, from its first byte (HEAD_TIMEOUT_S; 10)",
    "body-timeout-s": "in which a body must come on by 7200 bytes (BODY_TIMEOUT_S; 30)",
    "write-timeout-s": "for a client to take its answer, at that pace (WRITE_TIMEOUT_S; 30)",
    "min-bytes-per-s": "of bodies and answers, on average (MIN_BYTES_PER_S; 240)",
    "max-buffered-bytes": "of bodies, in one worker; more is answered 503 (MAX_BUFFERED_BYTES; 1073741824)",
    "idle-timeout-s": "between two requests of a connection (IDLE_TIMEOUT_S; 620)",
    "predict-timeout-s": "a model that takes longer hangs: 504, and a new worker (PREDICT_TIMEOUT_S; 120)",
    "max-requests": "a worker is replaced after so many; 0: never (GUNICORN_MAX_REQUESTS; 0)",
    "max-requests-jitter": "and up to so many more, by chance (GUNICORN_MAX_REQUESTS_JITTER; 0)",
    "max-rss-mb": "a worker that holds more memory is replaced; 0: never (MAX_RSS_MB; 0)",
}


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "serve",
        help="serve a component over HTTP",
        description="Serve a component, REST and gRPC on every port: a folder with .s2i/environment, or a module "
        "(MLModel, package.module.Class). "
        "Flags win over the environment, the environment over .s2i/environment.",
    )
    parser.add_argument("component", metavar="DIR_OR_MODULE", help="the component's folder, or its module")
    parser.add_argument("--host", help="address to listen on (SCOREKIT_HOST; 0.0.0.0)")
    parser.add_argument("--http-port", help="(PREDICTIVE_UNIT_HTTP_SERVICE_PORT; 9000)")
    parser.add_argument("--grpc-port", help="a second port (PREDICTIVE_UNIT_GRPC_SERVICE_PORT; 5000)")
    parser.add_argument("--grpc-workers", help="0 leaves the gRPC port closed (GRPC_WORKERS; 1)")
    parser.add_argument("--metrics-port", help="for Prometheus (PREDICTIVE_UNIT_METRICS_SERVICE_PORT; 6000)")
    parser.add_argument("--service-type", choices=SERVICE_TYPES, help="(SERVICE_TYPE; MODEL)")
    parser.add_argument("--parameters", metavar="JSON", help="constructor parameters (PREDICTIVE_UNIT_PARAMETERS)")
    parser.add_argument("--batching", choices=("on", "auto", "off"), help="merge concurrent requests (BATCHING; off)")
    parser.add_argument(
        "--compatibility", choices=("better", "stock"), help="stock: its ways, for old clients (SCOREKIT_COMPATIBILITY)"
    )
    parser.add_argument(
        "--contract", metavar="FILE", help="refuse what this contract.json does not describe (CONTRACT; off)"
    )
    parser.add_argument("--max-batch-rows", help="rows in one call of the model at most (MAX_BATCH_ROWS; 1024)")
    parser.add_argument("--max-batch-delay-ms", help="longest wait for others (MAX_BATCH_DELAY_MS; 5)")
    parser.add_argument("--workers", help="processes (GUNICORN_WORKERS; one for each CPU of a quota, else 1)")
    parser.add_argument("--explain", action="store_true", help="print every limit and timeout in force, and end")
    parser.add_argument("--timings", action="store_true", help="print what the start took, step by step")
    for name, about in _LIMITS.items():
        parser.add_argument(f"--{name}", help=about)
    parser.add_argument("--max-body-bytes", help="a larger body is answered 413 (MAX_BODY_BYTES; 268435456)")
    parser.add_argument("--max-grpc-message-bytes", help="a larger message is refused (GRPC_MAX_MESSAGE_SIZE; 4194304)")
    parser.add_argument("--tls-cert", metavar="FILE", help="serve TLS with this certificate (TLS_CERT; off)")
    parser.add_argument("--tls-key", metavar="FILE", help="its key (TLS_KEY)")
    parser.add_argument("--api-key-file", metavar="FILE", help="ask for one of its keys (API_KEY_FILE, API_KEYS; off)")
    parser.add_argument(
        "--access-log", nargs="?", const="true", help="a line of JSON for each request (GUNICORN_ACCESS_LOG; off)"
    )
    parser.add_argument("--log-level", choices=LOG_LEVELS, help="(SELDON_LOG_LEVEL; INFO)")
    stock = parser.add_argument_group("stock flags without effect in this version")
    for name in INERT:
        stock.add_argument(f"--{name}", nargs="?", const="1", help=argparse.SUPPRESS)
    parser.set_defaults(command=serve)


def serve(arguments: argparse.Namespace) -> int:
    """Run the server until it is told to stop."""
    given = {name: value for name, value in vars(arguments).items() if isinstance(value, str)}
    directory, environ = component_of(given.pop("component"), os.environ)
    if arguments.explain:
        rows = [
            ("limit", "value", "unit", "from", "why, and what others use"),
            *explained(environ, given, _annotations()),
        ]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        return 0
    for name in os.environ.keys() - environ.keys():
        del os.environ[name]
    os.environ.update(environ)  # the model reads there what its own file says, as in the image
    return start(directory, environ, given, arguments.timings)


def start(directory: Path | None, environ: Mapping[str, str], given: dict[str, str], timings: bool = False) -> int:
    """Serve the component in ``directory`` with the settings of ``environ`` and the flags ``given``, by their names."""
    clock = Stopwatch()
    settings = read_settings(environ, given, _annotations())
    start_logging(settings.log_level)
    log = logging.getLogger(__name__)
    for name in sorted(given.keys() & {flag.replace("-", "_") for flag in INERT}):
        log.warning("settings.ignored flag=--%s: it has no effect in this version", name.replace("_", "-"))
    workers = settings.workers or _by_quota(settings)
    threads = str(max(1, int(cpus.available() / workers)))
    for name in cpus.THREADS:  # read by numpy's libraries when they are imported, which is below
        os.environ.setdefault(name, threads)
    clock.lap("settings")

    from ..serve.server import run, run_worker

    clock.lap("import scorekit")
    os.environ.pop(ENV_WORKER, None)  # nothing that the model starts is a worker
    if told := environ.get(ENV_WORKER):
        return run_worker(settings, directory, told)

    def ready(address: str, told: list[Mapping[str, Any]]) -> None:
        clock.lap("fork to ready")
        first = told[0]
        log.info(
            "serve.ready model=%s address=%s workers=%d batching=%s%s after_s=%.2f",
            settings.model_name,
            address,
            len(told),
            "on" if first["batching"] else "off",
            f" reason={first['reason']!r}" if first["reason"] else "",
            clock.total_s,
        )
        if timings:
            steps = [*clock.laps, *((f"  {step}", seconds) for step, seconds in first["took"].items())]
            lines = [f"{step:32}{seconds * 1000:8.1f} ms" for step, seconds in [*steps, ("total", clock.total_s)]]
            print("\n".join(lines), file=sys.stderr, flush=True)

    run(settings, directory, workers, ready, lambda: clock.lap("import and construct the model"))
    return 0


def _by_quota(settings: Settings) -> int:
    """One worker for each whole CPU that a container's limit grants; one where nothing is said.

    A router learns from feedback, and workers do not share what they learn.
    """
    granted = cpus.quota()
    return 1 if granted is None or settings.service_type == "ROUTER" else max(1, int(granted))


class Stopwatch:
    """Seconds by step, from the beginning of the process where the system tells it."""

    def __init__(self) -> None:
        self._last = time.perf_counter()
        before = _process_age_s()
        self._began = self._last - before
        self.laps = [("start Python", before)] if before else []

    def __repr__(self) -> str:
        return f"<Stopwatch {self.laps}>"

    def lap(self, step: str) -> None:
        """What has passed since the last lap was for ``step``."""
        now = time.perf_counter()
        self.laps.append((step, now - self._last))
        self._last = now

    @property
    def total_s(self) -> float:
        return time.perf_counter() - self._began


def _process_age_s() -> float:
    """How long this process has been running, by Linux's clock of ticks; 0 elsewhere."""
    try:
        after_name = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        began = int(after_name[19]) / os.sysconf("SC_CLK_TCK")
        return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - began)
    except (OSError, ValueError, IndexError, AttributeError):
        return 0.0


def _annotations() -> dict[str, str]:
    """Those of the pod, where the operator has put them; none outside of a pod."""
    try:
        return parse_annotations(ANNOTATIONS.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return {}


def component_of(given: str, environ: Mapping[str, str]) -> tuple[Path | None, dict[str, str]]:
    """The component's folder and the environment in force, from the argument: a folder or a module's name.

    The names of what the folder's file gave are in ``SCOREKIT_FROM_FILE``, so that a worker that starts anew, and
    inherits them, reads the file again.
    """
    inherited = json.loads(environ.get(ENV_FROM_FILE) or "[]")
    environ = {name: value for name, value in environ.items() if name != ENV_FROM_FILE and name not in inherited}
    directory = Path(given)
    if directory.is_dir():
        file = directory / ".s2i" / "environment"
        try:
            own = parse_environment_file(file.read_text(encoding="utf-8"), str(file)) if file.is_file() else {}
        except (OSError, UnicodeDecodeError) as error:
            raise SetupError(f"{file} cannot be read: {error}") from error
        told = {ENV_FROM_FILE: json.dumps([name for name in own if name not in environ])} if own else {}
        return directory.resolve(), {**own, **environ, **told}
    if "/" in given or given.endswith(".py") or not given.replace(".", "").isidentifier():
        instead = f"; say its folder: {directory.parent}" if directory.is_file() else ""
        raise SetupError(f"{given} is neither a folder nor the name of a module{instead}")
    # The stock wrapper imports from the current folder.
    return Path.cwd(), {**environ, ENV_MODEL_NAME: given}
