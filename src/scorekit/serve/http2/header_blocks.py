"""Header blocks of requests: their bytes to header fields, each block that means the same again decoded once."""

import hpack

from ...settings.limits import MAX_HEAD_BYTES
from .frames import ErrorCode, Http2Error
from .header_fields import Headers, request_headers

# Remembered blocks of one connection: each is a few dozen bytes as gRPC clients send them.
_MAX_KNOWN = 64
_MAX_KNOWN_BYTES = 4096

_MAX_SIZES = 2


class HeaderBlock:
    """The header block of a stream, as far as its frames have arrived."""

    __slots__ = ("depends_on_itself", "ends", "parts", "stream", "text")

    def __init__(self, stream: int, ends: bool, depends_on_itself: bool, text: bytes) -> None:
        self.stream = stream
        self.ends = ends
        """Whether the request ends with this block."""
        self.depends_on_itself = depends_on_itself
        """Whether its priority names its own stream, which is a stream error (RFC 7540 §5.3.1)."""
        self.text = text
        self.parts = 1
        """HEADERS and CONTINUATION frames so far."""


# Remembering header blocks
# -------------------------
#
# HPACK makes the meaning of a block depend on all blocks before it: an index may point into a dynamic table that every
# block can change. So in general the same bytes must be decoded each time. But a block is sure to mean the same again
# if
#
# * it does not change the table itself: it has only indexed fields and literals that are not to be indexed
#   (`leaves_table`, which reads nothing but the first bits of each field), and
# * no block between the two has changed the table (`fields` forgets everything when one does).
#
# gRPC clients send the same block for every call of a method, as indices or with literals that are not indexed
# (nghttp2's path). Decoding it once nearly doubled the calls a second: 12,400 to 23,000 (docs/design/0006).
class HeaderBlockReader:
    """Decodes the header blocks of one connection, which share one table."""

    def __init__(self, max_headers: int = 100) -> None:
        self._max_headers = max_headers
        self._decoder = hpack.Decoder(max_header_list_size=MAX_HEAD_BYTES)
        self._known: dict[bytes, Headers] = {}

    def __repr__(self) -> str:
        return f"<HeaderBlockReader known={len(self._known)}>"

    def known(self, text: bytes) -> Headers | None:
        """Return the headers of a request whose block was decoded before and still means the same, if it was."""
        return self._known.get(text)

    def fields(self, text: bytes) -> list[tuple[bytes, bytes]]:
        """Return the fields of a block. Raises ``Http2Error``.

        Every block that is not known must be decoded, even one of a stream that is refused: it may change the table.
        """
        if not leaves_table(text):
            self._known.clear()
            refuse_many_sizes(text)
        try:
            return [(bytes(name), bytes(value)) for name, value in self._decoder.decode(text, raw=True)]
        except hpack.OversizedHeaderListError:
            raise Http2Error(ErrorCode.ENHANCE_YOUR_CALM, "too many header fields") from None
        except (hpack.HPACKError, UnicodeDecodeError, IndexError):
            raise Http2Error(ErrorCode.COMPRESSION_ERROR, "header block cannot be decoded") from None

    def request(self, block: HeaderBlock, fields: list[tuple[bytes, bytes]]) -> Headers:
        """Return the headers of a request and remember them if possible. Raises ``Http2Error`` for a malformed one."""
        if len(fields) > self._max_headers:
            raise Http2Error(ErrorCode.ENHANCE_YOUR_CALM, "too many header fields", block.stream)
        headers = request_headers(fields, block.stream)
        if len(block.text) <= _MAX_KNOWN_BYTES and leaves_table(block.text):
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            self._known[block.text] = headers
        return headers


def leaves_table(text: bytes) -> bool:
    """Return whether decoding a header block leaves the dynamic table as it is.

    That holds for indexed fields and for literals that are not to be indexed (RFC 7541 §6.1, §6.2.2, §6.2.3). For all
    others, and for a block that is cut off, the answer is false.
    """
    at, end = 0, len(text)
    while at < end:
        byte = text[at]
        if byte & 0xC0 == 0x40 or byte & 0xE0 == 0x20:  # to be indexed (§6.2.1), or a new size of the table (§6.3)
            return False
        if byte & 0x80:
            _, at = _integer(text, at, 0x7F)
            continue
        name, at = _integer(text, at, 0x0F)
        for _ in range(1 if name else 2):
            length, at = _integer(text, at, 0x7F)
            at += length
    return at == end


def refuse_many_sizes(text: bytes) -> None:
    """Raise ``Http2Error`` if a header block changes the size of the table more than twice.

    An encoder has no reason for a third change (RFC 7541 §4.2), and each takes a byte of the client and a turn of the
    decoder, which would take them all before it finds the first field.
    """
    at = sizes = 0
    while at < len(text) and text[at] & 0xE0 == 0x20:
        sizes += 1
        if sizes > _MAX_SIZES:
            raise Http2Error(ErrorCode.COMPRESSION_ERROR, "header block with more than two table size updates")
        _, at = _integer(text, at, 0x1F)


def _integer(text: bytes, at: int, prefix: int) -> tuple[int, int]:
    """Return the integer at ``at`` and the place after it (RFC 7541 §5.1). A place behind the text means: cut off.

    The integer fills the bits of ``prefix``; if they are all set, it goes on in groups of seven bits.
    """
    if at >= len(text):
        return 0, len(text) + 1
    value = text[at] & prefix
    at += 1
    if value == prefix:
        for shift in range(0, 35, 7):
            if at >= len(text):
                return 0, len(text) + 1
            value += (text[at] & 0x7F) << shift
            at += 1
            if text[at - 1] < 0x80:
                break
    return value, at
