"""A contract from a table of data."""

import math
from collections.abc import Sequence
from typing import Any

from ..errors import SetupError

_TOO_MANY = 1000


def survey(
    header: Sequence[str], rows: Sequence[Sequence[str]], targets: Sequence[str], categorical: Sequence[str] = ()
) -> dict[str, Any]:
    """A contract whose ranges and categories are those of ``rows``. ``targets`` name columns; the last if none.

    A column of numbers is continuous unless ``categorical`` names it. Empty values are left out. Raises ``SetupError``
    for a column that is not there, has no values or too many categories.
    """
    if len(header) < 2 or not rows:
        raise SetupError("a contract needs a header of at least two columns, and a row")
    if twice := [name for name in header if header.count(name) > 1]:
        raise SetupError(f"the header has the column {twice[0]!r} twice")
    targets = targets or header[-1:]
    if missing := [name for name in [*targets, *categorical] if name not in header]:
        raise SetupError(f"there is no column {missing[0]!r}; there are {', '.join(header)}")
    for number, row in enumerate(rows, 2):
        if len(row) != len(header):
            raise SetupError(f"row {number} has {len(row)} values; the header has {len(header)}")
    columns = {name: _column(name, [row[at] for row in rows], name in categorical) for at, name in enumerate(header)}
    features = [column for name, column in columns.items() if name not in targets]
    if not features:
        raise SetupError("every column is a target; a contract needs a feature")
    return {"features": features, "targets": [columns[name] for name in targets]}


def _column(name: str, texts: Sequence[str], categorical: bool) -> dict[str, Any]:
    present = [text.strip() for text in texts if text.strip()]
    if not present:
        raise SetupError(f"the column {name!r} has no values")
    numbers = _numbers(present)
    if numbers is None or categorical:
        values = sorted(set(numbers or present))
        if len(values) > _TOO_MANY:
            raise SetupError(f"the column {name!r} has {len(values)} different values: too many for categories")
        return {"name": name, "ftype": "categorical", "values": values}
    if not all(map(math.isfinite, numbers)):
        raise SetupError(f"the column {name!r} has values that are not finite")
    whole = all(isinstance(number, int) for number in numbers)
    ends = [min(numbers), max(numbers)]
    return {"name": name, "ftype": "continuous", "dtype": "INT" if whole else "FLOAT", "range": ends}


def _numbers(texts: Sequence[str]) -> list[Any] | None:
    """The numbers, whole ones as ints if all are; None where a text is none."""
    try:
        return [int(text) for text in texts]
    except ValueError:
        pass
    try:
        return [float(text) for text in texts]
    except ValueError:
        return None
