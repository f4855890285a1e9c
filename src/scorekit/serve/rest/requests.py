"""Requests as the service takes them, decoded only as far as the component needs it; and where REST finds them."""

import urllib.parse
from dataclasses import dataclass
from typing import Any

from ...codec import json, large, multipart, proto
from ...errors import BadRequest, UnsupportedEncoding
from ...message import Feedback, Form, Message, Verb
from ..http1.exchange import Exchange
from ..observe.references import printable


@dataclass(slots=True)
class JsonRequest:
    """A parsed JSON value as the service takes it."""

    raw: Any
    document_bytes: int

    form = Form.JSON
    take_metrics = staticmethod(json.take_metrics)

    def message(self) -> Message:
        return json.from_value(self.raw, self.document_bytes)

    def messages(self) -> list[Message]:
        return json.messages_from_value(self.raw)


class LargeRequest:
    """A long JSON text, read without a Python object for each number if it is a table of numbers."""

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
    """A JSON text, read only if the component does not want it as it is."""

    form = Form.JSON
    take_metrics = staticmethod(json.take_metrics)

    def __init__(self, text: bytes | str) -> None:
        self.raw = text

    def message(self) -> Message:
        return json.decode(self.raw)

    def messages(self) -> list[Message]:
        return json.messages_from_value(json.parse(self.raw))


class ProtoRequest:
    """A serialized message as the service takes it."""

    __slots__ = ("_body", "_verb")

    form = Form.PROTO
    take_metrics = staticmethod(proto.take_metrics)

    def __init__(self, verb: Verb, body: bytes) -> None:
        self._verb = verb
        self._body = body

    @property
    def raw(self) -> Any:
        """The message as protobuf's own object: what a raw method is given."""
        name = "SeldonMessageList" if self._verb is Verb.AGGREGATE else "SeldonMessage"
        return proto.read(name, self._body)

    def message(self) -> Message:
        return proto.decode(self._body)

    def messages(self) -> list[Message]:
        return proto.decode_list(self._body)


class ProtoFeedback:
    """A serialized Feedback as the service takes it, over REST too, where it has come as JSON."""

    __slots__ = ("_body",)

    take_metrics = staticmethod(proto.take_metrics)

    def __init__(self, body: bytes) -> None:
        self._body = body

    @property
    def raw(self) -> Any:
        return proto.read("Feedback", self._body)

    @property
    def text(self) -> str:
        return proto.feedback_text(self._body)

    def feedback(self) -> Feedback:
        return proto.decode_feedback(self._body)


def read(exchange: Exchange, bare_nan: bool = False) -> JsonRequest | LargeRequest:
    """The JSON of a request, wherever it stands. Raises ``BadRequest``."""
    found = find(exchange)
    if type(found) is dict:
        return JsonRequest(found, len(exchange.body))
    if type(found) is bytes and len(found) >= large.MIN_BYTES and large.available() and not bare_nan:
        return LargeRequest(found)
    return JsonRequest(_value(found, bare_nan), len(found))  # type: ignore[arg-type]  # else it is a text


def _value(text: bytes | str, bare_nan: bool = False) -> Any:
    value = json.parse(text, bare_nan=bare_nan)
    if value is None and type(text) is bytes:
        raise BadRequest("Can't find JSON in data: it is null")
    return value


def find(exchange: Exchange) -> bytes | str | dict[str, Any]:
    """The JSON text of a request: form field ``json``, query ``?json=``, or a JSON body. That is the stock order.

    Of a multipart form, which comes before them, the value. Raises ``BadRequest``.
    """
    if exchange.head.is_json:
        return exchange.body
    coding = exchange.head.headers.get(b"content-encoding", b"identity")
    if coding.lower() != b"identity":
        raise UnsupportedEncoding(
            f"this server takes bodies as they are, without Content-Encoding; this one has {printable(coding)}"
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
    """The field ``json`` of a urlencoded form or query, or ``""``."""
    try:
        fields = urllib.parse.parse_qs(encoded.decode(), errors="strict", max_num_fields=1000)
    except ValueError as error:
        raise BadRequest(
            "the form or query is not UTF-8 text in percent-encoding, or has more than 1000 fields"
        ) from error
    return fields.get("json", [""])[0]
