"""``scorekit serve``: one component, served."""

import argparse
import logging
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from ..errors import SetupError
from ..settings import LOG_LEVELS, SERVICE_TYPES, parse_annotations, parse_environment_file, read_settings

ANNOTATIONS = Path("/etc/podinfo/annotations")

# The stock wrapper's flags that this version takes and does not act on, so that old command lines keep starting.
INERT = (
    "persistence",
    "tracing",
    "debug",
    "workers",
    "threads",
    "max-requests",
    "max-requests-jitter",
    "keepalive",
    "single-threaded",
    "pidfile",
    "access-log",
    "grpc-threads",
)


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
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
    parser.add_argument("--batching", choices=("on", "off"), help="merge concurrent requests (BATCHING; off)")
    parser.add_argument(
        "--compatibility", choices=("better", "stock"), help="stock: its ways, for old clients (SCOREKIT_COMPATIBILITY)"
    )
    parser.add_argument("--max-batch-rows", help="rows in one call of the model at most (MAX_BATCH_ROWS; 1024)")
    parser.add_argument("--max-body-bytes", help="a larger body is answered 413 (MAX_BODY_BYTES; 268435456)")
    parser.add_argument("--max-grpc-message-bytes", help="a larger message is refused (GRPC_MAX_MESSAGE_SIZE; 4194304)")
    parser.add_argument("--log-level", choices=LOG_LEVELS, help="(SELDON_LOG_LEVEL; INFO)")
    stock = parser.add_argument_group("stock flags without effect in this version")
    for name in INERT:
        stock.add_argument(f"--{name}", nargs="?", const="1", help=argparse.SUPPRESS)
    parser.set_defaults(command=serve)


def serve(arguments: argparse.Namespace) -> int:
    """Run the server until it is told to stop."""
    given = {name: value for name, value in vars(arguments).items() if isinstance(value, str)}
    directory, environ = _component(given.pop("component"), os.environ)
    return start(directory, environ, given)


def start(directory: Path | None, environ: Mapping[str, str], given: dict[str, str]) -> int:
    """Serve the component in ``directory`` with the settings of ``environ`` and the flags ``given``, by their names."""
    started = time.perf_counter()
    settings = read_settings(environ, given, _annotations())
    logging.basicConfig(
        level=settings.log_level,
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    log = logging.getLogger(__name__)
    for name in sorted(given.keys() & {flag.replace("-", "_") for flag in INERT}):
        log.warning("settings.ignored flag=--%s: it has no effect in this version", name.replace("_", "-"))

    from ..serve.server import run

    def ready(address: str, batching: bool) -> None:
        log.info(
            "serve.ready model=%s address=%s batching=%s after_s=%.2f",
            settings.model_name,
            address,
            "on" if batching else "off",
            time.perf_counter() - started,
        )

    run(settings, directory, ready)
    return 0


def _annotations() -> dict[str, str]:
    """Those of the pod, where the operator has put them; none outside of a pod."""
    try:
        return parse_annotations(ANNOTATIONS.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return {}


def _component(given: str, environ: Mapping[str, str]) -> tuple[Path | None, dict[str, str]]:
    """The component's folder and the environment in force, from the argument: a folder or a module's name."""
    directory = Path(given)
    if directory.is_dir():
        file = directory / ".s2i" / "environment"
        try:
            own = parse_environment_file(file.read_text(encoding="utf-8"), str(file)) if file.is_file() else {}
        except (OSError, UnicodeDecodeError) as error:
            raise SetupError(f"{file} cannot be read: {error}") from error
        return directory.resolve(), {**own, **environ}
    if "/" in given or given.endswith(".py") or not given.replace(".", "").isidentifier():
        raise SetupError(f"{given} is neither a folder nor the name of a module")
    # The stock wrapper imports from the current folder.
    return Path.cwd(), {**environ, "MODEL_NAME": given}
