"""Reads large JSON bodies into numpy without a Python object for each number, where pysimdjson is installed.

1000 × 20 numbers, 390 kB, are read in 0.33 ms, where orjson and numpy take 1.1. Only what is plainly a table of numbers
is read here; anything else is left to :mod:`scorekit.codec.json`, whose answer this must equal. So this module decides
by what it can prove cheaply, and steps aside in any doubt:

* an escape (a backslash) anywhere: the two parsers differ in what they forgive;
* other keys than ``data`` with ``names`` and one array, a key twice, or any ``meta`` that is not empty;
* a nested list anywhere else: the brackets of the whole body are counted, and a table of n rows has n + 1;
* rows of different lengths, or a shape that the values do not fill;
* numbers of mixed kinds that numpy would read as something else: a first number without a fraction means that numpy
  would make integers of all, if all are such, so integers beyond 63 bits are in doubt.
"""

from typing import Any

import numpy as np

from ..message import Message, PayloadKind
from .tensor import Array

simdjson: Any
try:
    import simdjson
except ImportError:  # the extra `fast` installs it; there is no build for every Python
    simdjson = None

MIN_BYTES = 20_000
"""Smaller bodies are read as quickly without it."""

_MAX_BYTES = 16 * 1024 * 1024  # a parser keeps the memory of the largest body that it has read

_WHOLE = 2.0**63


def available() -> bool:
    """Return whether :func:`decode` can read anything on this machine."""
    return simdjson is not None


def decode(body: bytes) -> Message | None:
    """Return the message of a body that is a table of numbers in one of the array forms; ``None`` for any other.

    Its payload has the shape that the body has, ``(rows, columns)`` for an ndarray. Does not raise.
    """
    if simdjson is None or len(body) > _MAX_BYTES or not body.startswith(b"{") or b"\\" in body:
        return None
    try:
        return _message(simdjson.Parser().parse(body), body)
    except (ValueError, TypeError, RuntimeError, LookupError, AttributeError):
        return None


def _message(root: Any, body: bytes) -> Message | None:
    meta = None
    if _keys(root) == ["data", "meta"]:
        meta = root["meta"].as_dict()
        if meta:  # rare beside so many numbers, and has rules of its own
            return None
    elif _keys(root) != ["data"]:
        return None
    data = root["data"]
    keys = _keys(data)
    names: list[Any] = []
    lists = 0
    if keys and keys[0] == "names":
        names = data["names"].as_list()
        lists = 1
        keys = keys[1:]
    if keys == ["ndarray"]:
        rows = data["ndarray"]
        shape = [len(rows), len(rows[0])]
        # If there are no lists but these, none of the rows can hold a list.
        if body.count(b"[") != lists + 1 + shape[0] or any(len(row) != shape[1] for row in rows):
            return None
        array = _numbers(rows, rows[0][0])
        kind = PayloadKind.NDARRAY
    elif keys == ["tensor"] and _keys(data["tensor"]) == ["shape", "values"]:
        shape = data["tensor"]["shape"].as_list()
        values = data["tensor"]["values"]
        if body.count(b"[") != lists + 2 or any(type(each) is not int or each < 1 for each in shape):
            return None
        array = _numbers(values, values[0])
        kind = PayloadKind.TENSOR
    else:
        return None
    if array is None or np.prod(shape, dtype=object) != array.size:
        return None
    return Message(kind, array.reshape(shape), names, meta)


def _keys(value: Any) -> list[str]:
    """The keys in alphabetical order. A key that occurs twice is listed twice, and so matches nothing."""
    return sorted(value.keys())


def _numbers(array: Any, first: Any) -> Array | None:
    """All numbers of ``array``, flat, in the dtype that numpy would find; ``None`` in doubt.

    Raises ``TypeError`` if one of them is not a number.
    """
    if type(first) is int:
        try:
            return np.frombuffer(array.as_buffer(of_type="i"), np.int64).copy()  # a model may write into its rows
        except TypeError:
            pass  # there is a fraction among them, or a number beyond 63 bits
    numbers = np.frombuffer(array.as_buffer(of_type="d"), np.float64).copy()
    if type(first) is int and not (np.abs(numbers) < _WHOLE).all():
        return None
    return numbers
