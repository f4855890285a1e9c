"""HTTP/2 frames and header fields as bytes (RFC 9113, RFC 7541).

Written by hand: on the library h2 this server answered 6,000 calls a second, on this 23,000 (docs/design/0006). What is
hard in it, Huffman codes and the dynamic table, is left to the library hpack.
"""

import struct
from collections.abc import Iterable, Iterator
from enum import IntEnum
from functools import lru_cache

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""What a client says first (RFC 9113 §3.4); no HTTP/1.1 request begins like it."""

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
"""Types of frames (§6)."""

ACK = END_STREAM = 0x1
END_HEADERS, PADDED, PRIORITIZED = 0x4, 0x8, 0x20
"""Flags of frames."""

MAX_FRAME_BYTES = 16384
"""Of one frame's payload: what every endpoint takes until told more, and all that this one takes."""

MAX_WINDOW = 2**31 - 1

HEAD_BYTES = 9
head = struct.Struct(">HBBBL")
"""Length in two parts, type, flags, stream."""

Fields = tuple[tuple[bytes, bytes], ...]
"""Header fields, pseudo-header fields first."""


class ErrorCode(IntEnum):
    """Why a stream or a connection ends (§7)."""

    NO_ERROR = 0
    PROTOCOL_ERROR = 1
    FLOW_CONTROL_ERROR = 3
    STREAM_CLOSED = 5
    FRAME_SIZE_ERROR = 6
    REFUSED_STREAM = 7
    COMPRESSION_ERROR = 9
    ENHANCE_YOUR_CALM = 11


class SettingId(IntEnum):
    """Names of settings (§6.5.2)."""

    HEADER_TABLE_SIZE = 1
    ENABLE_PUSH = 2
    MAX_CONCURRENT_STREAMS = 3
    INITIAL_WINDOW_SIZE = 4
    MAX_FRAME_SIZE = 5
    MAX_HEADER_LIST_SIZE = 6


class Http2Error(Exception):
    """What a peer may not do. Of a ``stream`` it ends that, else the connection."""

    def __init__(self, code: ErrorCode, why: str, stream: int = 0) -> None:
        self.code = code
        self.why = why
        self.stream = stream
        super().__init__(why)


