"""Describes what a component was given, in a JSON value."""

from typing import Any

import numpy as np


def describe(value: Any) -> Any:
    """Returns ``value`` as JSON, with its type if JSON would lose it; for arrays also dtype and shape."""
    if isinstance(value, np.ndarray):
        kind = "str" if value.dtype.kind == "U" else str(value.dtype)
        return {"array": describe(value.tolist()), "dtype": kind, "shape": list(value.shape)}
    if isinstance(value, dict):
        return {str(key): describe(each) for key, each in value.items()}
    if isinstance(value, list):
        return [describe(each) for each in value]
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    # A repeated field of protobuf is what gRPC hands over as names.
    return [describe(each) for each in value]


def key(value: Any, names: Any) -> str:
    """The word that tells a component which of its answers is wanted, from any kind of payload.

    It is the first name of ``data``, the text of ``strData`` or ``binData``, or the member ``key`` of ``jsonData``.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, dict):
        return str(value["key"])
    return str(names[0])
