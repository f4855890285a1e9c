"""``google.protobuf.Value`` and ``ListValue``, which carry JSON in a protocol buffer.

JSON in this form is a tree of small messages, and the protobuf library makes an object of 200 bytes for each node. But
a list of numbers has a regular form: every element is eleven bytes, of which the first three are always the same::

    ListValue [1.0, 2.0]     0A 09 11 <8 bytes: 1.0>  0A 09 11 <8 bytes: 2.0>
                             │  │  └ field 2 of Value, a double
                             │  └ nine bytes
                             └ field 1 of ListValue: an element

    ListValue [[1.0], [2.0]] 0A 0D 32 0B 0A 09 11 <1.0>  0A 0D 32 0B 0A 09 11 <2.0>
                             └ head ───┘ └ ListValue [1.0]

So numpy looks at the bytes as a table of cells of eleven. If the first three columns are the constant, the other eight
are the numbers, without a loop in Python; if all cells begin with the same head, they are lists of one length, and the
same test is made of what is inside. Writing goes the other way: numbers are put into cells, and each outer dimension
puts a head before its rows. Everything that does not fit this form is read element by element.
"""

import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from ..settings.limits import MAX_JSON_DEPTH
from .tensor import Array
from .wire import BYTES, FIXED64, VARINT, MalformedProto, delimited, fields, varint

_NUMBER = b"\x0a\x09\x11"  # the first three bytes of a number in a ListValue, as above
_NUMBER_BYTES = len(_NUMBER) + 8
_LIST = 0x0A  # the key of an element in a ListValue
_LIST_VALUE = 0x32  # the key of a list in a Value

_MAX_DEPTH = 90  # protobuf's own readers refuse more than 100 levels of messages

Bytes = npt.NDArray[np.uint8]


def from_value(data: bytes) -> Any:
    """Return the JSON value of a serialized Value; every number is a float. Raises ``MalformedProto``."""
    return _plain(data, 0)


def from_list(data: bytes) -> Array | list[Any]:
    """Return the array of a serialized ListValue, of shape ``(rows, columns, …)``, or the list if it is not one.

    It is an array if all its elements are numbers, or lists of one shape of them. Raises ``MalformedProto``.
    """
    if data:
        array = _numbers(np.frombuffer(data, np.uint8).reshape(1, -1))
        if array is not None:
            return array.reshape(array.shape[1:])
    return _elements(data, 0)


def list_value(payload: Any) -> bytes:
    """Return the serialized ListValue of an array of any shape or of a list; a single value becomes a list of one.

    Raises as :func:`value` does.
    """
    if isinstance(payload, np.ndarray):
        if payload.dtype.kind in "iuf" and payload.ndim and payload.size:
            return _write_numbers(payload.astype("<f8")).tobytes()
        payload = payload.tolist()
    if not isinstance(payload, list | tuple):
        payload = [payload]
    return _list(payload, 0)


def value(plain: Any, depth: int = 0) -> bytes:
    """Return the serialized Value of ``plain``.

    Raises ``TypeError`` for a value that JSON does not have, and ``ValueError`` for one that nests too deeply.
    """
    if depth > _MAX_DEPTH:
        raise ValueError("it is nested too deeply")
    if plain is None:
        return b"\x08\x00"
    if isinstance(plain, bool | np.bool_):
        return b"\x20\x01" if plain else b"\x20\x00"
    if isinstance(plain, int | float | np.integer | np.floating):
        return b"\x11" + struct.pack("<d", float(plain))
    if isinstance(plain, str):
        return delimited(b"\x1a", plain.encode())
    if isinstance(plain, dict):
        return delimited(b"\x2a", b"".join(_entry(key, each, depth) for key, each in plain.items()))
    if isinstance(plain, np.ndarray):
        plain = plain.tolist()
        if not isinstance(plain, list):
            return value(plain, depth)
    if isinstance(plain, list | tuple):
        return delimited(b"\x32", _list(plain, depth))
    raise TypeError(f"a value of type {type(plain).__name__}")


def _entry(key: Any, plain: Any, depth: int) -> bytes:
    if not isinstance(key, str):
        raise TypeError(f"a key of type {type(key).__name__}")
    return delimited(b"\x0a", delimited(b"\x0a", key.encode()) + delimited(b"\x12", value(plain, depth + 3)))


def _list(elements: Any, depth: int) -> bytes:
    return b"".join(delimited(b"\x0a", value(each, depth + 2)) for each in elements)


