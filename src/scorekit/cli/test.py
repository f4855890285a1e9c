"""``scorekit test``: test servers against their contract."""

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
from .clients import clients
from .parser import Commands
from .tester_flags import PHASES, add_flags

if TYPE_CHECKING:
    from ..tester import Plan, Result

COULD_NOT_TEST = 2
"""The exit status if a server could not be tested."""


def add(commands: Commands) -> None:
    """Add the command to ``commands``."""
    parser = commands.add_parser(
        "test",
        help="test a server against its contract",
        usage="scorekit test [FLAGS] CONTRACT URL ...",
        description="Send requests that the contract describes, and others that it forbids, and judge the answers. "
        "Exit status: 0 if the server keeps the contract, 1 if it does not, 2 if it could not be tested. `CONTRACT "
        "HOST PORT` is the form of seldon-core-tester: it sends -n requests of -b rows and judges each answer alone, "
        "unless --phases asks for more.",
        examples=(
            "scorekit test wine-model/contract.json http://localhost:9000",
            "scorekit test wine-model/contract.json localhost 9000 -n 3 -b 2 -p",
            "scorekit test wine-model/contract.json http://localhost:8003/seldon/wine --phases examples,negative",
        ),
        when_missing="which server, and which contract? `scorekit test CONTRACT URL`",
    )
    add_flags(parser)
    parser.set_defaults(command=test)


def test(arguments: argparse.Namespace) -> int:
    """Test each server, and print the verdict. Returns 0 if all keep the contract, 1 if one does not, else 2.

    Our own errors end with 2, not with 1 as elsewhere: a build must be able to tell "broken" from "not tested".
    """
    logging.basicConfig(level=arguments.log_level)
    try:
        contract = read_contract(arguments.contract)
        with _hypothesis():
            urls, plan = _plan(arguments)
            return _test_each(contract, urls, plan, arguments)
    except ScorekitError as error:
        print(f"scorekit test: {error}", file=sys.stderr)
        return COULD_NOT_TEST


@contextlib.contextmanager
def _hypothesis() -> Iterator[None]:
    """Check that Hypothesis is there before anything is sent, and keep its files out of the current folder."""
    try:
        from hypothesis.configuration import set_hypothesis_home_dir
    except ImportError as error:
        raise SetupError(
            "`scorekit test` needs the package 'hypothesis': pip install '.[test]' in a checkout of scorekit"
        ) from error
    with tempfile.TemporaryDirectory() as folder:
        set_hypothesis_home_dir(Path(folder))
        try:
            yield
        finally:
            set_hypothesis_home_dir(None)


def _plan(arguments: argparse.Namespace) -> tuple[list[str], "Plan"]:
    """The URLs of the servers, and what to try on each. Raises ``SetupError`` for flags that make no sense.

    ``HOST PORT`` is the form of seldon-core-tester: unless ``--phases`` asks for more, it sends exactly as many
    requests as that would (docs/design/0018-the-stock-testers-form.md).
    """
    from ..tester import Plan

    stock = len(arguments.urls) == 2 and arguments.urls[1].isdecimal()
    urls = [f"http://{arguments.urls[0]}:{arguments.urls[1]}"] if stock else arguments.urls
    for flag, number in (("-n", arguments.n_requests), ("-b", arguments.batch_size), ("--timeout", arguments.timeout)):
        if number is not None and number <= 0:
            raise SetupError(f"{flag} is {number}; it must be more than 0")
    if arguments.prnt and arguments.json == "-":
        raise SetupError("-p and --json - both write to standard output; give --json a file")
    short = stock and arguments.phases is None
    form = ("tensor" if arguments.tensor else "ndarray") if stock or arguments.tensor else None
    plan = Plan(
        phases=_phases(arguments.phases, stock, arguments.endpoint),
        seed=arguments.seed,
        max_examples=arguments.n_requests or (1 if stock else 50),
        rows=arguments.batch_size or (1 if stock else None),
        form=form,
        verb=arguments.endpoint,
        single=short,
        strict=arguments.strict,
    )
    return urls, plan


def _phases(given: str | None, stock: bool, endpoint: str) -> Sequence[str]:
    if given is None:
        return ("feedback",) if endpoint == "send-feedback" else ("random",) if stock else PHASES
    phases = [each.strip() for each in given.split(",")]
    if unknown := [each for each in phases if each not in PHASES]:
        raise SetupError(f"--phases: there is no phase {unknown[0]!r}; choose from {', '.join(PHASES)}")
    return phases


def _test_each(contract: Contract, urls: Sequence[str], plan: "Plan", arguments: argparse.Namespace) -> int:
    """Test one server after the other; an error of one does not stop the others. Returns the exit status."""
    from ..tester import report

    # If the JSON report goes to standard output, nothing else may.
    out = sys.stderr if arguments.json == "-" else sys.stdout
    runs: list[tuple[str, Sequence[Result] | str]] = []
    for at, url in enumerate(urls):
        started = time.monotonic()
        try:
            results, sent, where = _test_one(contract, url, plan, arguments)
        except ScorekitError as error:
            print(f"scorekit test: {error}", file=sys.stderr)
            runs.append((url, str(error)))
            continue
        finally:
            _progress("")
        folder = Path(arguments.cases) / (f"server-{at + 1}" if len(urls) > 1 else "")
        files = {} if arguments.replay else _saved(results, folder, plan.verb)
        print(f"{arguments.contract} at {where}\n\n{report.table(results, files)}\n", file=out)
        print(report.summary(results, sent, time.monotonic() - started, plan.seed), file=out)
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


def _test_one(
    contract: Contract, url: str, plan: "Plan", arguments: argparse.Namespace
) -> tuple[list["Result"], int, str]:
    """Test one server. Returns its results, how many requests were sent, and their address."""
    from dataclasses import replace

    from ..tester import Session, probe
    from ..tester.replay import parse_replay
    from .printing import PrintingTransport

    replay = None
    if arguments.replay:
        try:
            replay = parse_replay(Path(arguments.replay).read_text(encoding="utf-8"), arguments.replay)
        except (OSError, UnicodeDecodeError) as error:
            raise SetupError(f"{arguments.replay} cannot be read: {error}") from error
        plan = replace(plan, verb=replay.endpoint)
    with clients(contract, url, plan.verb, arguments) as (main, other):
        probe(contract, main, plan.verb)
        transport = PrintingTransport(main, plan.verb) if arguments.prnt else main
        session = Session(
            contract=contract,
            transport=transport,
            plan=plan,
            other=None if plan.single else other,
            progress=_progress,
        )
        results = [session.replay(replay.law, replay.case)] if replay else session.run()
        return results, session.sent, main.where(plan.verb)


def _saved(results: Sequence["Result"], folder: Path, endpoint: str) -> dict[str, str]:
    """Write a file with the smallest case of each broken law. Returns the files by law."""
    from ..tester.replay import Replay

    files = {}
    for result in results:
        if result.case is not None:
            file = folder / f"{result.law.name.replace(' ', '-').replace('=', 'is')}.json"
            _write(file, Replay(result.law.name, result.case, endpoint).text())
            files[result.law.name] = str(file)
    return files


def _progress(text: str) -> None:
    """Show ``text`` in place of the progress before it, on a terminal only."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SetupError(f"{file} cannot be written: {error.strerror}") from error
