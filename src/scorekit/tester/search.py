"""Random cases by Hypothesis, and smaller cases for what is found by hand."""

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import hypothesis
from hypothesis.errors import HypothesisException, InvalidArgument

from ..errors import SetupError
from . import strategies
from .law import Case, size

if TYPE_CHECKING:
    from .session import Result, Session

_SHRINK_S = 10.0


class _Broken(Exception):
    """Tells Hypothesis to look for a smaller case."""


def draw(session: "Session", result: "Result", phase: str, count: int) -> None:
    """Try ``count`` cases; Hypothesis makes the first that breaks the law as small as it can.

    The same seed draws the same cases for every law. Raises ``SetupError`` for a contract no data can be drawn from.
    """
    plan = session.plan
    until: list[float] = []
    simplest: list[Case] = []

    def try_one(case: Case) -> None:
        if plan.single and not simplest:
            simplest.append(case)  # always drawn first: of few requests none is to be spent on it
            return
        if result.hangs or (until and time.monotonic() > until[0]):
            return  # enough: the smallest so far stands
        found = session.broken_by(result, case)
        if not until:
            result.judged += found is not None
        if found:
            until[:] = until or [time.monotonic() + _SHRINK_S]
            if result.case is None or size(case) <= size(result.case):
                result.broken, result.phase, result.case = found, phase, case
            raise _Broken

    settings = hypothesis.settings(
        max_examples=count + plan.single,
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=(hypothesis.Phase.generate, hypothesis.Phase.shrink),
        verbosity=hypothesis.Verbosity.quiet,
    )
    drawn = hypothesis.given(strategies.cases(session.contract, plan.rows, plan.form))(try_one)
    try:
        hypothesis.seed(plan.seed)(settings(drawn))()
        if plan.single and not result.judged:
            try_one(simplest[0])  # the contract allows no other
    except _Broken:
        pass
    except InvalidArgument as error:
        raise SetupError(f"no data can be drawn from this contract: {error}") from error
    except HypothesisException:  # Flaky: a server with a memory does not fail the same way twice
        if not result.broken:
            raise


def shrink(session: "Session", result: "Result") -> None:
    """Fewer rows, then typical rows, as long as the law stays broken."""
    until = time.monotonic() + _SHRINK_S
    typical = session.contract.sample_row()
    at = 0
    while result.case and at < len(rows := result.case.rows):
        tries = [replace(result.case, rows=rows[:at] + rows[at + 1 :])] if len(rows) > 1 else []
        if rows[at] != typical:
            tries.append(replace(result.case, rows=(*rows[:at], typical, *rows[at + 1 :])))
        for smaller in tries:
            if time.monotonic() > until or result.hangs:
                return
            if found := session.broken_by(result, smaller):
                result.case, result.broken = smaller, found
                break
        if len(result.case.rows) == len(rows):
            at += 1
