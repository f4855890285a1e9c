"""JSON numbers to numpy arrays.

The dtype rules are the stock wrapper's (seldon-core 1.17.1, observed): what ``numpy.array`` makes of the parsed JSON.
So integers stay integers, one float makes all floats, a string among numbers makes all strings, ``null`` makes objects.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import BadRequest

Array = npt.NDArray[Any]


def from_ndarray(values: Any, path: str) -> Array:
    """The array of a nested JSON list (or of a bare scalar: shape ``()``).

    Raises ``BadRequest`` that names the first row whose length differs from the row before it.
    """
    try:
        return np.array(values)
    except ValueError as error:
        raise BadRequest(*_unequal(values, path)) from error


def from_tensor(tensor: Any, path: str) -> Array:
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
    size = 1
    for position, dimension in enumerate(shape):
        # bool is an int to Python, but `true` is no dimension.
        if type(dimension) is not int or dimension < 0:
            raise BadRequest("expected a whole number from 0", f"{path}.shape[{position}]")
        size *= dimension
    array = from_ndarray(values, f"{path}.values")
    if array.size != size:
        raise BadRequest(f"shape {shape} asks for {size} values, but there are {array.size}", f"{path}.shape")
    return array.reshape(shape)


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
    return "these values do not make an array", path


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
