"""``scorekit up``: run a ksonnet app on this machine, behind a real Envoy."""

import argparse
import asyncio
import contextlib
import ipaddress
import json
import os
import shlex
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..contract import USUAL, read_contract
from ..errors import SetupError
from ..graph import KIND, folder_of, plan_node, read_deployment
from ..net import free_ports
from ..settings import variables
from .parser import Commands

if TYPE_CHECKING:
    from ..local.app import LocalRun, ReadinessProbe

IMAGES = "images.yaml"
"""The file beside app.yaml that names the folder of each image's component, so that no image has to be built."""


def add(commands: Commands) -> None:
    """Add the command to ``commands``."""
    parser = commands.add_parser(
        "up",
        help="run a ksonnet app on this machine, behind a real Envoy",
        description="Render a ksonnet app and run its SeldonDeployments as processes behind a real Envoy that routes "
        f"as Ambassador would. {IMAGES}, beside app.yaml, has a line `image: folder` for each image: the component in "
        "the folder runs in its place.",
        examples=("scorekit up ksonnet-app --port 8003",),
    )
    parser.add_argument("app", metavar="APP", nargs="?", default=".", help="the app's folder (default: this one)")
    parser.add_argument("--env", metavar="NAME", default="default", help="environment of the app (default: default)")
    parser.add_argument(
        "-c", "--component", metavar="NAME", action="append", default=[], help="run only this component; repeatable"
    )
    parser.add_argument(
        "--host", metavar="ADDRESS", default="127.0.0.1", help="IP address of the gateway (default: 127.0.0.1)"
    )
    parser.add_argument(
        "--port", type=int, default=8003, help="port of the gateway; 0 for one that is free (default: 8003)"
    )
    parser.set_defaults(command=up)


def up(arguments: argparse.Namespace) -> int:
    """Run the app until a signal stops it.

    Raises ``SetupError`` if a package is missing, a flag is wrong, or the app cannot run on this machine.
    """
    started = time.perf_counter()
    try:
        from ..local.app import LocalRun
    except ImportError as error:
        raise SetupError(
            f"`scorekit up` needs the package {error.name!r}: pip install '.[up]' in a checkout of scorekit"
        ) from error

    host = _address(arguments.host)
    if not 0 <= arguments.port <= 65535:
        raise SetupError(f"--port is {arguments.port}; it must be a whole number from 0 to 65535")
    _print(f"rendering {arguments.app} ({arguments.env})")
    probes = _probes(Path(arguments.app), arguments.env, arguments.component)
    port = arguments.port or free_ports(host, 1)[0]
    inherited = {name: value for name, value in os.environ.items() if name not in variables()}
    environ = {**inherited, "PYTHONUNBUFFERED": "1"}
    run = LocalRun(probes, host=host, port=port, environ=environ, say=_print)

    def ready() -> None:
        with contextlib.suppress(OSError):
            print(_summary(probes, host, port, time.perf_counter() - started), flush=True)

    asyncio.run(_run_until_signalled(run, ready))
    _print("stopped")
    return 0


