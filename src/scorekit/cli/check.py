"""``scorekit check``: whether a component loads and answers a row of its own contract."""

import argparse
import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..contract import USUAL, Contract, configured_contract, read_contract
from ..errors import SetupError
from ..net import free_ports
from ..settings import read_settings
from ..settings.names import ENV_EXPOSE_ERRORS, ENV_GRPC_PORT, ENV_HOST, ENV_HTTP_PORT, ENV_METRICS_PORT
from .component import component_of
from .parser import Commands

_HOST = "127.0.0.1"
_TRY_EVERY_S, _REPORT_EVERY_S = 0.02, 5.0
_ANSWER_WITHIN_S = 300.0

VERBS = {
    "MODEL": "predict",
    "ROUTER": "route",
    "TRANSFORMER": "transform-input",
    "OUTLIER_DETECTOR": "transform-input",
    "COMBINER": "aggregate",
}
"""The method to call on a component of each type."""


def add(commands: Commands) -> None:
    """Add the command to ``commands``."""
    parser = commands.add_parser(
        "check",
        help="check that a component loads and answers a row of its contract",
        description="Serve a component on a free port of this machine, send it one row of its contract.json, check the "
        "answer and stop. Exit status: 0 if the answer is right, 1 if the component does not load or answers wrongly.",
        examples=("scorekit check wine-model",),
        when_missing="which component? Name its folder: `scorekit check DIR`",
    )
    parser.add_argument(
        "component", metavar="DIR_OR_MODULE", help="the component's folder, or a module of the current folder"
    )
    parser.set_defaults(command=check)


def check(arguments: argparse.Namespace) -> int:
    """Print the verdict. Raises ``SetupError`` if the component does not load or answers wrongly."""
    directory, environ = component_of(arguments.component, os.environ)
    settings = read_settings(environ, {})
    contract = configured_contract(settings.model.contract, directory)
    usual = directory / USUAL
    if contract is None and usual.is_file():
        contract = read_contract(usual)
    verb = VERBS[settings.model.service_type]
    began = time.perf_counter()
    asyncio.run(_serve_and_call(arguments.component, contract, verb))
    took = f"{time.perf_counter() - began:.1f} s"
    if contract is None:
        print(f"check: {settings.model.name} loads, in {took}; there is no contract.json, so no request was sent")
    else:
        print(f"check: {settings.model.name} answers {verb} for a row of {settings.model.contract or USUAL}, in {took}")
    return 0


async def _serve_and_call(component: str, contract: Contract | None, verb: str) -> None:
    """Serve the component in a process of its own, as a container does, call it once, and stop it."""
    from ..local.processes import ChildProcess, Command

    http, grpc, page = free_ports(_HOST, 3)
    ports = {ENV_HTTP_PORT: str(http), ENV_GRPC_PORT: str(grpc), ENV_METRICS_PORT: str(page), ENV_HOST: _HOST}
    exposing = {ENV_EXPOSE_ERRORS: "true"}  # the caller is the model's author, and needs the reason of a failure
    argv = [sys.executable, "-m", "scorekit", "serve", component]
    child = await ChildProcess.start(
        Command("check", argv, {**os.environ, **ports, **exposing}, Path.cwd()), _print_its_line
    )
    try:
        ending, listening = asyncio.create_task(child.ended()), asyncio.create_task(_until_listening(http))
        await asyncio.wait([ending, listening], return_when=asyncio.FIRST_COMPLETED)
        if not listening.done():
            listening.cancel()
            raise SetupError(f"the component does not start: {child.why(await ending)}")
        ending.cancel()
        if contract is not None:
            await asyncio.to_thread(_call, http, contract, verb)
    finally:
        await child.stop()


async def _until_listening(port: int) -> None:
    """Wait until something listens on the port: a server does so once its model has loaded."""
    began = reported = time.monotonic()
    while True:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(_HOST, port)
            writer.close()
            return
        now = time.monotonic()
        if now - reported > _REPORT_EVERY_S:
            reported = now
            _print(f"check: still loading after {now - began:.0f} s")
        await asyncio.sleep(_TRY_EVERY_S)


def _call(port: int, contract: Contract, verb: str) -> None:
    """Send one row and judge the answer. Raises ``SetupError`` that says what is wrong with it."""
    from ..tester import LAWS, Case, NoAnswer, Query, Unreachable
    from ..tester.clients import RestClient, parse_address

    message: Mapping[str, Any] = contract.sample()
    if verb == "aggregate":
        message = {"seldonMessages": [message]}
    client = RestClient(parse_address(f"http://{_HOST}:{port}"), _ANSWER_WITHIN_S)
    try:
        answer = client.send(Query(message, verb))
    except (NoAnswer, Unreachable) as error:
        raise SetupError(f"{verb} for a row of the contract: {error}") from error
    finally:
        client.close()
    case = Case(rows=(tuple(contract.sample_row()),))
    for law in LAWS:
        if law.single and (verb == "predict" or not law.targets) and (fault := law.judge(contract, case, [answer])):
            raise SetupError(f"{verb} for a row of the contract: {fault}; expected: {law.promise}")


def _print_its_line(line: str) -> None:
    from ..local.processes import ERROR_PREFIX

    if not line.startswith(f"check: {ERROR_PREFIX}"):  # the reason of its end is in our own last line
        _print(line)


def _print(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
