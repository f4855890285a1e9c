"""The verdict as text, JSON and JUnit. Pure: values in, text out."""

import json
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import quoteattr

from .laws import Case
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
            more = f" ({result.note})" if result.note else ""
            lines.append(f"{'':<{width}}         {result.broken}{more}")
            if result.case is not None:
                lines.append(f"{'':<{width}}         {result.phase}: {_shown(result.case)}")
            if file := files.get(result.law.name):
                lines.append(f"{'':<{width}}         --replay {file}")
    return "\n".join(lines)


def summary(results: Sequence[Result], requests: int, seconds: float, seed: int) -> str:
    broken = [result.law.name for result in results if result.broken]
    held = sum(result.verdict == "held" for result in results)
    verdict = f"{len(broken)} broken: {', '.join(broken)}" if broken else "all held"
    return f"{verdict} ({held} laws held, {requests} requests, {seconds:.1f} s, seed {seed})"


def as_json(url: str, results: Sequence[Result], seed: int) -> dict[str, Any]:
    """One server's results as plain values."""
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


def as_junit(runs: Sequence[tuple[str, Sequence[Result]]]) -> str:
    """A JUnit file: a suite a server, a test a law."""
    lines = ['<?xml version="1.0" encoding="utf-8"?>', "<testsuites>"]
    for url, results in runs:
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
    return {"rows": [list(row) for row in case.rows], "form": case.form, "raw": case.raw, "label": case.label}


def replay_text(law: str, case: Case) -> str:
    """A case as a file that ``parse_replay`` reads."""
    return json.dumps({"law": law, **case_values(case)}, indent=1) + "\n"


def parse_replay(text: str) -> tuple[str, Case]:
    """The law's name and the case in a replay file. Raises ``ValueError`` that says what is wrong."""
    value = json.loads(text)
    if not isinstance(value, dict) or not isinstance(value.get("law"), str) or not isinstance(value.get("rows"), list):
        raise ValueError('expected an object with "law" and "rows"')  # noqa: TRY004  one error for a bad file
    texts = [str(value.get(key, other)) for key, other in (("form", "ndarray"), ("raw", ""), ("label", ""))]
    return value["law"], Case(tuple(value["rows"]), *texts)


def _shown(case: Case) -> str:
    text = case.raw or f"{case.form} {json.dumps([list(row) for row in case.rows], ensure_ascii=False)}"
    return text if len(text) <= 200 else text[:197] + "..."


def _attribute(text: str) -> str:
    """A quoted XML attribute; what XML cannot carry becomes a question mark."""
    return quoteattr("".join(each if each.isprintable() else "?" for each in text))
