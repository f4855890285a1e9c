"""``scorekit serve``: serve one component."""

import argparse
import dataclasses
import logging
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..serve.workers import cpus
from ..settings import Settings, parse_annotations, read_settings
from .component import component_of
from .logs import start_logging
from .parser import Commands
from .serve_flags import INERT, add_flags
from .stopwatch import Stopwatch

ANNOTATIONS = Path("/etc/podinfo/annotations")
"""Where Seldon's operator mounts the annotations of the pod."""


def add(commands: Commands) -> None:
    """Add the command to ``commands``."""
    parser = commands.add_parser(
        "serve",
        help="serve a component over REST and gRPC",
        usage="scorekit serve [FLAGS] DIR_OR_MODULE",
        description="Serve a component: a folder with .s2i/environment, or a Python module. Each port but the one for "
        "metrics answers both REST and gRPC. In parentheses are a flag's default and the environment variable that "
        "sets the same. A flag overrides its variable, and a variable overrides the component's .s2i/environment.",
        examples=(
            "scorekit init wine-model && python wine-model/train.py",
            "scorekit serve wine-model",
            "scorekit serve wine-model --http-port 8080 --batching auto --workers 2",
            "scorekit serve wine-model --explain",
        ),
        when_missing="which component? Name its folder: `scorekit serve DIR`. `scorekit init DIR` writes a new one",
    )
    add_flags(parser)
    parser.set_defaults(command=serve)


def serve(arguments: argparse.Namespace) -> int:
    """Run the server until a signal stops it, or print the limits with ``--explain``. Returns the exit status.

    Raises ``SetupError`` if a setting is wrong or the component does not load.
    """
    given = {name: value for name, value in vars(arguments).items() if isinstance(value, str)}
    component = given.pop("component")
    if arguments.explain:
        environ = component_of(component, os.environ)[1]
        from ..settings.explain import explained

        rows = [
            ("limit", "value", "unit", "from", "why, and what others use"),
            *map(dataclasses.astuple, explained(environ, given, _annotations())),
        ]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        return 0

    def environment() -> tuple[Path, Mapping[str, str]]:
        directory, environ = component_of(component, os.environ)
        # In an image, .s2i/environment is part of the environment, and models read their own variables there.
        for name in os.environ.keys() - environ.keys():
            del os.environ[name]
        os.environ.update(environ)
        return directory, environ

    return start(environment, given, arguments.timings)


def start(
    environment: Callable[[], tuple[Path, Mapping[str, str]]], given: dict[str, str], timings: bool = False
) -> int:
    """Serve the component in the folder, with the variables, that ``environment`` returns, and the flags ``given``.

    ``environment`` is called once now, and again in every worker, so that a reload reads changed variables.

    Returns the exit status. The order of the steps matters. The settings come first, because the number of workers
    decides how many threads numpy's libraries may start, and they read that once, when they are imported; the import of
    the server is what imports them. Raises ``SetupError`` if a setting is wrong or the component does not load.
    """
    clock = Stopwatch()

    def read() -> tuple[Settings, Path]:
        directory, environ = environment()
        settings = read_settings(environ, given, _annotations())
        start_logging(settings.observability.log_level)
        return settings, directory

    settings, _ = read()
    log = logging.getLogger(__name__)
    for name in sorted(given.keys() & {flag.replace("-", "_") for flag in INERT}):
        log.warning("settings.ignored flag=--%s: it has no effect in this version", name.replace("_", "-"))
    workers = settings.workers.count or _by_quota(settings)
    threads = str(max(1, int(cpus.available() / workers)))
    for name in cpus.THREADS:
        os.environ.setdefault(name, threads)
    clock.lap("settings")

    from ..serve.server import run

    clock.lap("import scorekit")

    def ready(address: str, reports: list[Mapping[str, Any]]) -> None:
        clock.lap("fork to ready")
        first = reports[0]
        log.info(
            "serve.ready model=%s address=%s workers=%d batching=%s%s after_s=%.2f",
            settings.model.name,
            address,
            len(reports),
            "on" if first["batching"] else "off",
            f" reason={first['reason']!r}" if first["reason"] else "",
            clock.total_s,
        )
        if timings:
            steps = [*clock.laps, *((f"  {step}", seconds) for step, seconds in first["took"].items())]
            lines = [f"{step:32}{seconds * 1000:8.1f} ms" for step, seconds in [*steps, ("total", clock.total_s)]]
            print("\n".join(lines), file=sys.stderr, flush=True)

    run(settings, read, workers, ready)
    return 0


def _by_quota(settings: Settings) -> int:
    """One worker for each whole CPU of the container's limit, else one (docs/design/0020-how-many-workers.md).

    A router has one worker: it learns from feedback, and workers do not share what they learn.
    """
    granted = cpus.quota()
    return 1 if granted is None or settings.model.service_type == "ROUTER" else max(1, int(granted))


def _annotations() -> dict[str, str]:
    """The annotations of the pod; none outside of a pod."""
    try:
        return parse_annotations(ANNOTATIONS.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return {}
