"""One server against one contract: phase after phase, law by law."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from ..contract.columns import Contract
from . import cases
from .law import Case, Law
from .laws import COMPARING, LAWS, STEADY, TWO_PROTOCOLS
from .refusals import checked, excused
from .wire import Answer, Ask, NoAnswer, Transport, Unreachable, Unsendable

PHASES = ("examples", "boundaries", "random", "negative", "feedback")
_HANGS = 3
"""After so many requests that hang, a law is not tried further: each costs a whole timeout."""
_REWARDS = 10
"""Random feedback at most: it teaches a model that learns from it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to try: ``max_examples`` cases a law in the random phase, drawn from ``seed``.

    ``rows`` and ``form`` fix the shape of random cases; ``verb`` is what is asked. ``single``: only laws of one answer,
    so that as many requests are sent as cases are drawn, as the stock tester does. ``strict``: whatever breaks the
    contract must be refused.
    """

    phases: Sequence[str] = PHASES
    seed: int = 0
    max_examples: int = 50
    rows: int | None = None
    form: str | None = None
    verb: str = "predict"
    single: bool = False
    strict: bool = False

    def includes(self, law: Law) -> bool:
        if law.targets and self.verb != "predict":
            return False
        if self.single:
            return law.kind in self.phases or (law.single and "random" in self.phases)
        return True


@dataclass(slots=True)
class Result:
    """What is known of one law. ``broken`` is a sentence, with the smallest ``case`` found for it."""

    law: Law
    judged: int = 0
    broken: str = ""
    phase: str = ""
    case: Case | None = None
    note: str = ""
    more: int = 0
    hangs: int = 0

    @property
    def verdict(self) -> str:
        if self.broken:
            return "BROKEN"
        return self.note or ("held" if self.judged else "not judged")


@dataclass(slots=True)
class Session:
    """Tries the laws on ``transport``; ``other`` is the same server over its second protocol, where it has one."""

    contract: Contract
    transport: Transport
    plan: Plan = field(default_factory=Plan)
    other: Transport | None = None
    progress: Callable[[str], None] = lambda text: None
    sent: int = 0
    results: dict[str, Result] = field(init=False)
    _known: dict[str, list[Answer]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.results = {law.name: Result(law) for law in LAWS if self.plan.includes(law)}

    def run(self) -> list[Result]:
        """Every law of the plan. Raises ``Unreachable`` when nothing can be tested."""
        for phase in PHASES:
            if phase in self.plan.phases:
                getattr(self, f"_{phase}")()
        unsteady = [name for name in STEADY if name in self.results and self.results[name].broken]
        for name in COMPARING if unsteady else ():
            self.results[name] = Result(self.results[name].law, note=f"not judged: {' and '.join(unsteady)} broken")
        if self.other is None and TWO_PROTOCOLS in self.results:
            self.results[TWO_PROTOCOLS].note = "not judged: one protocol only"
        for result in self.results.values():
            if not result.judged and not result.broken and not result.note:
                tried = result.law.kind == "data" and {"examples", "boundaries", "random"} & {*self.plan.phases}
                result.note = "not judged" if tried else "not tried"
        return list(self.results.values())

    def replay(self, name: str, case: Case) -> Result:
        """One law on one case, whose violations are judged strictly."""
        result = self.results.setdefault(name, Result(next(law for law in LAWS if law.name == name)))
        self._explicit(result, [case], "replay", shrink=False)
        return result

    def broken_by(self, result: Result, case: Case) -> str | None:
        """The law's judgement of the case, with requests that hang or are dropped as its findings."""
        asks = result.law.asks(self.contract, case)
        if not asks or (self.other is None and any(ask.other for ask in asks)):
            return None
        key = f"{case.rows!r}{case.form}"
        try:
            answers = self._known.get(key) if result.law.single else None
            if answers is None:
                answers = [self._send(ask) for ask in asks]
        except Unsendable:
            return None
        except NoAnswer as error:
            result.hangs += error.hung
            return f"{case.label or 'a request'}: {error}"
        if result.law.single:
            self._known[key] = answers
        return result.law.judge(self.contract, case, answers)

    def _send(self, ask: Ask) -> Answer:
        self.sent += 1
        transport = self.other if ask.other and self.other else self.transport
        return transport.send(asked(ask, self.plan.verb))

    def _of(self, *kinds: str) -> list[Result]:
        return [result for result in self.results.values() if result.law.kind in kinds]

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
            self._drawn(result, "random", self.plan.max_examples)

    def _negative(self) -> None:
        for result in self._of("malformed"):
            self._explicit(result, cases.malformed(self.contract), "negative")
        for result in self._of("violation"):
            self._violations(result)

    def _feedback(self) -> None:
        for result in self._of("feedback"):
            if not self.plan.single:
                self._explicit(result, [Case((self.contract.sample_row(),))], "feedback")
            if result.judged or self.plan.single:
                self._drawn(result, "feedback", min(self.plan.max_examples, _REWARDS))
            if not result.judged:
                result.note = "not available"

    def _violations(self, result: Result) -> None:
        """All are sent first: which of them must be refused depends on what the server is seen to check."""
        self.progress(f"negative: {result.law.name}")
        answered: list[tuple[Case, Answer]] = []
        for case in cases.violations(self.contract):
            if result.hangs >= _HANGS:
                break
            try:
                answered += [(case, self._send(ask)) for ask in result.law.asks(self.contract, case)]
            except Unsendable:
                continue
            except NoAnswer as error:
                result.hangs += error.hung
                self._record(result, case, f"{case.label}: {error}", "negative")
        kinds = checked(answered)
        for case, answer in answered:
            if self.plan.strict or not excused(case, answer, kinds):
                self._record(result, case, result.law.judge(self.contract, case, [answer]), "negative")
        if answered and not result.judged:
            taken = sum(answer.status < 400 for _, answer in answered)
            failed = len(answered) - taken
            result.note = f"not judged: it checks no contract ({taken} taken, {failed} failed; --strict judges)"

    def _explicit(self, result: Result, made: Iterable[Case], phase: str, shrink: bool = True) -> None:
        self.progress(f"{phase}: {result.law.name}")
        for case in made:
            if (result.broken and result.law.kind in ("data", "empty", "feedback")) or result.hangs >= _HANGS:
                return
            if self._record(result, case, self.broken_by(result, case), phase) and shrink and case.rows:
                from .search import shrink as shrunk

                shrunk(self, result)

    def _record(self, result: Result, case: Case, found: str | None, phase: str) -> bool:
        """Whether this is the first finding. A negative law goes on after it, and only counts the others."""
        result.judged += found is not None
        if not found:
            return False
        if result.broken:
            result.more += 1
            return False
        result.broken, result.phase, result.case = found, phase, case
        return True

    def _drawn(self, result: Result, phase: str, count: int) -> None:
        from .search import draw

        self.progress(f"{phase}: {result.law.name}")
        if not result.broken and result.hangs < _HANGS and not self._hopeless(result):
            draw(self, result, phase, count)

    def _hopeless(self, result: Result) -> bool:
        """Whether no case can judge this law."""
        return result.law.name == TWO_PROTOCOLS and self.other is None


def asked(ask: Ask, verb: str) -> Ask:
    """The request, as ``verb`` where it would be a prediction and another method is under test."""
    return replace(ask, verb=verb) if ask.verb == "predict" and verb != "send-feedback" else ask


def probe(contract: Contract, transport: Transport, verb: str = "predict", patient: bool = True) -> None:
    """Raises ``Unreachable`` unless something at ``transport`` knows ``verb``.

    ``patient``: that it does not answer is left to the laws to find.
    """
    name = "feedback" if verb == "send-feedback" else "answered"
    law = next(law for law in LAWS if law.name == name)
    ask = law.asks(contract, Case((contract.sample_row(),)))[0]
    try:
        answer = transport.send(asked(ask, verb))
    except Unsendable as error:
        raise Unreachable(f"{verb} cannot be tested at {transport.where(verb)}: {error}") from error
    except NoAnswer as error:
        if not patient:
            raise Unreachable(f"{verb} cannot be tested at {transport.where(verb)}: {error}") from error
        return
    if answer.no_route:
        raise Unreachable(f"nothing takes {verb} at {transport.where(verb)}: it answers {answer.status}")
