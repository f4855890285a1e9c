"""Cases made from the contract by hand: typical rows, boundary values, and what a server must refuse."""

import json
from collections.abc import Iterator
from typing import Any

from ..contract import Column, Contract
from .law import Case
from .payloads import Row, body


def examples(contract: Contract) -> Iterator[Case]:
    """The typical row, then with each category of each feature, and all of these and both edges as one batch."""
    rows: list[Row] = [contract.sample_row()]
    for at, column in enumerate(contract.features):
        rows += [_with(contract, at, value) for value in column.values[1:]]
    for row in rows:
        yield Case(rows=(row,))
    yield Case(rows=(*rows, contract.edge_row(0), contract.edge_row(1)))


def boundaries(contract: Contract) -> Iterator[Case]:
    """All features at one end of their range, then each feature alone, and all of these as a batch of 64 rows."""
    edges: list[Row] = [contract.edge_row(0), contract.edge_row(1)]
    for at, column in enumerate(contract.features):
        edges += [_with(contract, at, end) for end in column.ends()]
    for row in edges:
        yield Case(rows=(row,))
    yield Case(rows=tuple((edges * 64)[:64]))


def malformed(contract: Contract) -> Iterator[Case]:
    """Bodies that are not a request, whatever the contract says."""
    row = contract.sample_row()
    text = json.dumps(body(contract, [row]))
    tensor = {"data": {"tensor": {"shape": [2, 3], "values": [1, 2, 3, 4, 5]}}}
    yield Case(raw=text[:-2], label="JSON that breaks off")
    yield Case(raw="[1, 2]", label="a list instead of an object")
    yield Case(raw='{"data": 1}', label="a number at $.data")
    yield Case(raw=json.dumps(tensor), label="a tensor whose values do not fill its shape")
    negative = {"data": {"tensor": {"shape": [-1, 2], "values": [1, 2]}}}
    yield Case(raw=json.dumps(negative), label="a tensor with a negative shape")
    yield Case(
        raw='{"data": {"tensor": {"shape": [1e9], "values": []}}}', label="a tensor whose shape is not whole numbers"
    )
    yield Case(raw='{"data": {"ndarray": [[NaN]]}}', label="the token NaN")
    yield Case(raw='{"data": {"ndarray": ' + "[" * 2000 + "]" * 2000 + "}}", label="lists nested 2000 deep")
    yield Case(raw="\x07", label="a byte that no request begins with")
    ragged = {"data": {"ndarray": [[*row, *row], row]}}
    yield Case(raw=json.dumps(ragged), label="rows of different lengths")


def violations(contract: Contract) -> Iterator[Case]:
    """Requests that the contract does not allow, each with the kind of rule that it breaks."""
    row = contract.sample_row()

    def sent(kind: str, rows: list[Row], label: str) -> Case:
        return Case(raw=json.dumps({"data": {"ndarray": rows}}), label=label, kind=kind)

    yield sent("count", [row[:-1]], "a row with a feature too few")
    yield sent("count", [[*row, row[-1]]], "a row with a feature too many")
    for at, column in enumerate(contract.features):

        def one(kind: str, value: Any, label: str, at: int = at) -> Case:
            return sent(kind, [_with(contract, at, value)], label)

        yield one("null", None, f"null for {column.name}")
        if column.ftype == "categorical":
            yield one("category", _stranger(column), f"an unknown category for {column.name}")
            continue
        yield one("type", "text", f"text for {column.name}")
        if column.dtype == "INT":
            yield one("type", column.ends()[0] + 0.5, f"a fraction for {column.name}")
        if column.low is not None:
            yield one("range", column.low - _beyond(column), f"{column.name} below its range")
        if column.high is not None:
            yield one("range", column.high + _beyond(column), f"{column.name} above its range")


def _stranger(column: Column) -> Any:
    """A value of the categories' type that is not one of them."""
    if all(isinstance(value, int | float) for value in column.values):
        return max(column.values) + 1
    return "no such category"


def _beyond(column: Column) -> float:
    return max(1.0, abs(column.low or 0), abs(column.high or 0))


def _with(contract: Contract, at: int, value: Any) -> Row:
    """The typical row with ``value`` for the feature ``at``; every scalar of it, if it repeats or has a shape."""
    row: list[Any] = []
    for number, column in enumerate(contract.features):
        row += column.side_by_side([value if number == at else column.typical()] * column.width)
    return row
