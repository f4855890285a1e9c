"""What a law is: requests made from a case, and a judgement of their answers. Pure."""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..contract.columns import Column, Contract
from .tables import Malformed, Row, Table, body, leaves, parse, read
from .wire import Answer, Ask

RTOL, ATOL = 1e-9, 1e-12
"""How far floats may be apart: a matrix product of other shape already differs by 2e-16."""


@dataclass(frozen=True, slots=True)
class Case:
    """What a law is tried on: rows of features in a form, or the ``raw`` text of a body that must be refused.

    ``kind`` is what a violation violates: count, type, range, category or null.
    """

    rows: tuple[Row, ...] = ()
    form: str = "ndarray"
    raw: str = ""
    label: str = ""
    kind: str = ""


Asks = Callable[[Contract, Case], list[Ask]]
Judge = Callable[[Contract, Case, Sequence[Answer]], str | None]
"""What is broken, in one sentence; ``""`` if nothing is; None when these answers say nothing about this law."""


@dataclass(frozen=True, slots=True)
class Law:
    """``kind`` is what it is tried on: data, empty, malformed, violation or feedback."""

    name: str
    promise: str
    asks: Asks
    judge: Judge
    kind: str = "data"
    targets: bool = False
    """Whether it is about the contract's targets, which only predictions have."""

    @property
    def single(self) -> bool:
        """Whether it judges the one answer to the rows themselves, as the other such laws do."""
        return self.asks is one


def one(contract: Contract, case: Case) -> list[Ask]:
    return [Ask(body(contract, case.rows, case.form))]


def raw(contract: Contract, case: Case) -> list[Ask]:
    return [Ask(case.raw)]


def close(left: Any, right: Any) -> bool:
    """Equal; floats within ``RTOL`` and ``ATOL``, at any depth."""
    if is_number(left) and is_number(right):
        return math.isclose(left, right, rel_tol=RTOL, abs_tol=ATOL)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(close, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(close(left[key], right[key]) for key in left)
    return type(left) is type(right) and bool(left == right)


def difference(left: Sequence[Sequence[Any]], right: Sequence[Sequence[Any]]) -> str:
    """Where two tables differ, or ``""``."""
    if len(left) != len(right):
        return f"{len(left)} rows against {len(right)}"
    for row, (ours, theirs) in enumerate(zip(left, right, strict=True)):
        if len(ours) != len(theirs):
            return f"row {row}: {len(ours)} values against {len(theirs)}"
        for column, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            if not close(a, b):
                return f"row {row}, column {column}: {show(a)} against {show(b)}"
    return ""


def table(answer: Answer) -> Table | None:
    """The prediction, where there is one."""
    try:
        return read(answer) if answer.status == 200 else None
    except Malformed:
        return None


def told(answer: Answer) -> str:
    """What an error says, in a line."""
    try:
        value = parse(answer)
        text = str(value["status"]["info"])
    except (Malformed, LookupError, TypeError):
        text = answer.body.decode("utf-8", "replace")
    return _short(" ".join(text.split()) or "no text")


def show(value: Any) -> str:
    return _short(json.dumps(value, ensure_ascii=False))


def bounds(column: Column) -> str:
    return f"[{'-inf' if column.low is None else column.low}, {'inf' if column.high is None else column.high}]"


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def size(case: Case) -> tuple[int, int, int]:
    """What a minimal case has little of: rows, values, text."""
    return len(case.rows), len([leaf for row in case.rows for leaf in leaves(list(row))]), len(str(case.rows))


def _short(text: str) -> str:
    return text if len(text) <= 160 else text[:157] + "..."
