"""A contract inferred from a table of data.

The result is a draft for a person to edit, so the rules are few and easy to foresee. A column whose every value is a
number is continuous, with the range that occurs in the data; it is INT if every number is written as a whole one. Any
other column is categorical, with the values that occur. Numbers that only name things (postal codes, class labels) look
like measurements, so the caller has to list those columns. Empty values are skipped: a contract cannot say "may be
missing".

The range is that of the sample, not of the world: a server that enforces an unedited draft refuses every row outside
it.
"""

import math
from collections.abc import Sequence
from typing import Any

from ..errors import SetupError

_MAX_CATEGORIES = 1000


def infer_contract(
    header: Sequence[str], rows: Sequence[Sequence[str]], targets: Sequence[str], categorical: Sequence[str] = ()
) -> dict[str, Any]:
    """The contract of a table, as JSON values. ``targets`` are names of columns; by default the last is the target.

    Columns of numbers are continuous, unless ``categorical`` has their names. Raises ``SetupError`` if a name is not in
    the header, a row has another length than the header, no column is left as a feature, or a column has no values,
    more than 1000 categories or numbers that are not finite.
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
        if len(values) > _MAX_CATEGORIES:
            raise SetupError(f"the column {name!r} has {len(values)} different values: too many for categories")
        return {"name": name, "ftype": "categorical", "values": values}
    if not all(map(math.isfinite, numbers)):
        raise SetupError(f"the column {name!r} has values that are not finite")
    whole = all(isinstance(number, int) for number in numbers)
    ends = [min(numbers), max(numbers)]
    return {"name": name, "ftype": "continuous", "dtype": "INT" if whole else "FLOAT", "range": ends}


def _numbers(texts: Sequence[str]) -> list[Any] | None:
    """The numbers in ``texts``, as ints if all are whole; ``None`` if a text is not a number."""
    try:
        return [int(text) for text in texts]
    except ValueError:
        pass
    try:
        return [float(text) for text in texts]
    except ValueError:
        return None
