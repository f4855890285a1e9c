"""Rows to request bodies, and answers back to rows."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..contract.columns import Contract
from .wire import Answer

Row = Sequence[Any]


class Malformed(ValueError):
    """An answer that is no prediction; the text says why."""


@dataclass(frozen=True, slots=True)
class Table:
    """An answered prediction: one list of scalars per row.

    An ``opaque`` one is no table but a text, bytes or JSON of the model's own, and stands whole in its one cell.
    """

    names: list[Any]
    rows: list[list[Any]]
    meta: dict[str, Any]
    opaque: bool = False


def body(contract: Contract, rows: Sequence[Row], form: str = "ndarray", meta: dict[str, Any] | None = None) -> Any:
    """A request of ``rows`` in the form ``ndarray`` or ``tensor``."""
    data: dict[str, Any] = {"names": contract.feature_names()}
    if form == "tensor":
        shape = _shape(rows) if rows else [0, *_shape([contract.sample_row()])[1:]]
        data["tensor"] = {"shape": shape, "values": [value for row in rows for value in leaves(row)]}
    else:
        data["ndarray"] = [list(row) for row in rows]
    return {"data": data} if meta is None else {"meta": meta, "data": data}


def parse(answer: Answer) -> Any:
    """The answer's JSON. Raises ``Malformed``, for the tokens NaN and Infinity too: they are not JSON."""
    try:
        return json.loads(answer.body, parse_constant=_refuse)
    except Malformed:
        raise
    except (ValueError, RecursionError) as error:
        raise Malformed(f"the answer is not JSON: {error}") from error


def read(answer: Answer) -> Table:
    """The prediction in an answer. Raises ``Malformed``."""
    value = parse(answer)
    if not isinstance(value, dict):
        raise Malformed("the answer is not a JSON object")
    data, meta = value.get("data"), value.get("meta", {})
    own = next((value[key] for key in ("jsonData", "strData", "binData") if key in value), None)
    if data is None and own is not None and isinstance(meta, dict):
        return Table([], [[own]], meta, opaque=True)
    if not isinstance(data, dict):
        raise Malformed("the answer has no object at $.data")
    names = data.get("names", [])
    if not isinstance(meta, dict) or not isinstance(names, list):
        raise Malformed("$.meta must be an object and $.data.names a list")
    if isinstance(tensor := data.get("tensor"), dict):
        return Table(names, _unflatten(tensor), meta)
    array = data.get("ndarray")
    if not isinstance(array, list):
        raise Malformed("the answer has neither $.data.tensor nor a list at $.data.ndarray")
    return Table(names, [leaves(row) if isinstance(row, list) else [row] for row in array], meta)


def leaves(value: Any) -> list[Any]:
    """The scalars of a nested list, in order."""
    if not isinstance(value, list | tuple):
        return [value]
    return [leaf for each in value for leaf in leaves(each)]


def _refuse(token: str) -> Any:
    raise Malformed(f"the answer is not JSON: it has the token {token}")


def _shape(rows: Sequence[Any]) -> list[int]:
    shape, level = [], rows
    while isinstance(level, list | tuple) and level:
        shape.append(len(level))
        level = level[0]
    return shape


def _unflatten(tensor: dict[str, Any]) -> list[list[Any]]:
    shape, values = tensor.get("shape"), tensor.get("values", [])
    if not isinstance(shape, list) or not shape or any(type(each) is not int or each < 0 for each in shape):
        raise Malformed("$.data.tensor.shape must be a list of whole numbers")
    if not isinstance(values, list) or len(values) != math.prod(shape):
        raise Malformed(f"$.data.tensor.values does not fill the shape {shape}")
    width = math.prod(shape[1:])
    return [values[at * width : (at + 1) * width] for at in range(shape[0])]
