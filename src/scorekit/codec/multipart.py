"""Reads ``multipart/form-data`` as the JSON value of a SeldonMessage (seldon-core 1.17.1).

A part without a file name is JSON, except ``strData``, which is plain text. A part with one is a file: ``binData`` is
bytes, any other text. Of several parts with one name the first counts, and a file before a text.
"""

import base64
import logging
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from ..errors import BadRequest
from ..settings.limits import MAX_PARTS
from .json import parse

# The parser logs every byte that it did not expect, so a client could fill the log.
logging.getLogger("python_multipart").setLevel(logging.CRITICAL)


def decode(body: bytes, content_type: str) -> dict[str, Any]:
    """Return the value of a multipart body; ``{}`` for a malformed one, as the stock wrapper.

    Raises ``BadRequest`` for a part that is not what its name says, and for more than ``MAX_PARTS`` parts.
    """
    _, options = parse_options_header(content_type.encode("latin-1"))
    boundary = options.get(b"boundary")
    parts = _Parts()
    if boundary:
        try:
            parser = MultipartParser(boundary, parts.callbacks())  # type: ignore[arg-type]  # a dict of callables
            parser.write(body)
            parser.finalize()
        except FormParserError:
            return {}
    value = {name: _text(name, content) for name, content in parts.texts.items() if name not in parts.files}
    return value | {name: _file(name, content) for name, content in parts.files.items()}


class _Parts:
    """The parts of a body, as the parser reports them: contents by name, of texts and of files."""

    def __init__(self) -> None:
        self.texts: dict[str, bytes] = {}
        self.files: dict[str, bytes] = {}
        self._begun = 0
        self._begin()

    def callbacks(self) -> dict[str, Any]:
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._field.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._header,
            "on_part_data": lambda data, start, end: self._content.extend(data[start:end]),
            "on_part_end": self._end,
        }

    def _begin(self) -> None:
        self._begun += 1
        if self._begun > MAX_PARTS + 1:
            raise BadRequest(f"a request has at most {MAX_PARTS} parts")
        self._field, self._value, self._content = bytearray(), bytearray(), bytearray()
        self._disposition: dict[bytes, bytes] = {}

    def _header(self) -> None:
        if self._field.lower() == b"content-disposition":
            _, self._disposition = parse_options_header(bytes(self._value))
        self._field, self._value = bytearray(), bytearray()

    def _end(self) -> None:
        name = self._disposition.get(b"name")
        if name is None:
            return
        into = self.files if b"filename" in self._disposition else self.texts
        into.setdefault(name.decode(errors="replace"), bytes(self._content))


def _text(name: str, content: bytes) -> Any:
    return _utf8(name, content) if name == "strData" else parse(content, f"$.{name}")


def _file(name: str, content: bytes) -> Any:
    return base64.b64encode(content).decode() if name == "binData" else _utf8(name, content)


def _utf8(name: str, content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise BadRequest("expected UTF-8 text", f"$.{name}") from None
