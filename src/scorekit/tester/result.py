"""What a session knows about one law."""

from dataclasses import dataclass

from .law import Case, Law


@dataclass(slots=True, kw_only=True)
class Result:
    """The state of one law. ``broken`` says in a sentence what is wrong, with the smallest ``case`` found for it.

    ``judged`` counts the cases with a verdict, ``more`` the findings after the first, ``hangs`` the requests that the
    server did not answer in time. ``note`` says why a law has no verdict.
    """

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
        """``BROKEN``, ``held``, or why there is no verdict."""
        if self.broken:
            return "BROKEN"
        return self.note or ("held" if self.judged else "not judged")

    def record(self, case: Case, fault: str | None, phase: str) -> bool:
        """Note the judgement of a case. Returns whether it is the first finding; later ones are only counted."""
        self.judged += fault is not None
        if not fault:
            return False
        if self.broken:
            self.more += 1
            return False
        self.broken, self.phase, self.case = fault, phase, case
        return True
