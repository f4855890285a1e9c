"""The wire format of protocol buffers, field by field.

Written by hand for the few fields on a request's way: a packed array becomes numpy's in one step, where the protobuf
library makes a Python number of each element (and its pure-Python 3.20, which seldon-core pins, takes 18 ms for
1000 × 20).

A message is a sequence of fields, each a key and a value, and the key says how long the value is::

    key = number << 3 | wire type        a varint: seven bits a byte, lowest first, the top bit says that more follow

    type  name        value                                       example: 08 96 01  =  field 1, varint 150
    0     VARINT      a varint
    1     FIXED64     eight bytes
    2     BYTES       a varint length, then so many bytes: text, a message or a packed array
    3, 4  GROUP       fields up to the END_GROUP of the same number; proto3 has none, but readers must skip them
    5     FIXED32     four bytes

Unknown fields are no fault. Of a field that occurs twice the last counts, except that messages are merged, which is the
same as if their bytes were concatenated; the callers here rely on that.
"""

from collections.abc import Iterator

from ..settings.limits import MAX_PROTO_FIELDS

VARINT, FIXED64, BYTES, GROUP, END_GROUP, FIXED32 = range(6)

_MAX_GROUPS = 100  # the library's own limit


class MalformedProto(ValueError):
    """Bytes that are not a protocol buffer. The message completes "not a SeldonMessage: "."""


def fields(data: bytes, most: int = MAX_PROTO_FIELDS) -> Iterator[tuple[int, int, bytes | int]]:
    """Yield number, wire type and value of each field: an int for ``VARINT``, else the value's bytes.

    Groups are skipped. Raises ``MalformedProto`` for malformed bytes and for more than ``most`` fields.
    """
    position, end = 0, len(data)
    if end > 2 * most:  # a field takes two bytes at least, so a shorter message cannot have too many
        yield from _counted(data, most)
        return
    groups: list[int] = []
    while position < end:
        key = data[position]
        if key < 0x80:
            position += 1
        else:
            key, position = varint(data, position)
        number, kind = key >> 3, key & 7
        if not 0 < number < 1 << 29:
            raise MalformedProto("a field has an invalid number")
        value: bytes | int
        if kind == BYTES:
            length, start = varint(data, position)
            position = start + length
            value = data[start:position]
        elif kind == VARINT:
            value, position = varint(data, position)
        elif kind in (FIXED64, FIXED32):
            start = position
            position += 8 if kind == FIXED64 else 4
            value = data[start:position]
        elif kind == GROUP:
            groups.append(number)
            if len(groups) > _MAX_GROUPS:
                raise MalformedProto("groups are nested too deeply")
            continue
        elif kind == END_GROUP and groups and groups.pop() == number:
            continue
        else:
            raise MalformedProto("a field has an invalid wire type")
        if position > end:
            raise MalformedProto("it ends in the middle of a field")
        if not groups:
            yield number, kind, value
    if groups:
        raise MalformedProto("it ends in the middle of a group")


def _counted(data: bytes, most: int) -> Iterator[tuple[int, int, bytes | int]]:
    for count, field in enumerate(fields(data, len(data))):
        if count >= most:
            raise MalformedProto(f"it has more than {most} fields")
        yield field


def varint(data: bytes, position: int) -> tuple[int, int]:
    """Return the number at ``position``, cut to 64 bits, and the position after it.

    Raises ``MalformedProto`` if it does not end, or has more than ten bytes.
    """
    result = shift = 0
    for shift in range(0, 70, 7):
        if position >= len(data):
            raise MalformedProto("it ends in the middle of a number")
        byte = data[position]
        position += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result & 0xFFFF_FFFF_FFFF_FFFF, position
    raise MalformedProto("a number is too long")


def int32(value: int) -> int:
    """Return a varint as protobuf reads it for an int32: its lowest 32 bits, signed."""
    return ((value & 0xFFFF_FFFF) ^ 0x8000_0000) - 0x8000_0000


def write_varint(value: int) -> bytes:
    """Return the varint of ``value``, which is not negative."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def delimited(key: bytes, value: bytes) -> bytes:
    """Return a field of bytes, text, a message or a packed array, with the one-byte ``key``."""
    length = len(value)
    return key + (bytes((length,)) if length < 0x80 else write_varint(length)) + value
