"""What to try on a server."""

from collections.abc import Sequence
from dataclasses import dataclass

from .law import Law

PHASES = ("examples", "boundaries", "random", "negative", "feedback")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The phases to run, and what is sent in them.

    The random phase tries ``max_examples`` cases for each law, drawn from ``seed``; ``rows`` and ``form`` fix their
    shape if given. ``verb`` is the method under test. With ``single`` only laws about one answer are tried, so that a
    run sends as many requests as it draws cases, as the stock tester does. With ``strict`` every request that breaks
    the contract must be refused.
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
        """Whether the plan tries ``law`` at all."""
        if law.targets and self.verb != "predict":
            return False
        if self.single:
            return law.kind in self.phases or (law.single and "random" in self.phases)
        return True
