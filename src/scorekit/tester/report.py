"""The verdict as text, JSON and JUnit."""

import json
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import quoteattr

from .law import Case
from .replay import case_values
from .result import Result


def exit_status(results: Sequence[Result]) -> int:
    """0 if no law is broken, else 1. The command itself has a third status, for a server that could not be tested."""
    return int(any(result.broken for result in results))


def table(results: Sequence[Result], files: dict[str, str]) -> str:
    """A line for each law; below a broken one the fault, the case and the case's file, taken from ``files`` by law."""
    width = max(len(result.law.name) for result in results)
    lines = [f"{'law':<{width}}  {'cases':>5}  verdict"]
    for result in results:
        lines.append(f"{result.law.name:<{width}}  {result.judged:>5}  {result.verdict}")
        if result.broken:
            more = f" (and {result.more} more)" if result.more else ""
            lines.append(f"{'':<{width}}         {result.broken}{more}")
            if result.case is not None:
                lines.append(f"{'':<{width}}         {result.phase}: {_shown(result.case)}")
            if file := files.get(result.law.name):
                lines.append(f"{'':<{width}}         --replay {file}")
    return "\n".join(lines)


def summary(results: Sequence[Result], requests: int, seconds: float, seed: int) -> str:
    """One line: the broken laws, and how much was tried."""
    broken = [result.law.name for result in results if result.broken]
    held = sum(result.verdict == "held" for result in results)
    verdict = f"{len(broken)} broken: {', '.join(broken)}" if broken else "all held" if held else "nothing was judged"
    return f"{verdict} ({held} laws held, {requests} requests, {seconds:.1f} s, seed {seed})"


def as_json(url: str, results: Sequence[Result] | str, seed: int) -> dict[str, Any]:
    """The results of one server as JSON values. A text in their place says why there are none."""
    if isinstance(results, str):
        return {"url": url, "seed": seed, "error": results}
    return {
        "url": url,
        "seed": seed,
        "held": exit_status(results) == 0,
        "laws": [
            {
                "law": result.law.name,
                "promise": result.law.promise,
                "verdict": result.verdict.lower(),
                "cases": result.judged,
                **({"found": result.broken, "phase": result.phase} if result.broken else {}),
                **({"case": case_values(result.case)} if result.case else {}),
            }
            for result in results
        ],
    }


def as_junit(runs: Sequence[tuple[str, Sequence[Result] | str]]) -> str:
    """A JUnit file, with a suite for each server and a test for each law.

    A server with a text in place of results could not be tested: its suite has one test, with an error.
    """
    lines = ['<?xml version="1.0" encoding="utf-8"?>', "<testsuites>"]
    for url, results in runs:
        lines += _error_suite(url, results) if isinstance(results, str) else _suite(url, results)
    return "\n".join([*lines, "</testsuites>", ""])


def _suite(url: str, results: Sequence[Result]) -> list[str]:
    failures = sum(bool(result.broken) for result in results)
    skipped = sum(not result.broken and not result.judged for result in results)
    counts = f'tests="{len(results)}" failures="{failures}" skipped="{skipped}" errors="0"'
    lines = [f"  <testsuite name={_attribute(url)} {counts}>"]
    for result in results:
        name = f"classname={_attribute('scorekit test')} name={_attribute(result.law.name)}"
        if result.judged and not result.broken:
            lines.append(f"    <testcase {name}/>")
            continue
        outcome = (
            f"<failure message={_attribute(result.broken)}/>"
            if result.broken
            else f"<skipped message={_attribute(result.verdict)}/>"
        )
        lines += [f"    <testcase {name}>", f"      {outcome}", "    </testcase>"]
    return [*lines, "  </testsuite>"]


def _error_suite(url: str, error: str) -> list[str]:
    return [
        f'  <testsuite name={_attribute(url)} tests="1" failures="0" skipped="0" errors="1">',
        '    <testcase classname="scorekit test" name="reached">',
        f"      <error message={_attribute(error)}/>",
        "    </testcase>",
        "  </testsuite>",
    ]


def _shown(case: Case) -> str:
    text = case.raw or f"{case.form} {json.dumps([list(row) for row in case.rows], ensure_ascii=False)}"
    return text if len(text) <= 200 else text[:197] + "..."


def _attribute(text: str) -> str:
    """A quoted XML attribute. A character that XML 1.0 cannot carry, even escaped, becomes a question mark."""
    return quoteattr("".join(each if each.isprintable() else "?" for each in text))
