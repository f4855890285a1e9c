"""Nested lists to numpy arrays, with shapes checked before any memory is taken.

The dtype rules are those of the stock wrapper (seldon-core 1.17.1, observed): what ``numpy.array`` makes of the parsed
JSON. The whole array has one type, so one value decides for all:

=====================================  ============  ==============================
values                                 dtype         example
=====================================  ============  ==============================
all integers                           ``int64``     ``[[1, 2]]``
a fraction among them                  ``float64``   ``[[1, 2.5]]``
a string among them                    text          ``[[1, "a"]]`` → ``"1", "a"``
a ``null``, or beyond 64 bits          ``object``    ``[[1, null]]``
=====================================  ============  ==============================
"""

import itertools
import math
import sys
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import BadRequest

Array = npt.NDArray[Any]

MAX_DIMENSIONS = 32
"""numpy's own limit before 2.0."""

_MAX_DIMENSION = 2**40

# numpy stores each text at the length of the longest, with four bytes a character. One long string among many short
# ones is a gigabyte out of 75 kB of JSON: a document of n bytes can make n² / 2 bytes of memory. So texts are measured
# before an array is made of them, except in documents of up to 20 kB, which cannot do harm.
_MAX_TEXT_BYTES = 256 * 1024 * 1024
_HARMLESS_BYTES = 20_000


def from_ndarray(values: Any, path: str, document_bytes: int = sys.maxsize) -> Array:
    """Return the array of a nested JSON list, of its shape ``(rows, columns, …)``; of a bare scalar, of shape ``()``.

    ``document_bytes`` is the size of the document that it was read from, if known: small ones need no second look.
    Raises ``BadRequest`` that names the first row whose length differs from that of the first one, and for texts that
    would need too much memory as one array.
    """
    if document_bytes > _HARMLESS_BYTES:
        _refuse_wide_text(values, path)
    try:
        array = np.array(values)
    except ValueError as error:
        raise BadRequest(*_unequal(values, path)) from error
    if array.ndim > MAX_DIMENSIONS:  # numpy 2 takes twice as many
        raise BadRequest(*_unequal(values, path))
    return array


def from_tensor(tensor: Any, path: str, document_bytes: int = sys.maxsize) -> Array:
    """Return the array of an object ``{"shape": […], "values": […]}``, in that shape.

    Raises ``BadRequest`` if either key is missing, if a dimension is not a whole number from 0, or if the product of
    the dimensions is not the number of values. All of it is checked before an array of that shape exists.
    """
    if type(tensor) is not dict:
        raise BadRequest('expected {"shape": […], "values": […]}', path)
    try:
        shape, values = tensor["shape"], tensor["values"]
    except KeyError as missing:
        raise BadRequest(f"the key {missing.args[0]!r} is missing", path) from None
    if type(shape) is not list:
        raise BadRequest("expected a list of whole numbers", f"{path}.shape")
    check_shape(shape, f"{path}.shape")
    return shaped(from_ndarray(values, f"{path}.values", document_bytes), shape, f"{path}.shape")


def check_shape(shape: list[Any], path: str) -> None:
    """Raise ``BadRequest`` if ``shape`` has a value that is not a dimension, or too many of them."""
    if len(shape) > MAX_DIMENSIONS:
        raise BadRequest(f"an array has at most {MAX_DIMENSIONS} dimensions, not {len(shape)}", path)
    for position, dimension in enumerate(shape):
        # A bool is an int to Python, but `true` is not a dimension.
        if type(dimension) is not int or not 0 <= dimension <= _MAX_DIMENSION:
            raise BadRequest(f"expected a whole number from 0 to {_MAX_DIMENSION}", f"{path}[{position}]")


def shaped(array: Array, shape: list[int], path: str) -> Array:
    """Return the flat ``array`` in ``shape``. Raises ``BadRequest`` if the shape needs more or fewer values."""
    size = math.prod(shape)
    if array.size != size:
        needed = str(size) if size < 10**15 else "far more"
        raise BadRequest(f"the shape needs {needed} values, but there are {array.size}", path)
    try:
        return array.reshape(shape)
    except ValueError as error:  # [0, 2**40, 2**40] has no values, and still no array can have that shape
        raise BadRequest("no array can have this shape", path) from error


def _refuse_wide_text(values: Any, path: str) -> None:
    count = longest = 0
    level = [values]
    while level:
        count = len(level)
        kinds = set(map(type, level))
        if str in kinds:
            longest = max([longest, *map(len, filter(_is_text, level))])
        if list not in kinds:
            break
        level = list(itertools.chain.from_iterable(level if len(kinds) == 1 else filter(_is_list, level)))
    if longest * count * 4 > _MAX_TEXT_BYTES:
        raise BadRequest(
            "these strings need too much memory as one array, in which each takes as much as the longest", path
        )


def _is_text(value: Any) -> bool:
    return type(value) is str


def _is_list(value: Any) -> bool:
    return type(value) is list


def _unequal(values: Any, path: str) -> tuple[str, str]:
    """Return why numpy refused ``values``, and where: at the first element, level by level, unlike its level's first.

    There is no recursion, because how deep the value nests is the caller's choice.
    """
    level, lengths = [values], list[int]()
    while level:
        first = _length(level[0])
        odd = next((at for at, element in enumerate(level) if _length(element) != first), None)
        if odd is not None:
            difference = f"the first is {_in_words(first)}, this one is {_in_words(_length(level[odd]))}"
            return f"rows of one array must have the same shape: {difference}", path + _index(odd, lengths)
        if first is None:
            break
        lengths.append(first)
        level = [element for row in level for element in row]
    return f"these values do not form an array of at most {MAX_DIMENSIONS} dimensions", path


def _index(at: int, lengths: list[int]) -> str:
    """The subscripts of the element at flat position ``at`` in an array of ``lengths``."""
    subscripts = ""
    for length in reversed(lengths):
        at, place = divmod(at, length)
        subscripts = f"[{place}]{subscripts}"
    return subscripts


def _length(value: Any) -> int | None:
    return len(value) if isinstance(value, list) else None


def _in_words(length: int | None) -> str:
    return "a single value" if length is None else f"a list of {length}"