class FrameReader:
    """The bytes of a client, cut into frames."""

    def __init__(self) -> None:
        self._buffer = b""
        self._greeted = False  # the client has said its preface
        self.begun = 0
        """Frames that have come in more than one piece, ever."""

    def __repr__(self) -> str:
        return f"<FrameReader buffered={len(self._buffer)}>"

    @property
    def in_frame(self) -> bool:
        """Whether a frame has begun and not ended."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
        """Type, flags, stream and payload of every frame that ``data`` completes. Raises ``Fault``."""
        if self._buffer:
            data = self._buffer + data
        at, end = 0, len(data)
        if not self._greeted:
            if not data.startswith(PREFACE):
                if PREFACE.startswith(data):
                    self._buffer = data
                    return
                raise Http2Error(ErrorCode.PROTOCOL_ERROR, "not HTTP/2")
            self._greeted = True
            at = len(PREFACE)
        read = head.unpack_from
        while end - at >= HEAD_BYTES:
            high, low, kind, flags, number = read(data, at)
            length = high << 8 | low
            if length > MAX_FRAME_BYTES:
                raise Http2Error(ErrorCode.FRAME_SIZE_ERROR, "a frame is too long")
            after = at + HEAD_BYTES + length
            if after > end:
                break
            yield kind, flags, number & 0x7FFF_FFFF, data[at + HEAD_BYTES : after]
            at = after
        if at < end and (at or not self._buffer):
            self.begun += 1
        self._buffer = data[at:]


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """The bytes of one frame."""
    length = len(payload)
    return head.pack(length >> 8, length & 0xFF, kind, flags, stream) + payload


def headers(stream: int, block: bytes, end: bool, most: int) -> bytes:
    """A block of header fields as frames of at most ``most`` bytes."""
    flags = END_STREAM if end else 0
    if len(block) <= most:
        return frame(HEADERS, flags | END_HEADERS, stream, block)
    parts = [block[at : at + most] for at in range(0, len(block), most)]
    middle = b"".join(frame(CONTINUATION, 0, stream, part) for part in parts[1:-1])
    return frame(HEADERS, flags, stream, parts[0]) + middle + frame(CONTINUATION, END_HEADERS, stream, parts[-1])


def settings(values: dict[SettingId, int]) -> bytes:
    """A SETTINGS frame."""
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HL", name, value) for name, value in values.items()))


def read_settings(payload: bytes) -> Iterable[tuple[int, int]]:
    """Names and values of a SETTINGS frame. Raises ``Fault``."""
    if len(payload) % 6:
        raise Http2Error(ErrorCode.FRAME_SIZE_ERROR, "a SETTINGS frame is cut off")
    for name, value in struct.iter_unpack(">HL", payload):
        if name == SettingId.ENABLE_PUSH and value > 1:
            raise Http2Error(ErrorCode.PROTOCOL_ERROR, "ENABLE_PUSH is 0 or 1")
        if name == SettingId.INITIAL_WINDOW_SIZE and value > MAX_WINDOW:
            raise Http2Error(ErrorCode.FLOW_CONTROL_ERROR, "a window is too large")
        if name == SettingId.MAX_FRAME_SIZE and not MAX_FRAME_BYTES <= value < 1 << 24:
            raise Http2Error(ErrorCode.PROTOCOL_ERROR, "MAX_FRAME_SIZE is out of range")
        yield name, value


@lru_cache(256)
def block(fields: Fields) -> bytes:
    """Fields in a form that needs no table and changes none, so that it can be made once (RFC 7541 §6.2.2)."""
    return b"".join(_field(name, value) for name, value in fields)


def _field(name: bytes, value: bytes) -> bytes:
    if (name, value) == (b":status", b"200"):
        return b"\x88"
    if name == b":status":
        return b"\x08" + _text(value)
    return b"\x00" + _text(name) + _text(value)


def _text(text: bytes) -> bytes:
    length = len(text)
    if length < 127:
        return bytes((length,)) + text
    out, length = bytearray((127,)), length - 127
    while length > 127:
        out.append(length & 127 | 128)
        length >>= 7
    out.append(length)
    return bytes(out) + text


def leaves_tables(text: bytes) -> bool:
    """Whether reading a header block leaves the dynamic table as it is, so that the same bytes mean the same again.

    True of indexed fields and of literals that are not to be indexed (RFC 7541 §6.1, §6.2.2, §6.2.3); of others, and of
    what is cut off, false.
    """
    at, end = 0, len(text)
    while at < end:
        byte = text[at]
        if byte & 0xC0 == 0x40 or byte & 0xE0 == 0x20:  # to be indexed, or a new size of the table
            return False
        if byte & 0x80:
            _, at = _integer(text, at, 0x7F)
            continue
        name, at = _integer(text, at, 0x0F)
        for _ in range(1 if name else 2):
            length, at = _integer(text, at, 0x7F)
            at += length
    return at == end


def _integer(text: bytes, at: int, most: int) -> tuple[int, int]:
    """A number below ``most`` in the last bits of a byte or, from there on, in those after it (RFC 7541 §5.1)."""
    if at >= len(text):
        return 0, len(text) + 1
    value = text[at] & most
    at += 1
    if value == most:
        for shift in range(0, 35, 7):
            if at >= len(text):
                return 0, len(text) + 1
            value += (text[at] & 0x7F) << shift
            at += 1
            if text[at - 1] < 0x80:
                break
    return value, at


def unpadded(flags: int, payload: bytes) -> bytes:
    """The payload of a DATA or HEADERS frame without its padding. Raises ``Fault``."""
    if not flags & PADDED:
        return payload
    if not payload or payload[0] >= len(payload):
        raise Http2Error(ErrorCode.PROTOCOL_ERROR, "a frame has more padding than payload")
    return payload[1 : len(payload) - payload[0]]


_REQUIRED = (b":method", b":scheme", b":path")
_OF_CONNECTIONS = frozenset({b"connection", b"proxy-connection", b"keep-alive", b"transfer-encoding", b"upgrade"})
_NO_NAME = frozenset(range(0x21)) | frozenset(range(ord("A"), ord("Z") + 1)) | frozenset(range(0x7F, 0x100))


def request_head(fields: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """The fields of a request by name. Raises ``Fault`` for what is malformed (§8.2, §8.3)."""
    found: dict[bytes, bytes] = {}
    regular = False
    for name, value in fields:
        if name.startswith(b":"):
            if regular or name in found or name not in (*_REQUIRED, b":authority"):
                raise Http2Error(ErrorCode.PROTOCOL_ERROR, "a pseudo-header field is out of place")
        else:
            regular = True
            _check(name, value)
            if name == b"content-length" and found.get(name, value) != value:
                raise Http2Error(ErrorCode.PROTOCOL_ERROR, "two lengths")
        found[name] = value
    if not all(found.get(name) for name in _REQUIRED):
        raise Http2Error(ErrorCode.PROTOCOL_ERROR, "a request needs a method, a scheme and a path")
    if not found.get(b"content-length", b"0").isdigit():
        raise Http2Error(ErrorCode.PROTOCOL_ERROR, "a length is no number")
    return found


def check_trailers(fields: Iterable[tuple[bytes, bytes]]) -> None:
    """Raise ``Fault`` for what may not stand after a body."""
    for name, value in fields:
        if name.startswith(b":"):
            raise Http2Error(ErrorCode.PROTOCOL_ERROR, "a pseudo-header field after the body")
        _check(name, value)


def _check(name: bytes, value: bytes) -> None:
    if not name or not _NO_NAME.isdisjoint(name) or b":" in name:
        raise Http2Error(ErrorCode.PROTOCOL_ERROR, "no name of a header field")
    if b"\0" in value or b"\r" in value or b"\n" in value or value[:1] in (b" ", b"\t") or value[-1:] in (b" ", b"\t"):
        raise Http2Error(ErrorCode.PROTOCOL_ERROR, "no value of a header field")
    if name in _OF_CONNECTIONS or (name == b"te" and value != b"trailers"):
        raise Http2Error(ErrorCode.PROTOCOL_ERROR, "a header field of HTTP/1.1's connections")
