"""Measures what a change costs: this tree against an earlier revision, interleaved in one run on one machine.

`script/bench --against REV` runs this. Both trees serve the same model from the same environment of packages; only
``src/`` differs. In every round both are started, one after the other, and loaded in the order A B B A, A being now the
one, now the other. Two neighbouring figures make one ratio: drift of the machine (a third from run to run) hits both
alike. The median of the ratios is the verdict. 1 is no change, less is slower; below ``--floor`` (0.95) the exit status
is 1. The rows "per CPU second" are no verdict: they tell a change of cost from noise where other programs are running.
"""

import argparse
import contextlib
import json
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from bench import ONE_ROW, one_row_message, require_tools, rows
from load import Result, h2load, wrk
from servers import CACHE, SERVERS, Running, Server, programs_of, running

from scorekit.net import free_ports

ROOT = Path(__file__).parents[1]
OURS = next(server for server in SERVERS if server.name == "scorekit")
START = "start to the first answer"
LOADS = ("one row, REST", "one row, gRPC", "1000 × 20, REST")


@dataclass(frozen=True, slots=True)
class Tree:
    """One of the two revisions. ``source`` goes before everything else on the Python path of its server."""

    name: str
    source: Path


@dataclass(slots=True)
class Figure:
    """One figure, as pairs of (this tree, the other), in a unit of which more is better."""

    name: str
    unit: str
    pairs: list[tuple[float, float]] = field(default_factory=list)

    @property
    def ratios(self) -> list[float]:
        """The ratios of this tree's figures to the other's, pair by pair."""
        return [new / old for new, old in self.pairs]

    @property
    def median(self) -> float:
        """The median of the ratios, which is the verdict."""
        return statistics.median(self.ratios)

    def line(self) -> str:
        """A line for a person: the median, the range of the ratios, and the figures of each tree."""
        new, old = (statistics.median(side) for side in zip(*self.pairs, strict=True))
        low, _, high = statistics.quantiles(self.ratios, n=4) if len(self.pairs) > 1 else self.ratios * 3
        return f"{self.name:32}{self.median:7.3f}   {low:.3f} to {high:.3f}   {new:10,.2f} to {old:10,.2f} {self.unit}"