def _plain(data: bytes, depth: int) -> Any:
    """The JSON value of a serialized Value.

    The library makes an object of 200 bytes of each element: 4 MB of nulls took 800 MB and twelve seconds.
    """
    kind = 1
    parts: list[Any] = []
    scalar: Any = None
    for number, wire, value in fields(data):
        if number in (5, 6) and wire == BYTES:  # messages, of which a second one is merged into the first
            if number != kind:
                parts = []
            parts.append(value)
        elif (number, wire) not in _KINDS:
            continue
        kind, scalar = number, value
    if kind in (5, 6):
        if depth >= MAX_JSON_DEPTH:
            raise MalformedProto(f"values are nested deeper than {MAX_JSON_DEPTH} levels")
        content = _joined(parts)
        return _members(content, depth + 1) if kind == 5 else _elements(content, depth + 1)
    return _KINDS[kind, _WIRES[kind]](scalar)


def _elements(data: bytes, depth: int) -> list[Any]:
    return [_plain(each, depth) for number, wire, each in fields(data) if number == 1 and wire == BYTES]  # type: ignore[arg-type]


def _members(data: bytes, depth: int) -> dict[str, Any]:
    members = {}
    for number, wire, entry in fields(data):
        if number == 1 and wire == BYTES:
            key = b""
            values: list[Any] = []
            for part, kind, content in fields(entry):  # type: ignore[arg-type]  # bytes, by its kind
                if kind == BYTES and part == 1:
                    key = content  # type: ignore[assignment]
                elif kind == BYTES and part == 2:
                    values.append(content)
            members[_utf8(key)] = _plain(_joined(values), depth)
    return members


def _joined(parts: list[Any]) -> bytes:
    """The bytes of a message that occurs ``parts`` times. To add each part to those before it would be quadratic."""
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _utf8(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError:
        raise MalformedProto("a text is not UTF-8") from None


def _float(eight: bytes) -> float:
    return float(struct.unpack("<d", eight)[0])


_WIRES = {1: VARINT, 2: FIXED64, 3: BYTES, 4: VARINT}
_KINDS: dict[tuple[int, int], Callable[[Any], Any]] = {
    (1, VARINT): lambda value: None,
    (2, FIXED64): _float,
    (3, BYTES): _utf8,
    (4, VARINT): bool,
}


def _numbers(lists: Bytes) -> Array | None:
    """The numbers of several serialized ListValues, or ``None`` if they do not have the form of an array.

    ``lists`` has the shape ``(count, length)``: a row has the bytes of one ListValue. The result has the shape
    ``(count, elements, …)``.
    """
    count, length = lists.shape
    if not count or not length:
        return None
    if length % _NUMBER_BYTES == 0:
        cells = lists.reshape(count, -1, _NUMBER_BYTES)
        if (cells[:, :, :3] == np.frombuffer(_NUMBER, np.uint8)).all():
            numbers = np.ascontiguousarray(cells[:, :, 3:]).view("<f8")[:, :, 0]
            return numbers.astype(np.float64, copy=False)
    # If they are not numbers, every element should begin with the same head, of a list with so many bytes.
    first = lists[0, :24].tobytes()
    try:
        if first[0] != _LIST:
            return None
        element, after = varint(first, 1)
        if first[after : after + 1] != bytes((_LIST_VALUE,)):
            return None
        inner, head = varint(first, after + 1)
    except MalformedProto:
        return None
    if not inner or head + inner != after + element or length % (head + inner):
        return None
    cells = lists.reshape(count, -1, head + inner)
    if not (cells[:, :, :head] == cells[0, 0, :head]).all():
        return None
    inside = _numbers(cells[:, :, head:].reshape(-1, inner))
    return None if inside is None else inside.reshape(count, -1, *inside.shape[1:])


def _write_numbers(array: Array) -> Bytes:
    """The serialized ListValue of an array of shape ``(rows, columns, …)`` with at least one number, as bytes."""
    cells = np.empty((*array.shape, _NUMBER_BYTES), np.uint8)
    cells[..., :3] = np.frombuffer(_NUMBER, np.uint8)
    cells[..., 3:] = np.ascontiguousarray(array)[..., None].view(np.uint8)
    while cells.ndim > 2:
        lists = cells.reshape(*cells.shape[:-2], -1)
        inner = lists.shape[-1]
        listed = delimited(b"\x32", b"\0" * inner)
        head = delimited(b"\x0a", listed)[:-inner]
        cells = np.concatenate(
            [np.broadcast_to(np.frombuffer(head, np.uint8), (*lists.shape[:-1], len(head))), lists], axis=-1
        )
    return cells.reshape(-1)
