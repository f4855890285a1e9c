"""``scorekit test``: a server against its contract, with a verdict."""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from ..contract import Contract, parse_contract
from ..errors import ScorekitError, SetupError

COULD_NOT_TEST = 2
_PHASES = ("examples", "boundaries", "random", "negative", "feedback")


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "test",
        help="test a server against its contract",
        description="Draw requests from a contract, send them, and judge the answers. Exit status: 0 all held, 1 the "
        "contract is broken, 2 could not test. `CONTRACT HOST PORT` is the stock seldon-core-tester's form: it sends "
        "-n cases of -b rows unless --phases asks for more.",
    )
    parser.add_argument("contract", metavar="CONTRACT", help="contract.json")
    parser.add_argument("urls", metavar="URL", nargs="+", help="http://HOST:PORT, a prefix or a route; or HOST PORT")
    parser.add_argument("--phases", help=f"of {','.join(_PHASES)} (all)")
    parser.add_argument("--seed", type=int, default=0, help="of the random cases (0)")
    parser.add_argument("-n", "--max-examples", "--n-requests", type=int, help="random cases a law (50; stock form: 1)")
    parser.add_argument("-b", "--batch-size", type=int, help="rows of a random case (1 to 6; stock form: 1)")
    parser.add_argument("-t", "--tensor", action="store_true", help="random cases as tensors only")
    parser.add_argument("-p", "--prnt", action="store_true", help="print each request and answer")
    parser.add_argument("--endpoint", choices=("predict", "send-feedback", "transform-input"), default="predict")
    parser.add_argument("--grpc", action="store_true", help="ask over gRPC")
    parser.add_argument("--log-level", choices=("DEBUG", "INFO", "ERROR"), default="INFO")
    parser.add_argument("--timeout", type=float, default=10, help="seconds to wait for one answer (10)")
    parser.add_argument("--junit", metavar="FILE", help="write a JUnit report")
    parser.add_argument("--json", metavar="FILE", help="write a JSON report")
    parser.add_argument("--cases", metavar="DIR", default="scorekit-cases", help="where broken cases are saved")
    parser.add_argument("--replay", metavar="FILE", help="try one saved case again")
    parser.set_defaults(command=test)


def test(arguments: argparse.Namespace) -> int:
    """Test each URL. A ``ScorekitError`` here means that nothing could be tested."""
    try:
        return _test(arguments)
    except ScorekitError as error:
        print(f"scorekit test: {error}", file=sys.stderr)
        return COULD_NOT_TEST


def _test(arguments: argparse.Namespace) -> int:
    contract = read_contract(arguments.contract)
    try:
        import hypothesis  # noqa: F401  asked for here, so that its lack is told before anything is sent
    except ImportError as error:
        raise SetupError("`scorekit test` needs the package 'hypothesis': pip install 'scorekit[test]'") from error
    from ..client import RestClient
    from ..verify import report
    from ..verify.laws import BY_NAME
    from ..verify.session import Session
    from ..verify.wire import Answer, Ask

    if arguments.grpc:
        raise SetupError("--grpc: this version asks over REST only")
    if arguments.endpoint == "transform-input":
        raise SetupError("--endpoint transform-input: this version tests predict and send-feedback only")
    stock = len(arguments.urls) == 2 and arguments.urls[1].isdecimal()
    urls = [f"http://{arguments.urls[0]}:{arguments.urls[1]}"] if stock else arguments.urls
    phases = _phases(arguments.phases, stock, arguments.endpoint)

    class Printing(RestClient):
        def send(self, ask: Ask, /) -> Answer:
            print("-" * 40, "SENDING NEW REQUEST:", "", ask.body().decode(), sep="\n")
            answer = super().send(ask)
            print("RECEIVED RESPONSE:", answer.body.decode("utf-8", "replace"), "", sep="\n")
            return answer

    runs, reports = [], []
    for url in urls:
        client = (Printing if arguments.prnt else RestClient)(url, arguments.timeout)
        started = time.monotonic()
        session = Session(
            contract,
            client,
            arguments.seed,
            arguments.max_examples or (1 if stock else 50),
            arguments.batch_size or (1 if stock else None),
            ("tensor" if arguments.tensor else "ndarray") if stock or arguments.tensor else None,
            _progress,
        )
        try:
            if arguments.replay:
                file = Path(arguments.replay)
                try:
                    law, case = report.parse_replay(file.read_text(encoding="utf-8"))
                except (OSError, ValueError) as error:
                    raise SetupError(f"{file} cannot be replayed: {error}") from error
                if law not in BY_NAME:
                    raise SetupError(f"{file} names the law {law!r}, which there is not")
                results = [session.replay(law, case)]
            else:
                results = session.run(phases)
        finally:
            client.close()
            _progress("")
        files = {}
        for result in results:
            if result.case is not None and not arguments.replay:
                file = Path(arguments.cases) / f"{result.law.name.replace(' ', '-').replace('=', 'is')}.json"
                _write(file, report.replay_text(result.law.name, result.case))
                files[result.law.name] = str(file)
        print(f"{arguments.contract} at {client.address()}\n")
        print(report.table(results, files))
        print("\n" + report.summary(results, session.sent, time.monotonic() - started, arguments.seed))
        runs.append((url, results))
        reports.append(report.as_json(url, results, arguments.seed))
    if arguments.junit:
        _write(Path(arguments.junit), report.as_junit(runs))
    if arguments.json:
        _write(Path(arguments.json), json.dumps({"contract": arguments.contract, "servers": reports}, indent=1) + "\n")
    return max(report.exit_status(results) for _, results in runs)


def read_contract(name: str) -> Contract:
    """The contract in a file. Raises ``SetupError`` with file, line and place."""
    try:
        return parse_contract(Path(name).read_text(encoding="utf-8"), name)
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"{name} cannot be read: {getattr(error, 'strerror', None) or error}") from error


def _phases(given: str | None, stock: bool, endpoint: str) -> Sequence[str]:
    if given is None:
        return ("feedback",) if endpoint == "send-feedback" else ("random",) if stock else _PHASES
    phases = [each.strip() for each in given.split(",")]
    if unknown := [each for each in phases if each not in _PHASES]:
        raise SetupError(f"--phases: there is no phase {unknown[0]!r}; choose of {', '.join(_PHASES)}")
    return phases


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SetupError(f"{file} cannot be written: {error.strerror}") from error
