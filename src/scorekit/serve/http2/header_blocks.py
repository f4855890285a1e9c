"""Header blocks to header fields, each block that means the same again read once."""

import hpack

from ...settings.limits import MAX_HEAD_BYTES
from . import frames
from .frames import ErrorCode, Http2Error
from .streams import Headers

# Header blocks that are remembered, each a few dozen bytes.
_MAX_KNOWN = 64
_MAX_KNOWN_BYTES = 4096


class HeaderBlock:
    """Header fields of a stream, as they come."""

    __slots__ = ("depends_on_itself", "ends", "parts", "stream", "text")

    def __init__(self, stream: int, ends: bool, depends_on_itself: bool, text: bytes) -> None:
        self.stream = stream
        self.ends = ends
        self.depends_on_itself = depends_on_itself
        self.text = text
        self.parts = 1


class HeaderBlockReader:
    """The header blocks of one connection, and the table that they share."""

    def __init__(self, max_headers: int = 100) -> None:
        self._max_headers = max_headers
        self._decoder = hpack.Decoder(max_header_list_size=MAX_HEAD_BYTES)
        self._known: dict[bytes, Headers] = {}

    def __repr__(self) -> str:
        return f"<HeaderBlockReader known={len(self._known)}>"

    def known(self, text: bytes) -> Headers | None:
        """The head of a block that was read before and means the same still."""
        return self._known.get(text)

    def fields(self, text: bytes) -> list[tuple[bytes, bytes]]:
        """The fields of a block. Every block has to be read, whatever becomes of it. Raises ``Fault``."""
        if not frames.leaves_tables(text):
            self._known.clear()  # reading it may change what numbers mean
        try:
            return [(bytes(name), bytes(value)) for name, value in self._decoder.decode(text, raw=True)]
        except hpack.OversizedHeaderListError:
            raise Http2Error(ErrorCode.ENHANCE_YOUR_CALM, "too many header fields") from None
        except (hpack.HPACKError, UnicodeDecodeError, IndexError):
            raise Http2Error(ErrorCode.COMPRESSION_ERROR, "no header fields") from None

    def request(self, block: HeaderBlock, fields: list[tuple[bytes, bytes]]) -> Headers:
        """The head of a request, remembered if it can be. Raises ``Fault`` for one that is malformed."""
        if len(fields) > self._max_headers:
            raise Http2Error(ErrorCode.ENHANCE_YOUR_CALM, "too many header fields", block.stream)
        try:
            head = frames.request_head(fields)
        except Http2Error as fault:
            fault.stream = block.stream
            raise
        if len(block.text) <= _MAX_KNOWN_BYTES and frames.leaves_tables(block.text):
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            self._known[block.text] = head
        return head
