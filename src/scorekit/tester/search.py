"""A random search for a case that breaks a law, and the smallest such case, by Hypothesis.

Hypothesis calls a function with drawn cases; an exception from it means "this one", and makes Hypothesis try ever
simpler cases, each of which may raise again. It reports by raising the exception of the simplest. Here the function
also keeps the smallest broken case itself, for two reasons. A server with a memory need not fail twice in the same way,
and then Hypothesis gives up (``Flaky``) with nothing to report. And each try is a request to a real server: once the
first fault is found, ten seconds are enough, and every later call returns at once without sending anything.

Nothing is remembered between runs (``database=None``): the same seed must always send the same requests.
"""

import time
from collections.abc import Callable

import hypothesis
from hypothesis.errors import HypothesisException, InvalidArgument

from ..contract import Contract
from ..errors import SetupError
from . import strategies
from .law import Case
from .plan import Plan
from .result import Result
from .shrinking import SHRINK_S


class _Broken(Exception):
    """Tells Hypothesis to look for a simpler case."""


def search(
    result: Result, judge: Callable[[Case], str | None], *, contract: Contract, plan: Plan, phase: str, count: int
) -> None:
    """Try ``count`` cases of the contract on a law, and write the smallest that breaks it into ``result``.

    The same seed draws the same cases for every law. Raises ``SetupError`` if no data can be drawn from the contract.
    """
    attempt = _Attempt(result, judge, phase, skips_first=plan.single)
    settings = hypothesis.settings(
        max_examples=count + plan.single,
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=(hypothesis.Phase.generate, hypothesis.Phase.shrink),
        verbosity=hypothesis.Verbosity.quiet,
    )

    def try_one(case: Case) -> None:
        attempt(case)

    drawn = hypothesis.given(strategies.cases(contract, plan.rows, plan.form))(try_one)
    try:
        hypothesis.seed(plan.seed)(settings(drawn))()
        if plan.single and not result.judged and attempt.skipped is not None:
            attempt(attempt.skipped)  # the contract allows no other row
    except _Broken:
        pass
    except InvalidArgument as error:
        raise SetupError(f"no data can be drawn from this contract: {error}") from error
    except HypothesisException:  # Flaky: a server with a memory does not fail twice in the same way
        if not result.broken:
            raise


class _Attempt:
    """Tries one case after another, and keeps the smallest that breaks the law.

    Hypothesis always draws the simplest case first. A run in the stock tester's form sends few requests, often a single
    one; it ``skips_first``, because a row of zeros says little about a model.
    """

    def __init__(
        self, result: Result, judge: Callable[[Case], str | None], phase: str, *, skips_first: bool = False
    ) -> None:
        self._result = result
        self._judge = judge
        self._phase = phase
        self._skips_first = skips_first
        self._until: float | None = None
        self.skipped: Case | None = None

    def __call__(self, case: Case) -> None:
        result = self._result
        if self._skips_first and self.skipped is None:
            self.skipped = case
            return
        if result.hangs or (self._until is not None and time.monotonic() > self._until):
            return
        fault = self._judge(case)
        if self._until is None:  # later calls only shrink, and are not cases of their own
            result.judged += fault is not None
        if fault:
            if self._until is None:
                self._until = time.monotonic() + SHRINK_S
            if result.case is None or case.size() <= result.case.size():
                result.broken, result.phase, result.case = fault, self._phase, case
            raise _Broken
