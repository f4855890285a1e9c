"""HTTP/2 frames as bytes: a client's bytes cut into frames, and our frames put together (RFC 9113 §4, §6).

This is written by hand. With the library h2 this server answered 6,000 calls a second, with this 23,000
(docs/design/0006): h2 keeps a state machine for each stream and an object for each frame, which a unary call does not
need. HPACK's hard parts, Huffman codes and the dynamic table, are left to the library hpack.
"""

import struct
from collections.abc import Iterable, Iterator
from enum import IntEnum

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""The first bytes of every HTTP/2 client (RFC 9113 §3.4). No HTTP/1.1 request begins like this."""

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
"""Frame types (§6)."""

ACK = END_STREAM = 0x1
END_HEADERS, PADDED, PRIORITIZED = 0x4, 0x8, 0x20
"""Frame flags (§6)."""

MAX_FRAME_BYTES = 16384
"""The longest payload. Every endpoint must accept this much (§4.2), and this one accepts no more."""

MAX_WINDOW = 2**31 - 1
"""The largest flow-control window (§6.9.1)."""

FRAME_HEAD_BYTES = 9
# The head of each frame (§4.1), and how the format reads it. A 24-bit length has no format of its own: H and B, joined.
#
#     0        8       16       24       32       40                          72
#     +--------+--------+--------+--------+--------+--------------------------+---------- - -
#     |      length (24 bits)    |  type  | flags  | reserved bit, stream (31) |  payload
#     +--------+--------+--------+--------+--------+--------------------------+---------- - -
#     |        H        |   B    |   B    |   B    |             L            |
frame_head = struct.Struct(">HBBBL")


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
    """Identifiers of settings (§6.5.2)."""

    HEADER_TABLE_SIZE = 1
    ENABLE_PUSH = 2
    MAX_CONCURRENT_STREAMS = 3
    INITIAL_WINDOW_SIZE = 4
    MAX_FRAME_SIZE = 5
    MAX_HEADER_LIST_SIZE = 6


class Http2Error(Exception):
    """A violation by the peer. With a ``stream`` it is a stream error, without one a connection error (§5.4)."""

    def __init__(self, code: ErrorCode, why: str, stream: int = 0) -> None:
        self.code = code
        self.why = why
        self.stream = stream
        super().__init__(why)


class FrameReader:
    """Cuts the bytes of one client into frames."""

    def __init__(self) -> None:
        self._buffer = b""  # the beginning of a preface or frame whose end has not arrived
        self._preface_read = False
        self.begun = 0
        """The number of frames so far that arrived in more than one piece."""

    def __repr__(self) -> str:
        return f"<FrameReader buffered={len(self._buffer)}>"

    @property
    def in_frame(self) -> bool:
        """Whether a frame has begun and not ended."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
        """Yield type, flags, stream and payload of every frame that ``data`` completes.

        Raises ``Http2Error`` for a wrong preface or a frame that is too long. The length is checked before the payload
        arrives, so the buffer never holds more than one frame of ``MAX_FRAME_BYTES`` beside the newest piece.
        """
        if self._buffer:
            data = self._buffer + data
        at, end = 0, len(data)
        if not self._preface_read:
            if not data.startswith(PREFACE):
                if PREFACE.startswith(data):
                    self._buffer = data
                    return
                raise Http2Error(ErrorCode.PROTOCOL_ERROR, "invalid connection preface")
            self._preface_read = True
            at = len(PREFACE)
        read = frame_head.unpack_from
        while end - at >= FRAME_HEAD_BYTES:
            high, low, kind, flags, number = read(data, at)
            length = high << 8 | low
            if length > MAX_FRAME_BYTES:
                raise Http2Error(ErrorCode.FRAME_SIZE_ERROR, f"frame longer than {MAX_FRAME_BYTES} bytes")
            after = at + FRAME_HEAD_BYTES + length
            if after > end:
                break
            yield kind, flags, number & 0x7FFF_FFFF, data[at + FRAME_HEAD_BYTES : after]
            at = after
        if at < end and (at or not self._buffer):
            self.begun += 1
        self._buffer = data[at:]


def frame(kind: int, flags: int, stream: int, payload: bytes | bytearray = b"") -> bytes:
    """Return the bytes of one frame."""
    length = len(payload)
    return frame_head.pack(length >> 8, length & 0xFF, kind, flags, stream) + payload


def headers(stream: int, block: bytes, end: bool, max_frame_bytes: int) -> bytes:
    """Return a header block as HEADERS and, if it is long, CONTINUATION frames of at most ``max_frame_bytes``."""
    flags = END_STREAM if end else 0
    if len(block) <= max_frame_bytes:
        return frame(HEADERS, flags | END_HEADERS, stream, block)
    parts = [block[at : at + max_frame_bytes] for at in range(0, len(block), max_frame_bytes)]
    middle = b"".join(frame(CONTINUATION, 0, stream, part) for part in parts[1:-1])
    return frame(HEADERS, flags, stream, parts[0]) + middle + frame(CONTINUATION, END_HEADERS, stream, parts[-1])


def window_update(stream: int, increment: int) -> bytes:
    """Return a WINDOW_UPDATE frame; ``stream`` 0 is the connection."""
    return frame(WINDOW_UPDATE, 0, stream, increment.to_bytes(4, "big"))


def settings(values: dict[SettingId, int]) -> bytes:
    """Return a SETTINGS frame."""
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HL", name, value) for name, value in values.items()))


def read_settings(payload: bytes) -> Iterable[tuple[int, int]]:
    """Yield identifier and value of each setting. Raises ``Http2Error`` for a value out of its range (§6.5.2)."""
    if len(payload) % 6:
        raise Http2Error(ErrorCode.FRAME_SIZE_ERROR, "SETTINGS payload is not a multiple of 6 bytes")
    for name, value in struct.iter_unpack(">HL", payload):
        if name == SettingId.ENABLE_PUSH and value > 1:
            raise Http2Error(ErrorCode.PROTOCOL_ERROR, "ENABLE_PUSH is not 0 or 1")
        if name == SettingId.INITIAL_WINDOW_SIZE and value > MAX_WINDOW:
            raise Http2Error(ErrorCode.FLOW_CONTROL_ERROR, "flow-control window above 2^31 - 1")
        if name == SettingId.MAX_FRAME_SIZE and not MAX_FRAME_BYTES <= value < 1 << 24:
            raise Http2Error(ErrorCode.PROTOCOL_ERROR, "MAX_FRAME_SIZE is out of range")
        yield name, value


def unpadded(flags: int, payload: bytes) -> bytes:
    """Return the payload of a DATA or HEADERS frame without its padding. Raises ``Http2Error`` (§6.1, §6.2)."""
    if not flags & PADDED:
        return payload
    if not payload or payload[0] >= len(payload):
        raise Http2Error(ErrorCode.PROTOCOL_ERROR, "padding is longer than the payload")
    return payload[1 : len(payload) - payload[0]]
