"""What a law is: queries made from a case, and a judgement of their answers. No I/O.

A law is a property that a server must have whatever its model computes. Nobody needs to know the right prediction for a
row to see that it has too few values, that its number lies outside of the contract's range (laws about one answer), or
that the same row alone and within a batch got different predictions (metamorphic laws, about several answers)::

    Case (rows, form) ── law.queries ──▶ [Query, …] ── transport ──▶ [Answer, …] ── law.judge ──▶ verdict

The verdict is one of three: ``""`` the law holds for this case; a sentence: the law is broken; ``None``: these answers
say nothing about this law. A server that refuses a row cannot break the law about the range of targets; only the law
"answered" reports it, so that one fault is not reported under many names.
"""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..contract import Column, Contract
from .payloads import MalformedAnswer, PredictionTable, Row, body, leaves, parse, read
from .transport import Answer, Query

RTOL, ATOL = 1e-9, 1e-12
"""How far floats may differ: a matrix product of another shape already differs by 2e-16."""
_LONGEST_SHOWN = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a law is tried on: ``rows`` of features in a ``form``, or a ``raw`` body that must be refused.

    ``kind`` says which rule of the contract a raw body breaks: count, type, range, category or null; ``label`` says the
    same in words.
    """

    rows: tuple[Row, ...] = ()
    form: str = "ndarray"
    raw: str = ""
    label: str = ""
    kind: str = ""

    def size(self) -> tuple[int, int, int]:
        """Rows, then scalars, then characters: of the cases that break a law the smallest is reported."""
        return len(self.rows), sum(len(leaves(list(row))) for row in self.rows), len(str(self.rows))


Queries = Callable[[Contract, Case], list[Query]]
"""The queries to send for a case; none if the law does not apply to it."""
Judge = Callable[[Contract, Case, Sequence[Answer]], str | None]
"""What is broken, in one sentence; ``""`` if nothing is; ``None`` if these answers say nothing about the law."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """A property that a server must have. ``kind`` is what it is tried on: data, empty, malformed, violation, feedback.

    ``targets`` is true for a law about the contract's targets, which only predictions have.
    """

    name: str
    promise: str
    queries: Queries
    judge: Judge
    kind: str = "data"
    targets: bool = False

    @property
    def single(self) -> bool:
        """Whether it judges the one answer to the rows as they are. Such laws share one answer for a case."""
        return self.queries is rows_query


def rows_query(contract: Contract, case: Case) -> list[Query]:
    """The rows of the case, as they are."""
    return [Query(body(contract, case.rows, case.form))]


def raw_query(contract: Contract, case: Case) -> list[Query]:
    """The raw body of the case."""
    return [Query(case.raw)]


def close(left: Any, right: Any) -> bool:
    """Whether two JSON values are equal, at any depth; floats may differ by ``RTOL`` and ``ATOL``."""
    if is_number(left) and is_number(right):
        return math.isclose(left, right, rel_tol=RTOL, abs_tol=ATOL)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(close, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(close(left[key], right[key]) for key in left)
    return type(left) is type(right) and bool(left == right)


def difference(left: Sequence[Sequence[Any]], right: Sequence[Sequence[Any]]) -> str:
    """The first difference of two lists of rows, in words; ``""`` if there is none."""
    if len(left) != len(right):
        return f"{len(left)} rows against {len(right)}"
    for row, (ours, theirs) in enumerate(zip(left, right, strict=True)):
        if len(ours) != len(theirs):
            return f"row {row}: {len(ours)} values against {len(theirs)}"
        for column, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            if not close(a, b):
                return f"row {row}, column {column}: {show(a)} against {show(b)}"
    return ""


def table(answer: Answer) -> PredictionTable | None:
    """The prediction in an answer; ``None`` if there is none."""
    try:
        return read(answer) if answer.status == 200 else None
    except MalformedAnswer:
        return None


def error_text(answer: Answer) -> str:
    """The text of an error answer, on one line."""
    try:
        text = str(parse(answer)["status"]["info"])
    except (MalformedAnswer, LookupError, TypeError):
        text = answer.body.decode("utf-8", "replace")
    return _short(" ".join(text.split()) or "no text")


def show(value: Any) -> str:
    """``value`` as JSON, cut to 160 characters."""
    return _short(json.dumps(value, ensure_ascii=False))


def bounds(column: Column) -> str:
    """The range of a column as ``[low, high]``."""
    return f"[{'-inf' if column.low is None else column.low}, {'inf' if column.high is None else column.high}]"


def is_number(value: Any) -> bool:
    """Whether ``value`` is a JSON number; Python's booleans are ints, but not JSON numbers."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 3] + "..."
