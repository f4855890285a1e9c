"""Header fields of HTTP/2: what a request and its trailers may have, and how ours are written.

A field that another server could read differently, after a gateway has translated the request to HTTP/1.1, makes the
request malformed (RFC 9113 §8.1.1, §8.2, §8.3).
"""

from collections.abc import Iterable
from functools import lru_cache

from .frames import ErrorCode, Http2Error

Fields = tuple[tuple[bytes, bytes], ...]
"""Header fields in their order, pseudo-header fields first."""

Headers = dict[bytes, bytes]
"""The header fields of a request by name. Several streams may share one, so it must not be changed."""

_REQUIRED = (b":method", b":scheme", b":path")
# Fields that concern one connection of HTTP/1.1 (§8.2.2).
_OF_CONNECTIONS = frozenset({b"connection", b"proxy-connection", b"keep-alive", b"transfer-encoding", b"upgrade"})
# Fields of which a gateway may have acted on one and this server on another; HTTP/1.1 refuses two of them as well.
_ONCE = frozenset({b"authorization", b"content-type", b"x-api-key"})
# Bytes that no name has (§8.2.1): control characters, space, upper case, and all above ASCII.
_NO_NAME = frozenset(range(0x21)) | frozenset(range(ord("A"), ord("Z") + 1)) | frozenset(range(0x7F, 0x100))


def request_headers(fields: Iterable[tuple[bytes, bytes]], stream: int) -> Headers:
    """Return the fields of a request by name. Raises ``Http2Error`` of ``stream`` if it is malformed (§8.2, §8.3)."""
    headers: Headers = {}
    regular = False
    for name, value in fields:
        if name.startswith(b":"):
            if regular or name in headers or name not in (*_REQUIRED, b":authority"):
                raise Http2Error(ErrorCode.PROTOCOL_ERROR, "unknown, repeated or misplaced pseudo-header field", stream)
        else:
            regular = True
            _check(name, value, stream)
            if name == b"content-length" and headers.get(name, value) != value:
                raise Http2Error(ErrorCode.PROTOCOL_ERROR, "two different content-length fields", stream)
            if name in _ONCE and name in headers:
                raise Http2Error(ErrorCode.PROTOCOL_ERROR, "a header field that may occur once occurs twice", stream)
        headers[name] = value
    if not all(headers.get(name) for name in _REQUIRED):
        raise Http2Error(ErrorCode.PROTOCOL_ERROR, ":method, :scheme or :path is missing", stream)
    if not headers.get(b"content-length", b"0").isdigit():
        raise Http2Error(ErrorCode.PROTOCOL_ERROR, "content-length is not a number", stream)
    return headers


def check_trailers(fields: Iterable[tuple[bytes, bytes]], stream: int) -> None:
    """Raise ``Http2Error`` of ``stream`` for a field that trailers may not have (§8.1)."""
    for name, value in fields:
        if name.startswith(b":"):
            raise Http2Error(ErrorCode.PROTOCOL_ERROR, "pseudo-header field in trailers", stream)
        _check(name, value, stream)


def _check(name: bytes, value: bytes, stream: int) -> None:
    if not name or not _NO_NAME.isdisjoint(name) or b":" in name:
        raise Http2Error(ErrorCode.PROTOCOL_ERROR, "invalid name of a header field", stream)
    if b"\0" in value or b"\r" in value or b"\n" in value or value[:1] in (b" ", b"\t") or value[-1:] in (b" ", b"\t"):
        raise Http2Error(ErrorCode.PROTOCOL_ERROR, "invalid value of a header field", stream)
    if name in _OF_CONNECTIONS or (name == b"te" and value != b"trailers"):
        raise Http2Error(ErrorCode.PROTOCOL_ERROR, "connection-specific header field", stream)


@lru_cache(256)
def encoded(fields: Fields) -> bytes:
    """Return the header block of an answer.

    Every field is a literal without indexing (RFC 7541 §6.2.2), which neither reads nor changes the dynamic table. That
    costs a few dozen bytes on the wire; in return a block is made once for all connections, and there is no table of
    ours to keep in step with the client's.
    """
    return b"".join(_field(name, value) for name, value in fields)


def _field(name: bytes, value: bytes) -> bytes:
    if (name, value) == (b":status", b"200"):
        return b"\x88"  # entry 8 of the static table (RFC 7541 appendix A)
    if name == b":status":
        return b"\x08" + _text(value)
    return b"\x00" + _text(name) + _text(value)


def _text(text: bytes) -> bytes:
    """Return a string literal without Huffman coding: its length as an integer with a prefix of 7 bits (§5.1, §5.2)."""
    length = len(text)
    if length < 127:
        return bytes((length,)) + text
    out, length = bytearray((127,)), length - 127
    while length > 127:
        out.append(length & 127 | 128)
        length >>= 7
    out.append(length)
    return bytes(out) + text