def revision(name: str) -> Tree:
    """Returns ``src/`` of a commit, unpacked once in the cache. Raises ``SystemExit`` if git does not know it."""
    found = subprocess.run(
        ["git", "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if found.returncode:
        raise SystemExit(f"bench: git knows no commit {name!r} in this repository")
    commit = found.stdout.strip()
    home = CACHE / "against" / commit
    if not (home / "src").exists():
        shutil.rmtree(home, ignore_errors=True)
        unpacked = home.with_suffix(".unpacking")
        shutil.rmtree(unpacked, ignore_errors=True)
        unpacked.mkdir(parents=True)
        archive = subprocess.run(["git", "archive", commit, "src"], cwd=ROOT, capture_output=True, check=True).stdout
        subprocess.run(["tar", "-x", "-C", unpacked], input=archive, check=True)
        unpacked.rename(home)
    return Tree(f"{name} ({commit[:7]})", home / "src")


def server_of(tree: Tree) -> Server:
    """Returns our server, with the sources of ``tree`` instead of the installed ones."""

    def command(programs: Path, folder: Path, ports: Sequence[int]) -> list[str]:
        _, *arguments = OURS.command(programs, folder, ports)
        return [str(programs / "python"), "-m", "scorekit", *arguments]

    return replace(OURS, name=f"scorekit, {tree.name}", folder="scorekit", command=command, source=tree.source)


class Comparison:
    """``new`` against ``old``, round by round."""

    def __init__(self, new: Tree, old: Tree, seconds: float) -> None:
        self._servers = [server_of(new), server_of(old)]
        self._programs = programs_of(OURS)
        self._seconds = max(1, round(seconds))  # as the load generators take it
        self._turned = False
        self.verdicts = {name: Figure(name, "requests/s") for name in LOADS}
        self.verdicts[START] = Figure(START, "starts/s")
        self.costs = {name: Figure(f"{name}, per CPU second", "requests") for name in LOADS}

    def warm_up(self) -> None:
        """Starts each tree once unmeasured, so that its bytecode is written and its files are in the page cache."""
        for server in self._servers:
            with self._running(server, 4):
                pass

    def round(self) -> None:
        """Measures two pairs of every figure."""
        seconds = self._seconds
        with contextlib.ExitStack() as stack:
            pair = self._pair(stack, features=4)
            body, message = OURS.body(ONE_ROW), one_row_message()
            self._measure("one row, REST", pair, lambda up: wrk(up.url, body, seconds))
            self._measure("one row, gRPC", pair, lambda up: h2load(up.grpc_url, message, seconds, warm_up_s=0))
        with contextlib.ExitStack() as stack:
            pair = self._pair(stack, features=20)
            large = OURS.body(rows(1000, 20))
            self._measure("1000 × 20, REST", pair, lambda up: wrk(up.url, large, seconds))
        self._turned = not self._turned

    def _running(self, server: Server, features: int) -> "contextlib.AbstractContextManager[Running]":
        return running(server, free_ports("127.0.0.1", 3), self._programs, features=features)

    def _in_turn(self) -> list[int]:
        return [1, 0] if self._turned else [0, 1]

    def _pair(self, stack: contextlib.ExitStack, features: int) -> list[Running]:
        """Runs both servers at once; the one that is not loaded is idle beside the other."""
        pair: dict[int, Running] = {}
        for which in self._in_turn():
            pair[which] = stack.enter_context(self._running(self._servers[which], features))
        self.verdicts[START].pairs.append((1 / pair[0].started_s, 1 / pair[1].started_s))
        for up in pair.values():
            wrk(up.url, OURS.body([[0.5] * features]), 1)
            if features == len(ONE_ROW[0]):
                h2load(up.grpc_url, one_row_message(), 1, warm_up_s=0)
        return [pair[0], pair[1]]

    def _measure(self, name: str, pair: list[Running], load: Callable[[Running], Result]) -> None:
        for order in (self._in_turn(), self._in_turn()[::-1]):
            rates, costs = [0.0, 0.0], [0.0, 0.0]
            for which in order:
                cpu_s = pair[which].cpu_s()
                rates[which] = load(pair[which])["requests_per_s"]
                costs[which] = rates[which] * self._seconds / (pair[which].cpu_s() - cpu_s)
            self.verdicts[name].pairs.append((rates[0], rates[1]))
            self.costs[name].pairs.append((costs[0], costs[1]))


def main() -> None:
    parser = argparse.ArgumentParser(prog="script/bench --against", description=__doc__.partition("\n")[0])
    parser.add_argument("revision", metavar="REV", help="a commit, branch or tag, such as HEAD~1")
    parser.add_argument("--rounds", type=int, default=7, help="pairs of each figure (default: 7, at least 5)")
    parser.add_argument("--seconds", type=float, default=3, help="length of each load (default: 3)")
    parser.add_argument("--floor", type=float, default=0.95, help="exit 1 if a median is lower (default: 0.95)")
    arguments = parser.parse_args()
    if arguments.rounds < 5:
        parser.error("--rounds must be at least 5: a median of fewer pairs says little on a noisy machine")
    require_tools("wrk", "h2load")
    old = revision(arguments.revision)
    comparison = Comparison(Tree("this tree", ROOT / "src"), old, arguments.seconds)
    print(f"this tree against {old.name}: {arguments.rounds} rounds of about {12 * arguments.seconds + 12:.0f} s")
    comparison.warm_up()
    for number in range(1, arguments.rounds + 1):
        comparison.round()
        latest = ", ".join(f"{figure.name} {figure.ratios[-1]:.3f}" for figure in comparison.verdicts.values())
        print(f"round {number}: {latest}", flush=True)
    print(f"\n{'':32}{'median':>7}   {'middle half':14}   {'this tree':>10} to {'the other':>10}")
    for figure in (*comparison.verdicts.values(), *comparison.costs.values()):
        print(figure.line())
    record = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "against": old.name,
        "rounds": arguments.rounds,
        "pairs": {
            figure.name: figure.pairs for kind in (comparison.verdicts, comparison.costs) for figure in kind.values()
        },
    }
    target = ROOT / "build" / "against.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    slower = [figure.name for figure in comparison.verdicts.values() if figure.median < arguments.floor]
    if slower:
        sys.exit(f"slower than {arguments.floor} of {old.name}: {', '.join(slower)}")


if __name__ == "__main__":
    main()
