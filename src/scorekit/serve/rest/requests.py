"""Requests of REST as the service takes them, and where in an HTTP request they are found.

A request is decoded only as far as the component needs it: a raw method is given the parsed JSON, or the text itself.
"""

import urllib.parse
from dataclasses import dataclass
from typing import Any

from ...codec import json, large, multipart
from ...errors import BadRequest, UnsupportedEncoding
from ...message import Form, Message
from ...settings.limits import MAX_PARTS
from ..http1.exchange import Exchange
from ..observe.references import printable

_PIECE_BYTES = 1 << 16


@dataclass(slots=True)
class JsonRequest:
    """A parsed JSON value."""

    raw: Any
    document_bytes: int
    """The length of the text that it was parsed from."""

    form = Form.JSON
    take_metrics = staticmethod(json.take_metrics)

    def message(self) -> Message:
        return json.from_value(self.raw, self.document_bytes)

    def messages(self) -> list[Message]:
        return json.messages_from_value(self.raw)


class LargeRequest:
    """A long JSON text. A table of numbers in it is decoded without a Python object for each number."""

    __slots__ = ("_body",)

    form = Form.JSON
    take_metrics = staticmethod(json.take_metrics)

    def __init__(self, body: bytes) -> None:
        self._body = body

    @property
    def raw(self) -> Any:
        return _value(self._body)

    def message(self) -> Message:
        return large.decode(self._body) or json.from_value(_value(self._body), len(self._body))

    def messages(self) -> list[Message]:
        return json.messages_from_value(_value(self._body))


class UnreadRequest:
    """A JSON text that is parsed only if the component does not take the text itself."""

    form = Form.JSON
    take_metrics = staticmethod(json.take_metrics)

    def __init__(self, text: bytes | str) -> None:
        self.raw = text

    def message(self) -> Message:
        return json.decode(self.raw)

    def messages(self) -> list[Message]:
        return json.messages_from_value(json.parse(self.raw))


def read(exchange: Exchange, bare_nan: bool = False) -> JsonRequest | LargeRequest:
    """Return the request in an exchange. Raises ``BadRequest``, and ``UnsupportedEncoding`` for a compressed body.

    With ``bare_nan`` NaN and Infinity are numbers, as in the stock wrapper.
    """
    source = find(exchange)
    if type(source) is dict:
        return JsonRequest(source, len(exchange.body))
    if type(source) is bytes and len(source) >= large.MIN_BYTES and large.available() and not bare_nan:
        return LargeRequest(source)
    return JsonRequest(_value(source, bare_nan), len(source))  # type: ignore[arg-type]  # it is bytes or str here


def _value(text: bytes | str, bare_nan: bool = False) -> Any:
    value = json.parse(text, bare_nan=bare_nan)
    if value is None and type(text) is bytes:
        raise BadRequest("Can't find JSON in data: it is null")
    return value


def find(exchange: Exchange) -> bytes | str | dict[str, Any]:
    """Return the JSON text of a request, or the value of a multipart form.

    The places are tried in the order of the stock wrapper (seldon-core 1.17.1): a multipart form, the field ``json`` of
    a urlencoded form, ``?json=`` in the query, a JSON body. Raises ``BadRequest`` if there is nothing in any of them,
    and ``UnsupportedEncoding`` for a compressed body.
    """
    if exchange.head.is_json:
        return exchange.body
    coding = exchange.head.headers.get(b"content-encoding", b"identity")
    if coding.lower() != b"identity":
        raise UnsupportedEncoding(
            f"this server does not read Content-Encoding {printable(coding)}; send the body uncompressed"
        )
    mimetype = exchange.head.content_type.partition(";")[0].strip().lower()
    if mimetype == "multipart/form-data":
        return multipart.decode(exchange.body, exchange.head.content_type)
    if mimetype == "application/x-www-form-urlencoded":
        text = _field(exchange.body)
        if text:
            return text
    if exchange.head.query:
        text = _field(exchange.head.query)
        if text:
            return text
    if mimetype == "application/json" or (mimetype.startswith("application/") and mimetype.endswith("+json")):
        return exchange.body
    sent = repr(mimetype) if mimetype else "no content type"
    raise BadRequest(f"Can't find JSON in data: send Content-Type: application/json; this request has {sent}")


def _field(encoded: bytes) -> str:
    """Return the field ``json`` of a urlencoded form or query, ``""`` if there is none. Raises ``BadRequest``."""
    found = ""
    try:
        if encoded.count(b"&") >= MAX_PARTS:
            raise ValueError
        encoded.decode()
        for field in encoded.split(b"&"):
            name, _, value = field.partition(b"=")
            if value:
                text = _unquoted(value)
                if _unquoted(name) == "json":
                    found = found or text
    except ValueError as error:
        raise BadRequest(
            "the form or query is not UTF-8 text in percent-encoding, or has more than 1000 fields"
        ) from error
    return found


def _unquoted(quoted: bytes) -> str:
    """Return text in percent-encoding as it was before, like ``urllib.parse.unquote_plus``. Raises ``ValueError``.

    The standard library makes an object of each escape: ten megabytes of them took nearly a gigabyte. So it is given
    one piece at a time.
    """
    if b"%" not in quoted:
        return quoted.replace(b"+", b" ").decode()
    plain, at = bytearray(), 0
    while at < len(quoted):
        end = at + _PIECE_BYTES
        if (escape := quoted.rfind(b"%", end - 2, end)) >= 0:
            end = escape  # the piece would end within an escape
        plain += urllib.parse.unquote_to_bytes(quoted[at:end].replace(b"+", b" "))
        at = end
    return plain.decode()
