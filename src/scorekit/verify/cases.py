"""Cases made from the contract alone: typical rows, edges, and what must be refused."""

import json
from collections.abc import Iterator
from typing import Any

from ..contract import Column, Contract
from .laws import Case
from .tables import Row, body


def examples(contract: Contract) -> Iterator[Case]:
    """The typical row, each category once, and all of these as one batch."""
    rows: list[Row] = [contract.sample_row()]
    for at, column in enumerate(contract.features):
        rows += [_with(contract, at, value) for value in column.values[1:]]
    for row in rows:
        yield Case((row,))
    yield Case((*rows, contract.edge_row(0), contract.edge_row(1)))


def boundaries(contract: Contract) -> Iterator[Case]:
    """Each feature at either end of its range, all at once, and a large batch."""
    edges: list[Row] = [contract.edge_row(0), contract.edge_row(1)]
    for at, column in enumerate(contract.features):
        edges += [_with(contract, at, end) for end in column.ends()]
    for row in edges:
        yield Case((row,))
    yield Case(tuple((edges * 64)[:64]))


def malformed(contract: Contract) -> Iterator[Case]:
    """Bodies that are no request, whatever the contract says."""
    row = contract.sample_row()
    text = json.dumps(body(contract, [row]))
    tensor = {"data": {"tensor": {"shape": [2, 3], "values": [1, 2, 3, 4, 5]}}}
    yield Case(raw=text[:-2], label="JSON that breaks off")
    yield Case(raw="[1, 2]", label="a list instead of an object")
    yield Case(raw='{"data": 1}', label="a number at $.data")
    yield Case(raw='{"data": {"ndarray": 1}}', label="a number at $.data.ndarray")
    yield Case(raw=json.dumps(tensor), label="a tensor whose values do not fill its shape")
    negative = {"data": {"tensor": {"shape": [-1, 2], "values": [1, 2]}}}
    yield Case(raw=json.dumps(negative), label="a tensor with a negative shape")
    yield Case(raw='{"data": {"tensor": {"shape": [1e9], "values": []}}}', label="a tensor with a shape that is no int")
    yield Case(raw='{"data": {"ndarray": [[NaN]]}}', label="the token NaN")
    yield Case(raw='{"data": {"ndarray": ' + "[" * 2000 + "]" * 2000 + "}}", label="lists nested 2000 deep")


def violations(contract: Contract) -> Iterator[Case]:
    """Requests that the contract does not allow."""
    row = contract.sample_row()

    def sent(value: Any, label: str) -> Case:
        return Case(raw=json.dumps({"data": {"ndarray": value}}), label=label)

    yield sent([row[:-1]], "a row with a feature too few")
    yield sent([[*row, row[-1]]], "a row with a feature too many")
    yield sent([row, row[:-1]], "rows of different lengths")
    yield sent([], "an empty list")
    for at, column in enumerate(contract.features):
        yield sent([_with(contract, at, None)], f"null for {column.name}")
        if column.ftype == "categorical":
            yield sent([_with(contract, at, "no such category")], f"an unknown category for {column.name}")
            continue
        yield sent([_with(contract, at, "text")], f"text for {column.name}")
        if column.low is not None:
            yield sent([_with(contract, at, column.low - _beyond(column))], f"{column.name} below its range")
        if column.high is not None:
            yield sent([_with(contract, at, column.high + _beyond(column))], f"{column.name} above its range")


def _beyond(column: Column) -> float:
    return max(1.0, abs(column.low or 0), abs(column.high or 0))


def _with(contract: Contract, at: int, value: Any) -> Row:
    """The typical row with ``value`` in the feature ``at``."""
    row: list[Any] = []
    for number, column in enumerate(contract.features):
        row += column.side_by_side([value if number == at else column.typical()] * column.width)
    return row