async def _run_until_signalled(run: "LocalRun", ready: Callable[[], None]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await run.run(ready, stop)


def _probes(folder: Path, environment: str, components: Sequence[str]) -> "list[ReadinessProbe]":
    """The deployments of the app, each with the folder to run and a request that shows whether it answers."""
    from ..ks.app.app import load_app
    from ..ks.io.disk import Directory, find_root
    from ..local.app import NODE_HOST, ReadinessProbe
    from .ks import render_app

    root = find_root(folder)
    if root is None:
        raise SetupError(f"unable to find ksonnet project: there is no app.yaml in {folder} or above it")
    objects = render_app(root, environment, components)
    namespace = load_app(Directory(root)).environment(environment).namespace
    deployments = [read_deployment(each, namespace) for each in objects if each["kind"] == KIND]
    others = [each for each in objects if each["kind"] != KIND]
    if others:
        _print(f"not run on this machine: {_listed(others)}")
    if not deployments:
        raise SetupError(f"the app in {root} renders no {KIND} for the environment {environment}")
    names = [each.name for each in deployments]
    if twice := {name for name in names if names.count(name) > 1}:
        raise SetupError(
            f"two deployments are called {twice.pop()}: /seldon/<name>/ could mean either; choose one with -c"
        )

    folders = _folders(root / IMAGES)
    ports = iter(free_ports(NODE_HOST, 3 * len(deployments)))
    probes = []
    for deployment in deployments:
        source = (root / folder_of(deployment.node.image, folders, str(root / IMAGES))).resolve()
        if not source.is_dir():
            raise SetupError(f"{root / IMAGES} names {source} for {deployment.node.image}: there is no such folder")
        if deployment.replicas > 1:
            _print(f"{deployment.name} has {deployment.replicas} replicas on a cluster; one runs here")
        probes.append(ReadinessProbe(plan_node(deployment, source, NODE_HOST, ports), _sample(source / USUAL)))
    return probes


def _listed(objects: Sequence[Mapping[str, Any]]) -> str:
    """The names of objects, by kind."""
    names: dict[str, list[str]] = {}
    for each in objects:
        names.setdefault(each["kind"], []).append(str(each["metadata"].get("name", "")))
    return "; ".join(f"{kind} {', '.join(each)}" for kind, each in names.items())


def _folders(file: Path) -> Mapping[str, str]:
    """The folder of each image, from ``images.yaml``; none if there is no such file."""
    import yaml

    try:
        value = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, yaml.YAMLError) as error:
        why = " ".join(str(error).split())
        raise SetupError(f"{file} cannot be read as lines of `image: folder`: {why}") from error
    if not isinstance(value, dict) or not all(isinstance(each, str) for pair in value.items() for each in pair):
        raise SetupError(f"{file} must be lines of `image: folder`")
    return value


def _sample(contract: Path) -> dict[str, Any] | None:
    """A request that the contract allows; ``None``, with a line that says so, if there is no contract."""
    if not contract.is_file():
        _print(f"{contract.parent.name} has no {USUAL}: only its health is checked")
        return None
    return read_contract(contract).sample()


def _summary(probes: "Sequence[ReadinessProbe]", host: str, port: int, took_s: float) -> str:
    """What ``scorekit up`` prints once all runs: a table of the deployments, and a curl command for each."""
    shown = "localhost" if host in ("127.0.0.1", "0.0.0.0", "::1", "::") else host  # noqa: S104  shown, not bound
    shown = f"[{shown}]" if ":" in shown else shown
    rows = [("DEPLOYMENT", "SOURCE", "URL")]
    for probe in probes:
        source = Path(os.path.relpath(probe.plan.folder))
        rows.append((probe.plan.deployment.name, str(source), f"http://{shown}:{port}{probe.path}"))
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    lines = ["", *(f"  {row[0]:{widths[0]}}  {row[1]:{widths[1]}}  {row[2]}" for row in rows), ""]
    for probe in probes:
        lines.append(f"  curl http://{shown}:{port}{probe.path}" + (" \\" if probe.body else ""))
        if probe.body:
            lines.append('       -H "Content-Type: application/json" \\')
            lines.append(f"       -d {shlex.quote(json.dumps(probe.body, separators=(',', ':'), ensure_ascii=False))}")
    name, grpc = probes[0].plan.deployment.name, f"{shown}:{port}"
    lines += ["", f"  gRPC: {grpc}, seldon.protos.Seldon/Predict, with the header seldon: {name}"]
    return "\n".join([*lines, "", f"ready in {took_s:.1f} s; Ctrl-C stops everything"])


def _print(line: str) -> None:
    # The reader may have closed the pipe (`scorekit up 2>&1 | head`); that must not stop the app.
    with contextlib.suppress(OSError):
        print(line, file=sys.stderr, flush=True)


def _address(text: str) -> str:
    """The IP address in ``--host``: Envoy resolves no names here."""
    if text == "localhost":
        return "127.0.0.1"
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise SetupError(f"--host is {text!r}; it must be an IP address of this machine, or localhost") from None
