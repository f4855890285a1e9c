"""``scorekit test``: servers against their contract, with a verdict."""

import argparse
import contextlib
import json
import logging
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..contract import Contract, read_contract
from ..errors import ScorekitError, SetupError
from .parser import Commands

if TYPE_CHECKING:
    from ..tester.clients.grpc import GrpcClient
    from ..tester.clients.rest import RestClient
    from ..tester.session import Plan, Result

    Client = GrpcClient | RestClient

COULD_NOT_TEST = 2
_PROBE_S = 3.0
_PHASES = ("examples", "boundaries", "random", "negative", "feedback")


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "test",
        help="test a server against its contract",
        description="Draw requests from a contract, send them, and judge the answers. Exit status: 0 all held, 1 the "
        "contract is broken, 2 could not test. `CONTRACT HOST PORT` is the stock seldon-core-tester's form: it sends "
        "-n requests of -b rows and judges each answer, unless --phases asks for more.",
    )
    parser.add_argument("contract", metavar="CONTRACT", help="contract.json")
    parser.add_argument("urls", metavar="URL", nargs="+", help="http(s)://HOST:PORT, grpc://…, a prefix; or HOST PORT")
    parser.add_argument("--phases", help=f"of {','.join(_PHASES)} (all)")
    parser.add_argument("--seed", type=int, default=0, help="of the random cases (0)")
    parser.add_argument("-n", "--n-requests", "--max-examples", type=int, help="random cases a law (50; stock form: 1)")
    parser.add_argument("-b", "--batch-size", type=int, help="rows of a random case (1 to 6; stock form: 1)")
    parser.add_argument("-t", "--tensor", action="store_true", help="random cases as tensors only")
    parser.add_argument("-p", "--prnt", action="store_true", help="print each request and answer")
    parser.add_argument("--endpoint", choices=("predict", "send-feedback", "transform-input"), default="predict")
    parser.add_argument("--grpc", action="store_true", help="ask over gRPC (needs scorekit[test])")
    parser.add_argument("--grpc-port", type=int, metavar="PORT", help="where gRPC is spoken (the URL's port)")
    parser.add_argument("--strict", action="store_true", help="whatever breaks the contract must be refused")
    parser.add_argument("--timeout", type=float, default=10, help="seconds to wait for one answer (10)")
    parser.add_argument("--cacert", metavar="FILE", help="certificates to trust in place of the system's")
    parser.add_argument("--api-key-file", metavar="FILE", help="its first line goes with every request, as X-API-Key")
    parser.add_argument("--junit", metavar="FILE", help="write a JUnit report")
    parser.add_argument("--json", metavar="FILE", help="write a JSON report; - for standard output")
    parser.add_argument("--cases", metavar="DIR", default="scorekit-cases", help="where broken cases are saved")
    parser.add_argument("--replay", metavar="FILE", help="try one saved case again")
    parser.add_argument("--log-level", choices=("DEBUG", "INFO", "ERROR"), default="ERROR")
    parser.set_defaults(command=test)


def test(arguments: argparse.Namespace) -> int:
    """Test each URL. A ``ScorekitError`` here means that nothing could be tested."""
    logging.basicConfig(level=arguments.log_level)
    try:
        contract = read_contract(arguments.contract)
        with _hypothesis():
            urls, plan = _asked_for(arguments)
            return _each(contract, urls, plan, arguments)
    except ScorekitError as error:
        print(f"scorekit test: {error}", file=sys.stderr)
        return COULD_NOT_TEST


@contextlib.contextmanager
def _hypothesis() -> Iterator[None]:
    """Asked for before anything is sent; what it writes is left nowhere."""
    try:
        from hypothesis.configuration import set_hypothesis_home_dir
    except ImportError as error:
        raise SetupError("`scorekit test` needs the package 'hypothesis': pip install 'scorekit[test]'") from error
    with tempfile.TemporaryDirectory() as folder:
        set_hypothesis_home_dir(Path(folder))
        try:
            yield
        finally:
            set_hypothesis_home_dir(None)


def _asked_for(arguments: argparse.Namespace) -> tuple[list[str], "Plan"]:
    """The servers and what to try on each. Raises ``SetupError`` for what makes no sense."""
    from ..tester.session import Plan

    stock = len(arguments.urls) == 2 and arguments.urls[1].isdecimal()
    urls = [f"http://{arguments.urls[0]}:{arguments.urls[1]}"] if stock else arguments.urls
    for flag, number in (("-n", arguments.n_requests), ("-b", arguments.batch_size), ("--timeout", arguments.timeout)):
        if number is not None and number <= 0:
            raise SetupError(f"{flag} is {number}; it must be more than 0")
    if arguments.prnt and arguments.json == "-":
        raise SetupError("-p and --json - both want standard output; give --json a file")
    short = stock and arguments.phases is None
    form = ("tensor" if arguments.tensor else "ndarray") if stock or arguments.tensor else None
    plan = Plan(
        _phases(arguments.phases, stock, arguments.endpoint),
        arguments.seed,
        arguments.n_requests or (1 if stock else 50),
        arguments.batch_size or (1 if stock else None),
        form,
        arguments.endpoint,
        single=short,
        strict=arguments.strict,
    )
    return urls, plan


def _phases(given: str | None, stock: bool, endpoint: str) -> Sequence[str]:
    if given is None:
        return ("feedback",) if endpoint == "send-feedback" else ("random",) if stock else _PHASES
    phases = [each.strip() for each in given.split(",")]
    if unknown := [each for each in phases if each not in _PHASES]:
        raise SetupError(f"--phases: there is no phase {unknown[0]!r}; choose of {', '.join(_PHASES)}")
    return phases


