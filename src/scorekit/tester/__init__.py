"""The contract tester: laws that must hold between a contract and a server that claims to keep it.

It imports ``errors`` and ``contract``; only ``clients`` opens connections, and only ``strategies`` and ``search`` need
Hypothesis, so this face leaves those three out. Begin with ``law`` and the list in ``laws``, then ``session``.
"""

from .law import Case, Law
from .laws import LAWS
from .plan import PHASES, Plan
from .result import Result
from .session import Session, probe
from .transport import Answer, NoAnswer, Query, Transport, Unreachable, Unsendable

__all__ = [
    "LAWS",
    "PHASES",
    "Answer",
    "Case",
    "Law",
    "NoAnswer",
    "Plan",
    "Query",
    "Result",
    "Session",
    "Transport",
    "Unreachable",
    "Unsendable",
    "probe",
]
