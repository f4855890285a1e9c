"""Rows to request bodies, and answers back to rows."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..contract import Contract
from .transport import Answer

Row = Sequence[Any]
"""The features of one row, as JSON values; a feature with a shape is a nested list."""


class MalformedAnswer(ValueError):
    """An answer that is not a prediction; the text says why."""


@dataclass(frozen=True, slots=True)
class PredictionTable:
    """An answered prediction: ``rows`` has one flat list of scalars per row, whatever shape the answer had.

    An ``opaque`` answer (``jsonData``, ``strData`` or ``binData``) is not a table; it is kept whole, as the only value
    of one row.
    """

    names: list[Any]
    rows: list[list[Any]]
    meta: dict[str, Any]
    opaque: bool = False


def body(contract: Contract, rows: Sequence[Row], form: str = "ndarray", meta: dict[str, Any] | None = None) -> Any:
    """A request with ``rows``, as ``data.ndarray`` or as ``data.tensor``."""
    data: dict[str, Any] = {"names": contract.feature_names()}
    if form == "tensor":
        shape = _shape(rows) if rows else [0, *_shape([contract.sample_row()])[1:]]
        data["tensor"] = {"shape": shape, "values": [value for row in rows for value in leaves(row)]}
    else:
        data["ndarray"] = [list(row) for row in rows]
    return {"data": data} if meta is None else {"meta": meta, "data": data}


def parse(answer: Answer) -> Any:
    """The JSON value of an answer.

    Raises ``MalformedAnswer`` if it is not JSON. Python also reads the tokens NaN and Infinity; they are not JSON.
    """
    try:
        return json.loads(answer.body, parse_constant=_refuse)
    except MalformedAnswer:
        raise
    except (ValueError, RecursionError) as error:
        raise MalformedAnswer(f"the answer is not JSON: {error}") from error


def read(answer: Answer) -> PredictionTable:
    """The prediction in an answer. Raises ``MalformedAnswer`` if there is none."""
    value = parse(answer)
    if not isinstance(value, dict):
        raise MalformedAnswer("the answer is not a JSON object")
    data, meta = value.get("data"), value.get("meta", {})
    own = next((value[key] for key in ("jsonData", "strData", "binData") if key in value), None)
    if data is None and own is not None and isinstance(meta, dict):
        return PredictionTable([], [[own]], meta, opaque=True)
    if not isinstance(data, dict):
        raise MalformedAnswer("the answer has no object at $.data")
    names = data.get("names", [])
    if not isinstance(meta, dict) or not isinstance(names, list):
        raise MalformedAnswer("$.meta must be an object and $.data.names a list")
    if isinstance(tensor := data.get("tensor"), dict):
        return PredictionTable(names, _unflatten(tensor), meta)
    array = data.get("ndarray")
    if not isinstance(array, list):
        raise MalformedAnswer("the answer has neither $.data.tensor nor a list at $.data.ndarray")
    return PredictionTable(names, [leaves(row) if isinstance(row, list) else [row] for row in array], meta)


def leaves(value: Any) -> list[Any]:
    """The scalars of a nested list, in order."""
    if not isinstance(value, list | tuple):
        return [value]
    return [leaf for each in value for leaf in leaves(each)]


def _refuse(token: str) -> Any:
    raise MalformedAnswer(f"the answer is not JSON: it has the token {token}")


def _shape(rows: Sequence[Any]) -> list[int]:
    """The shape of a nested list whose lists of one level have one length."""
    shape, level = [], rows
    while isinstance(level, list | tuple) and level:
        shape.append(len(level))
        level = level[0]
    return shape


def _unflatten(tensor: dict[str, Any]) -> list[list[Any]]:
    """The rows of a tensor of shape ``(rows, …)``, each flat."""
    shape, values = tensor.get("shape"), tensor.get("values", [])
    if not isinstance(shape, list) or not shape or any(type(each) is not int or each < 0 for each in shape):
        raise MalformedAnswer("$.data.tensor.shape must be a list of whole numbers")
    if not isinstance(values, list) or len(values) != math.prod(shape):
        raise MalformedAnswer(f"$.data.tensor.values does not fill the shape {shape}")
    width = math.prod(shape[1:])
    return [values[at * width : (at + 1) * width] for at in range(shape[0])]
