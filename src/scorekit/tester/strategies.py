"""Rows of a contract as Hypothesis strategies."""

import math
from typing import Any

from hypothesis import strategies as st

from ..contract import Column, Contract
from .law import Case

_FAR = 1e6
"""How far an open range is drawn: larger numbers would test the arithmetic of floats rather than the model."""


def cases(contract: Contract, rows: int | None = None, form: str | None = None) -> st.SearchStrategy[Case]:
    """Cases of ``rows`` rows, or of one to six, in ``form`` or in either; text has only the form ``ndarray``."""
    columns = [st.lists(value(each), min_size=each.width, max_size=each.width) for each in contract.features]

    def joined(drawn: tuple[list[Any], ...]) -> list[Any]:
        pairs = zip(contract.features, drawn, strict=True)
        return [each for column, scalars in pairs for each in column.side_by_side(scalars)]

    row = st.tuples(*columns).map(joined)
    forms = ["ndarray", "tensor"] if contract.numeric else ["ndarray"]
    batch = st.lists(row, min_size=rows or 1, max_size=rows or 6).map(tuple)
    return st.builds(Case, rows=batch, form=st.sampled_from([form] if form in forms else forms))


def value(column: Column) -> st.SearchStrategy[Any]:
    """A scalar that the contract allows in ``column``."""
    if column.ftype == "categorical":
        return st.sampled_from(column.values)
    low, high = column.reach(_FAR)
    if column.dtype == "INT":
        return st.integers(math.ceil(low), math.floor(high))
    return st.floats(low, high, allow_nan=False, allow_infinity=False, allow_subnormal=False)
