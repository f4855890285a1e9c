"""One server against one contract: phase after phase, law by law."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from ..contract import Contract
from ..errors import SetupError
from . import cases
from .laws import LAWS, Case, Law, scalars
from .wire import Answer, Ask, NoAnswer, Transport, Unreachable

PHASES = ("examples", "boundaries", "random", "negative", "feedback")
_SHRINK_S = 10.0
_HANGS = 3
"""After so many requests that hang, a law is not tried further: each costs a whole timeout."""


@dataclass(slots=True)
class Result:
    """What is known of one law. ``broken`` is a sentence, with the smallest ``case`` found for it."""

    law: Law
    judged: int = 0
    broken: str = ""
    phase: str = ""
    case: Case | None = None
    note: str = ""
    hangs: int = 0

    @property
    def verdict(self) -> str:
        if self.broken:
            return "BROKEN"
        return "held" if self.judged else self.note or "not judged"


@dataclass(slots=True)
class Session:
    """``max_examples`` cases a law in the random phase, drawn from ``seed``; ``rows`` and ``form`` fix their shape."""

    contract: Contract
    transport: Transport
    seed: int = 0
    max_examples: int = 50
    rows: int | None = None
    form: str | None = None
    progress: Callable[[str], None] = lambda text: None
    sent: int = 0
    results: dict[str, Result] = field(default_factory=lambda: {law.name: Result(law) for law in LAWS})

    def run(self, phases: Sequence[str] = PHASES) -> list[Result]:
        """Every law in ``phases``. Raises ``Unreachable`` when nothing can be tested."""
        self.probe()
        for phase in PHASES:
            if phase in phases:
                getattr(self, f"_{phase}")()
        for result in self.results.values():
            if not result.judged and not result.broken and not result.note:
                result.note = "not tried" if result.law.kind != "data" else "not judged"
        return list(self.results.values())

    def replay(self, name: str, case: Case) -> Result:
        """One law on one case."""
        self.probe()
        result = self.results[name]
        self._explicit(result, [case], "replay", shrink=False)
        return result

    def probe(self) -> None:
        """Raises ``Unreachable`` unless something takes predictions there."""
        try:
            answer = self._send(LAWS[0].asks(self.contract, Case((self.contract.sample_row(),)))[0])
        except NoAnswer:
            return  # a finding of the laws
        if _no_route(answer):
            raise Unreachable(f"nothing takes predictions at {self.transport!r}: it answers {answer.status}")

    def broken_by(self, result: Result, case: Case) -> str | None:
        """The law's judgement of the case, with requests that hang or are dropped as its findings."""
        asks = result.law.asks(self.contract, case)
        if not asks:
            return None
        try:
            answers = [self._send(ask) for ask in asks]
        except NoAnswer as error:
            result.hangs += error.hung
            return f"{case.label or 'a request'}: {error}"
        return result.law.judge(self.contract, case, answers)

    def _send(self, ask: Ask) -> Answer:
        self.sent += 1
        return self.transport.send(ask)

    def _of(self, kind: str) -> list[Result]:
        return [result for result in self.results.values() if result.law.kind == kind]

    def _examples(self) -> None:
        for result in self._of("data"):
            self._explicit(result, cases.examples(self.contract), "examples")

    def _boundaries(self) -> None:
        for result in self._of("data"):
            self._explicit(result, cases.boundaries(self.contract), "boundaries")
        for result in self._of("empty"):
            self._explicit(result, [Case()], "boundaries")

    def _random(self) -> None:
        for result in self._of("data"):
            self.progress(f"random: {result.law.name}")
            if not result.broken:
                self._drawn(result)

    def _negative(self) -> None:
        for result in self._of("malformed"):
            self._explicit(result, cases.malformed(self.contract), "negative")
        for result in self._of("violation"):
            self._explicit(result, cases.violations(self.contract), "negative")

    def _feedback(self) -> None:
        for result in self._of("feedback"):
            case = Case((self.contract.sample_row(),))
            try:
                if _no_route(self._send(result.law.asks(self.contract, case)[0])):
                    result.note = "not available"
                    continue
            except NoAnswer:
                pass
            self._explicit(result, [case], "feedback")

    def _explicit(self, result: Result, made: Iterable[Case], phase: str, shrink: bool = True) -> None:
        self.progress(f"{phase}: {result.law.name}")
        for case in made:
            if result.broken and result.law.kind in ("data", "empty"):
                return
            if result.hangs >= _HANGS:
                return
            self._record(result, case, self.broken_by(result, case), phase, shrink)

    def _record(self, result: Result, case: Case, found: str | None, phase: str, shrink: bool) -> None:
        result.judged += found is not None
        if not found:
            return
        if result.broken:  # a negative law goes on through all its cases; the first is kept, the others counted
            result.note = f"{int(result.note.split()[1]) + 1 if result.note else 1}"
            result.note = f"and {result.note} more"
            return
        result.broken, result.phase, result.case = found, phase, case
        if shrink and case.rows:
            self._shrink(result)

    def _shrink(self, result: Result) -> None:
        """Fewer rows, then typical rows, as long as the law stays broken."""
        until = time.monotonic() + _SHRINK_S
        typical = self.contract.sample_row()
        at = 0
        while result.case and at < len(rows := result.case.rows):
            tries = [replace(result.case, rows=rows[:at] + rows[at + 1 :])] if len(rows) > 1 else []
            if rows[at] != typical:
                tries.append(replace(result.case, rows=(*rows[:at], typical, *rows[at + 1 :])))
            for smaller in tries:
                if time.monotonic() > until or result.hangs:
                    return
                if found := self.broken_by(result, smaller):
                    result.case, result.broken = smaller, found
                    break
            if len(result.case.rows) == len(rows):
                at += 1

    def _drawn(self, result: Result) -> None:
        """Random cases; Hypothesis makes the first that breaks the law as small as it can."""
        import hypothesis
        from hypothesis.errors import HypothesisException

        from . import strategies

        until: list[float] = []

        class Broken(Exception):
            """Tells Hypothesis to look for a smaller case."""

        def try_one(case: Case) -> None:
            if result.hangs >= _HANGS or (until and time.monotonic() > until[0]):
                return  # enough: the smallest so far stands
            found = self.broken_by(result, case)
            if not until:
                result.judged += found is not None
            if found:
                until.append(time.monotonic() + _SHRINK_S)
                if result.case is None or _size(case) <= _size(result.case):
                    result.broken, result.phase, result.case = found, "random", case
                raise Broken

        settings = hypothesis.settings(
            max_examples=self.max_examples,
            deadline=None,
            database=None,
            report_multiple_bugs=False,
            suppress_health_check=list(hypothesis.HealthCheck),
            phases=(hypothesis.Phase.generate, hypothesis.Phase.shrink),
            verbosity=hypothesis.Verbosity.quiet,
        )
        drawn = hypothesis.given(strategies.cases(self.contract, self.rows, self.form))(try_one)
        try:
            hypothesis.seed(self.seed)(settings(drawn))()
        except Broken:
            pass
        except HypothesisException:  # Flaky: a server with a memory does not fail the same way twice
            if not result.broken:
                raise
        except hypothesis.errors.InvalidArgument as error:
            raise SetupError(f"no data can be drawn from this contract: {error}") from error


def _size(case: Case) -> tuple[int, int, int]:
    return len(case.rows), scalars(case.rows), len(str(case.rows))


def _no_route(answer: Answer) -> bool:
    """Whether there is no such route: the stock wrapper says so with a 500 that tells of a 404 or 405."""
    stock = answer.status == 500 and (b"404 Not Found" in answer.body or b"405 Method Not Allowed" in answer.body)
    return answer.status in (404, 405) or stock
