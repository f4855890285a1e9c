"""``google.protobuf.Value`` and ``ListValue``, which carry JSON in a protocol buffer.

A list of numbers is eleven bytes an element, always the same three before its eight, so an array of them is read and
written by numpy as a whole.
"""

import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from ..settings.limits import MAX_JSON_DEPTH
from .tensor import Array
from .wire import BYTES, FIXED64, VARINT, MalformedProto, delimited, fields, varint

_NUMBER = b"\x0a\x09\x11"  # in a ListValue: an element of nine bytes, a Value that holds a double
_NUMBER_BYTES = len(_NUMBER) + 8
_LIST = 0x0A  # in a ListValue: an element
_LIST_VALUE = 0x32  # in a Value: that is a list

_MAX_DEPTH = 90  # protobuf's readers stop at 100 levels of messages

Bytes = npt.NDArray[np.uint8]


def from_value(data: bytes) -> Any:
    """The JSON value of a serialized Value; every number is a float. Raises ``MalformedProto``."""
    return _plain(data, 0)


def from_list(data: bytes) -> Array | list[Any]:
    """The array of a serialized ListValue where all its elements are numbers or equal lists of them, else the list."""
    if data:
        array = _numbers(np.frombuffer(data, np.uint8).reshape(1, -1))
        if array is not None:
            return array.reshape(array.shape[1:])
    return _elements(data, 0)


def list_value(payload: Any) -> bytes:
    """The serialized ListValue of an array or a list; of a single value, a list of one."""
    if isinstance(payload, np.ndarray):
        if payload.dtype.kind in "iuf" and payload.ndim and payload.size:
            return _write_numbers(payload.astype("<f8")).tobytes()
        payload = payload.tolist()
    if not isinstance(payload, list | tuple):
        payload = [payload]
    return _list(payload, 0)


def value(plain: Any, depth: int = 0) -> bytes:
    """The serialized Value of ``plain``. Raises ``TypeError`` for what is no JSON, ``ValueError`` for too deep."""
    if depth > _MAX_DEPTH:
        raise ValueError("it nests too deep")
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
    """The library makes an object of each element, of 200 bytes: 4 MB of nulls were 800 MB and took twelve seconds."""
    kind, content = 1, b""
    found: Any = None
    for number, wire, value in fields(data):
        if number in (5, 6) and wire == BYTES:  # messages: a second one is merged into the first
            content = content + value if number == kind else value  # type: ignore[operator,assignment]  # by its kind
        elif (number, wire) not in _KINDS:
            continue
        kind, found = number, value
    if kind in (5, 6):
        if depth >= MAX_JSON_DEPTH:
            raise MalformedProto(f"values nest deeper than {MAX_JSON_DEPTH}")
        return _members(content, depth + 1) if kind == 5 else _elements(content, depth + 1)
    return _KINDS[kind, _WIRES[kind]](found)


def _elements(data: bytes, depth: int) -> list[Any]:
    return [_plain(each, depth) for number, wire, each in fields(data) if number == 1 and wire == BYTES]  # type: ignore[arg-type]


def _members(data: bytes, depth: int) -> dict[str, Any]:
    found = {}
    for number, wire, entry in fields(data):
        if number == 1 and wire == BYTES:
            key = value = b""
            for part, kind, content in fields(entry):  # type: ignore[arg-type]  # bytes, by its kind
                if kind == BYTES and part == 1:
                    key = content  # type: ignore[assignment]
                elif kind == BYTES and part == 2:
                    value += content  # type: ignore[operator]
            found[_utf8(key)] = _plain(value, depth)
    return found


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
    """The numbers of serialized ListValues of one length, one a row, if they hold numbers alike, else ``None``."""
    count, length = lists.shape
    if not count or not length:
        return None
    if length % _NUMBER_BYTES == 0:
        cells = lists.reshape(count, -1, _NUMBER_BYTES)
        if (cells[:, :, :3] == np.frombuffer(_NUMBER, np.uint8)).all():
            numbers = np.ascontiguousarray(cells[:, :, 3:]).view("<f8")[:, :, 0]
            return numbers.astype(np.float64, copy=False)
    # Else every element should be the same head (a list of that length) before as many bytes.
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
    """One serialized ListValue, of an array with at least one number."""
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
