"""JSON numbers to numpy arrays.

The dtype rules are the stock wrapper's (seldon-core 1.17.1, observed): what ``numpy.array`` makes of the parsed JSON.
So integers stay integers, one float makes all floats, a string among numbers makes all strings, ``null`` makes objects.
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

# numpy stores each text at the length of the longest, four bytes a character: one long string among many short ones,
# 75 kB of JSON, would be a gigabyte. A document of n bytes makes n² / 2 bytes of it at the worst.
_MAX_TEXT_BYTES = 256 * 1024 * 1024
_HARMLESS_BYTES = 20_000


def from_ndarray(values: Any, path: str, document_bytes: int = sys.maxsize) -> Array:
    """The array of a nested JSON list (or of a bare scalar: shape ``()``).

    ``document_bytes`` is the size of the JSON text it was read from, if known: small ones need no second look.
    Raises ``BadRequest`` that names the first row whose length differs from the row before it, and for texts that
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
    """The array of a ``{"shape": […], "values": […]}`` object.

    Raises ``BadRequest`` when either key is missing, when a dimension is not a whole number from 0, or when the
    dimensions do not multiply to the number of values. All of it is checked before anything of that shape exists.
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
    """Raise ``BadRequest`` where ``shape`` holds what is no dimension or too many of them."""
    if len(shape) > MAX_DIMENSIONS:
        raise BadRequest(f"an array has at most {MAX_DIMENSIONS} dimensions, not {len(shape)}", path)
    for position, dimension in enumerate(shape):
        # bool is an int to Python, but `true` is no dimension.
        if type(dimension) is not int or not 0 <= dimension <= _MAX_DIMENSION:
            raise BadRequest(f"expected a whole number from 0 to {_MAX_DIMENSION}", f"{path}[{position}]")


def shaped(array: Array, shape: list[int], path: str) -> Array:
    """``array`` in ``shape``. Raises ``BadRequest`` where it has more or fewer values."""
    size = math.prod(shape)
    if array.size != size:
        asked = str(size) if size < 10**15 else "far more"
        raise BadRequest(f"the shape asks for {asked} values, but there are {array.size}", path)
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
        raise BadRequest("these texts need too much memory as one array: the longest sets the size of each", path)


def _is_text(value: Any) -> bool:
    return type(value) is str


def _is_list(value: Any) -> bool:
    return type(value) is list


def _unequal(values: Any, path: str) -> tuple[str, str]:
    """Why numpy refused ``values``, and where: the first element, level by level, unlike the first of its level.

    No recursion: how deep the value nests is the caller's choice.
    """
    level, lengths = [values], list[int]()
    while level:
        first = _length(level[0])
        odd = next((at for at, element in enumerate(level) if _length(element) != first), None)
        if odd is not None:
            found = f"the first is {_say(first)}, this one is {_say(_length(level[odd]))}"
            return f"rows of one array must be alike: {found}", path + _index(odd, lengths)
        if first is None:
            break
        lengths.append(first)
        level = [element for row in level for element in row]
    return f"these values make no array of at most {MAX_DIMENSIONS} dimensions", path


def _index(at: int, lengths: list[int]) -> str:
    """The subscripts of the element at flat position ``at`` in an array of ``lengths``."""
    subscripts = ""
    for length in reversed(lengths):
        at, place = divmod(at, length)
        subscripts = f"[{place}]{subscripts}"
    return subscripts


def _length(value: Any) -> int | None:
    return len(value) if isinstance(value, list) else None


def _say(length: int | None) -> str:
    return "a single value" if length is None else f"a list of {length}"
