"""A contract from a table of data."""

import math
from collections.abc import Sequence
from typing import Any

from .errors import SetupError


def survey(header: Sequence[str], rows: Sequence[Sequence[str]], targets: Sequence[str]) -> dict[str, Any]:
    """A contract whose ranges and categories are those of ``rows``. ``targets`` name columns; the last if none.

    Raises ``SetupError`` for a column that is not there or has no values.
    """
    if len(header) < 2 or not rows:
        raise SetupError("a contract needs a header of at least two columns, and a row")
    targets = targets or header[-1:]
    if missing := [name for name in targets if name not in header]:
        raise SetupError(f"there is no column {missing[0]!r}; there are {', '.join(header)}")
    for number, row in enumerate(rows, 2):
        if len(row) != len(header):
            raise SetupError(f"line {number} has {len(row)} values; the header has {len(header)}")
    columns = {name: _column(name, [row[at] for row in rows]) for at, name in enumerate(header)}
    features = [column for name, column in columns.items() if name not in targets]
    return {"features": features, "targets": [columns[name] for name in targets]}


def _column(name: str, texts: Sequence[str]) -> dict[str, Any]:
    present = [text.strip() for text in texts if text.strip()]
    if not present:
        raise SetupError(f"the column {name!r} has no values")
    try:
        numbers = [float(text) for text in present]
    except ValueError:
        return {"name": name, "ftype": "categorical", "values": sorted(set(present))}
    if not all(map(math.isfinite, numbers)):
        raise SetupError(f"the column {name!r} has values that are not finite")
    whole = all(text.lstrip("+-").isdecimal() for text in present)
    ends = [int(end) if whole else end for end in (min(numbers), max(numbers))]
    return {"name": name, "ftype": "continuous", "dtype": "INT" if whole else "FLOAT", "range": ends}