def _each(contract: Contract, urls: Sequence[str], plan: "Plan", arguments: argparse.Namespace) -> int:
    """Every server, whatever becomes of the others."""
    from ..tester import report

    # A JSON report on standard output has it for itself.
    told = sys.stderr if arguments.json == "-" else sys.stdout
    runs: list[tuple[str, Sequence[Result] | str]] = []
    for at, url in enumerate(urls):
        started = time.monotonic()
        try:
            results, sent, where = _one(contract, url, plan, arguments)
        except ScorekitError as error:
            print(f"scorekit test: {error}", file=sys.stderr)
            runs.append((url, str(error)))
            continue
        finally:
            _progress("")
        folder = Path(arguments.cases) / (f"server-{at + 1}" if len(urls) > 1 else "")
        files = {} if arguments.replay else _saved(results, folder, plan.verb)
        print(f"{arguments.contract} at {where}\n\n{report.table(results, files)}\n", file=told)
        print(report.summary(results, sent, time.monotonic() - started, plan.seed), file=told)
        runs.append((url, results))
    if arguments.junit:
        _write(Path(arguments.junit), report.as_junit(runs))
    if arguments.json:
        servers = [report.as_json(url, results, plan.seed) for url, results in runs]
        text = json.dumps({"contract": arguments.contract, "servers": servers}, indent=1) + "\n"
        if arguments.json == "-":
            sys.stdout.write(text)
        else:
            _write(Path(arguments.json), text)
    statuses = [COULD_NOT_TEST if isinstance(results, str) else report.exit_status(results) for _, results in runs]
    return max(statuses)


def _one(contract: Contract, url: str, plan: "Plan", arguments: argparse.Namespace) -> tuple[list["Result"], int, str]:
    """One server: its results, how many requests that took, and where they went."""
    from dataclasses import replace

    from ..tester import report
    from ..tester.session import Session, probe
    from .printing import Printing

    replay = None
    if arguments.replay:
        try:
            replay = report.parse_replay(Path(arguments.replay).read_text(encoding="utf-8"), arguments.replay)
        except (OSError, UnicodeDecodeError) as error:
            raise SetupError(f"{arguments.replay} cannot be read: {error}") from error
        plan = replace(plan, verb=replay.endpoint)
    with _clients(contract, url, plan.verb, arguments) as (main, other):
        probe(contract, main, plan.verb)
        transport = Printing(main, plan.verb) if arguments.prnt else main
        session = Session(contract, transport, plan, None if plan.single else other, _progress)
        results = [session.replay(replay.law, replay.case)] if replay else session.run()
        return results, session.sent, main.where(plan.verb)


@contextlib.contextmanager
def _clients(
    contract: Contract, url: str, verb: str, arguments: argparse.Namespace
) -> Iterator[tuple["Client", "Client | None"]]:
    """The server over the protocol that is tested, and over the other one if it is spoken there."""
    from dataclasses import replace

    from ..tester.clients.address import parse
    from ..tester.clients.grpc import GrpcClient
    from ..tester.clients.rest import RestClient

    address = parse(url)
    plain = address.scheme in ("http", "https")
    grpc = arguments.grpc or not plain
    calls = replace(address, port=arguments.grpc_port or address.port)
    how = arguments.timeout, arguments.cacert, _key(arguments.api_key_file)
    with contextlib.ExitStack() as stack:
        main: Client
        other: Client | None = None
        if grpc:
            main = GrpcClient(calls, *how)
            stack.callback(main.close)
            if plain:
                other = RestClient(address, *how)
        else:
            main = RestClient(address, *how)
            with contextlib.suppress(SetupError):  # without grpcio there is one protocol
                other = GrpcClient(calls, *how)
            if other is None and arguments.grpc_port:
                raise SetupError("--grpc-port: gRPC is asked by the package 'grpcio': pip install 'scorekit[test]'")
            stack.callback(main.close)
        if other is not None:
            stack.callback(other.close)
            if not _spoken(contract, other, verb, must=bool(arguments.grpc_port) and not grpc):
                other = None
        yield main, other


def _key(file: str | None) -> str | None:
    """The first key of the server's own file of keys. Raises ``SetupError``."""
    if file is None:
        return None
    from ..serve.guard.api_keys import read_keys

    try:
        keys = read_keys(Path(file).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"--api-key-file: {file} cannot be read: {type(error).__name__}") from error
    if not keys or not (keys[0].isascii() and keys[0].isprintable()):
        raise SetupError(f"--api-key-file: {file} has no API key in its first line")
    return keys[0]


def _spoken(contract: Contract, client: "Client", verb: str, must: bool) -> bool:
    """Whether the second protocol is spoken there; ``must`` raises ``Unreachable`` instead of saying no."""
    from ..tester.session import probe
    from ..tester.wire import Unreachable

    patience, client.timeout_s = client.timeout_s, client.timeout_s if must else min(_PROBE_S, client.timeout_s)
    try:
        probe(contract, client, verb, patient=False)
    except Unreachable:
        if must:
            raise
        return False
    finally:
        client.timeout_s = patience
    return True


def _saved(results: Sequence["Result"], folder: Path, endpoint: str) -> dict[str, str]:
    """Write the smallest case of each broken law. The files, by law."""
    from ..tester.report import Replay

    files = {}
    for result in results:
        if result.case is not None:
            file = folder / f"{result.law.name.replace(' ', '-').replace('=', 'is')}.json"
            _write(file, Replay(result.law.name, result.case, endpoint).text())
            files[result.law.name] = str(file)
    return files


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SetupError(f"{file} cannot be written: {error.strerror}") from error
