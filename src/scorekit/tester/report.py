"""The verdict as text, JSON and JUnit. Pure: values in, text out."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import quoteattr

from ..errors import SetupError
from .law import Case
from .laws import BY_NAME
from .session import Result


def exit_status(results: Sequence[Result]) -> int:
    """0 when no law is broken, 1 otherwise; 2 (could not test) is the door's."""
    return int(any(result.broken for result in results))


def table(results: Sequence[Result], files: dict[str, str]) -> str:
    """One aligned line a law; below a broken one what was found, the case and its file."""
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
    broken = [result.law.name for result in results if result.broken]
    held = sum(result.verdict == "held" for result in results)
    verdict = f"{len(broken)} broken: {', '.join(broken)}" if broken else "all held" if held else "nothing was judged"
    return f"{verdict} ({held} laws held, {requests} requests, {seconds:.1f} s, seed {seed})"


def as_json(url: str, results: Sequence[Result] | str, seed: int) -> dict[str, Any]:
    """One server's results as plain values; a text says why there are none."""
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
    """A JUnit file: a suite a server, a test a law. A server with a text for results could not be tested: an error."""
    lines = ['<?xml version="1.0" encoding="utf-8"?>', "<testsuites>"]
    for url, results in runs:
        if isinstance(results, str):
            counts = 'tests="1" failures="0" skipped="0" errors="1"'
            lines += [
                f"  <testsuite name={_attribute(url)} {counts}>",
                '    <testcase classname="scorekit test" name="reached">',
                f"      <error message={_attribute(results)}/>",
                "    </testcase>",
                "  </testsuite>",
            ]
            continue
        failures = sum(bool(result.broken) for result in results)
        skipped = sum(not result.broken and not result.judged for result in results)
        counts = f'tests="{len(results)}" failures="{failures}" skipped="{skipped}" errors="0"'
        lines.append(f"  <testsuite name={_attribute(url)} {counts}>")
        for result in results:
            name = f"classname={_attribute('scorekit test')} name={_attribute(result.law.name)}"
            if result.broken:
                lines += [f"    <testcase {name}>", f"      <failure message={_attribute(result.broken)}/>"]
            elif not result.judged:
                lines += [f"    <testcase {name}>", f"      <skipped message={_attribute(result.verdict)}/>"]
            else:
                lines.append(f"    <testcase {name}/>")
                continue
            lines.append("    </testcase>")
        lines.append("  </testsuite>")
    return "\n".join([*lines, "</testsuites>", ""])


def case_values(case: Case) -> dict[str, Any]:
    values = {"rows": [list(row) for row in case.rows], "form": case.form, "raw": case.raw}
    return {**values, "label": case.label, "kind": case.kind}


@dataclass(frozen=True, slots=True)
class Replay:
    """A saved case: the law it broke, and the method it was tried on."""

    law: str
    case: Case
    endpoint: str = "predict"

    def text(self) -> str:
        """A file that :func:`parse_replay` reads."""
        return json.dumps({"law": self.law, "endpoint": self.endpoint, **case_values(self.case)}, indent=1) + "\n"


def parse_replay(text: str, where: str) -> Replay:
    """The case in a replay file. Raises ``SetupError`` that says what is wrong with the file ``where``."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SetupError(f"{where} cannot be replayed: it is not JSON: {error}") from error
    law = value.get("law") if isinstance(value, dict) else None
    if law not in BY_NAME:
        raise SetupError(f"{where} cannot be replayed: it names the law {law!r}, which there is not")
    rows = value.get("rows")
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise SetupError(f"{where} cannot be replayed: rows must be a list of lists")
    defaults = {"form": "ndarray", "raw": "", "label": "", "kind": ""}
    texts = {key: str(value.get(key, default)) for key, default in defaults.items()}
    return Replay(law, Case(tuple(rows), **texts), str(value.get("endpoint", "predict")))


def _shown(case: Case) -> str:
    text = case.raw or f"{case.form} {json.dumps([list(row) for row in case.rows], ensure_ascii=False)}"
    return text if len(text) <= 200 else text[:197] + "..."


def _attribute(text: str) -> str:
    """A quoted XML attribute; what XML cannot carry becomes a question mark."""
    return quoteattr("".join(each if each.isprintable() else "?" for each in text))
