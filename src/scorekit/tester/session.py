"""One server against one contract: phase after phase, law by law."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial

from ..contract import Contract
from . import cases
from .law import Case
from .laws import BY_NAME, COMPARING, LAWS, STEADY, TWO_PROTOCOLS
from .plan import PHASES, Plan
from .refusals import checked_kinds, is_excused
from .result import Result
from .shrinking import shrink
from .transport import Answer, NoAnswer, Query, Transport, Unreachable, Unsendable

_MAX_HANGS = 3
"""After so many requests that hang, a law is not tried any more: each costs a whole timeout."""
_MAX_REWARDS = 10
"""Random feedback at most: a model that learns from feedback learns from the test too."""


@dataclass(slots=True, kw_only=True)
class Session:
    """Tries the laws on ``transport``; ``other`` is the same server over its second protocol, if it has one.

    ``progress`` is called with the phase and the law that begin. ``sent`` counts the requests.
    """

    contract: Contract
    transport: Transport
    plan: Plan = field(default_factory=Plan)
    other: Transport | None = None
    progress: Callable[[str], None] = lambda text: None
    sent: int = 0
    results: dict[str, Result] = field(init=False)
    _answered: dict[str, list[Answer]] = field(default_factory=dict)
    """The answers to rows as they are, by rows and form: the six laws about one answer share one request."""

    def __post_init__(self) -> None:
        self.results = {law.name: Result(law=law) for law in LAWS if self.plan.includes(law)}

    def run(self) -> list[Result]:
        """Try every law of the plan, and return the results in the order of the report.

        Raises ``Unreachable`` if the server goes away, and ``SetupError`` if no data can be drawn from the contract.
        """
        phases = {
            "examples": self._examples,
            "boundaries": self._boundaries,
            "random": self._random,
            "negative": self._negative,
            "feedback": self._feedback,
        }
        for name in PHASES:
            if name in self.plan.phases:
                phases[name]()
        self._withdraw_comparisons()
        if self.other is None and TWO_PROTOCOLS in self.results:
            self.results[TWO_PROTOCOLS].note = "not judged: one protocol only"
        for result in self.results.values():
            if not result.judged and not result.broken and not result.note:
                tried = result.law.kind == "data" and {"examples", "boundaries", "random"} & {*self.plan.phases}
                result.note = "not judged" if tried else "not tried"
        return list(self.results.values())

    def replay(self, name: str, case: Case) -> Result:
        """Try the law ``name`` on one case. A violation of the contract counts as if the plan were strict.

        Raises ``KeyError`` if there is no such law.
        """
        result = self.results.setdefault(name, Result(law=BY_NAME[name]))
        self._try_all(result, [case], "replay", shrinks=False)
        return result

    def _withdraw_comparisons(self) -> None:
        """Take back the verdicts that compare two answers, if the server's answers change by themselves.

        Any two answers of such a server may differ. Its report should name the cause, not every effect of it.
        """
        unsteady = [name for name in STEADY if name in self.results and self.results[name].broken]
        for name in COMPARING if unsteady else ():
            law = self.results[name].law
            self.results[name] = Result(law=law, note=f"not judged: {' and '.join(unsteady)} broken")

    def _judge(self, result: Result, case: Case) -> str | None:
        """The law's judgement of the case. A request that hangs or is dropped is a finding of every law."""
        queries = result.law.queries(self.contract, case)
        if not queries or (self.other is None and any(query.other for query in queries)):
            return None
        key = f"{case.rows!r}{case.form}"
        try:
            answers = self._answered.get(key) if result.law.single else None
            if answers is None:
                answers = [self._send(query) for query in queries]
        except Unsendable:
            return None
        except NoAnswer as error:
            result.hangs += error.hung
            return f"{case.label or 'a request'}: {error}"
        if result.law.single:
            self._answered[key] = answers
        return result.law.judge(self.contract, case, answers)

    def _send(self, query: Query) -> Answer:
        self.sent += 1
        transport = self.other if query.other and self.other else self.transport
        return transport.send(_as_verb(query, self.plan.verb))

    def _of(self, *kinds: str) -> list[Result]:
        return [result for result in self.results.values() if result.law.kind in kinds]

    def _examples(self) -> None:
        for result in self._of("data"):
            self._try_all(result, cases.examples(self.contract), "examples")

    def _boundaries(self) -> None:
        for result in self._of("data"):
            self._try_all(result, cases.boundaries(self.contract), "boundaries")
        for result in self._of("empty"):
            self._try_all(result, [Case()], "boundaries")

    def _random(self) -> None:
        for result in self._of("data"):
            self._search(result, "random", self.plan.max_examples)

    def _negative(self) -> None:
        for result in self._of("malformed"):
            self._try_all(result, cases.malformed(self.contract), "negative")
        for result in self._of("violation"):
            self._try_violations(result)

    def _feedback(self) -> None:
        for result in self._of("feedback"):
            if not self.plan.single:
                self._try_all(result, [Case(rows=(self.contract.sample_row(),))], "feedback")
            if result.judged or self.plan.single:
                self._search(result, "feedback", min(self.plan.max_examples, _MAX_REWARDS))
            if not result.judged:
                result.note = "not available"

    def _try_violations(self, result: Result) -> None:
        """Send all violations, then judge them: which must be refused depends on what the server is seen to check."""
        self.progress(f"negative: {result.law.name}")
        answered: list[tuple[Case, Answer]] = []
        for case in cases.violations(self.contract):
            if result.hangs >= _MAX_HANGS:
                break
            try:
                answered += [(case, self._send(query)) for query in result.law.queries(self.contract, case)]
            except Unsendable:
                continue
            except NoAnswer as error:
                result.hangs += error.hung
                result.record(case, f"{case.label}: {error}", "negative")
        kinds = checked_kinds(answered)
        for case, answer in answered:
            if self.plan.strict or not is_excused(case, answer, kinds):
                result.record(case, result.law.judge(self.contract, case, [answer]), "negative")
        if answered and not result.judged:
            accepted = sum(answer.status < 400 for _, answer in answered)
            failed = len(answered) - accepted
            counts = f"{accepted} accepted, {failed} failed"
            result.note = f"not judged: the server checks no contract ({counts}; --strict judges it)"

    def _try_all(self, result: Result, made: Iterable[Case], phase: str, shrinks: bool = True) -> None:
        """Try the cases, up to the first that breaks the law; laws about refusals go on and count the others."""
        self.progress(f"{phase}: {result.law.name}")
        judge = partial(self._judge, result)
        for case in made:
            if (result.broken and result.law.kind in ("data", "empty", "feedback")) or result.hangs >= _MAX_HANGS:
                return
            if result.record(case, judge(case), phase) and shrinks and case.rows:
                shrink(result, judge, self.contract.sample_row())

    def _search(self, result: Result, phase: str, count: int) -> None:
        self.progress(f"{phase}: {result.law.name}")
        is_hopeless = result.law.name == TWO_PROTOCOLS and self.other is None
        if result.broken or result.hangs >= _MAX_HANGS or is_hopeless:
            return
        from .search import search  # needs Hypothesis, which the other phases do without

        judge = partial(self._judge, result)
        search(result, judge, contract=self.contract, plan=self.plan, phase=phase, count=count)


def probe(contract: Contract, transport: Transport, verb: str = "predict", patient: bool = True) -> None:
    """Check that a server at ``transport`` knows ``verb``.

    Raises ``Unreachable`` if it does not. One that accepts a request but does not answer it passes, because the laws
    report that; unless the caller is not ``patient``.
    """
    law = BY_NAME["feedback" if verb == "send-feedback" else "answered"]
    query = law.queries(contract, Case(rows=(contract.sample_row(),)))[0]
    try:
        answer = transport.send(_as_verb(query, verb))
    except Unsendable as error:
        raise Unreachable(f"{verb} cannot be tested at {transport.where(verb)}: {error}") from error
    except NoAnswer as error:
        if not patient:
            raise Unreachable(f"{verb} cannot be tested at {transport.where(verb)}: {error}") from error
        return
    if answer.no_route:
        raise Unreachable(f"there is no route for {verb} at {transport.where(verb)}: the answer is {answer.status}")


def _as_verb(query: Query, verb: str) -> Query:
    """A prediction becomes a call of ``verb``, the method under test; feedback stays beside its predictions."""
    return replace(query, verb=verb) if query.verb == "predict" and verb != "send-feedback" else query
