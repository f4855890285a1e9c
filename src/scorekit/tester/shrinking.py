"""Smaller cases for what was found on a case that nobody drew.

Hypothesis shrinks what it drew itself. The cases of the phases "examples" and "boundaries" are made by hand, up to 64
rows at once, and a person who reads a report wants the two rows that matter. So rows are tried one after another: first
without the row, then with the typical row of the contract in its place. A change stays if the law is still broken::

    [a, b, c]  ─ without a ─▶ [b, c]  still broken: stays
    [b, c]     ─ without b ─▶ [c]     holds: b is needed
               ─ b typical ─▶ [t, c]  still broken: stays; and so on with c

Each try costs the requests of the law, so the search ends after ten seconds, or when a request hangs.
"""

import time
from collections.abc import Callable
from dataclasses import replace

from .law import Case
from .payloads import Row
from .result import Result

SHRINK_S = 10.0


def shrink(result: Result, judge: Callable[[Case], str | None], typical: Row) -> None:
    """Replace ``result.case`` by a smaller one that ``judge`` finds broken too. ``typical`` is the plainest row."""
    until = time.monotonic() + SHRINK_S
    at = 0
    while result.case and at < len(rows := result.case.rows):
        tries = [replace(result.case, rows=rows[:at] + rows[at + 1 :])] if len(rows) > 1 else []
        if rows[at] != typical:
            tries.append(replace(result.case, rows=(*rows[:at], typical, *rows[at + 1 :])))
        for smaller in tries:
            if time.monotonic() > until or result.hangs:
                return
            if fault := judge(smaller):
                result.case, result.broken = smaller, fault
                break
        if len(result.case.rows) == len(rows):
            at += 1
