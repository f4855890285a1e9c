"""SeldonMessage as a protocol buffer."""

from typing import Any

import numpy as np
from google.protobuf import any_pb2, json_format

from ..errors import BadAnswer, BadRequest
from ..message import Kind, Message, Meta
from ..proto import DecodeError, EncodeError, message_class
from .tensor import Array, check_shape, from_ndarray, shaped
from .values import from_list, from_value, list_value, value
from .wire import BYTES, VARINT, Malformed, delimited, fields, int32, varint, write_varint

_Meta = message_class("seldon.protos.Meta")
_Metric = message_class("seldon.protos.Metric")
_EMPTY = np.empty(0)
_FORMS = {3: Kind.NDARRAY, 4: Kind.BIN, 5: Kind.STR, 6: Kind.JSON, 7: Kind.CUSTOM}
_MERGED = (3, 6, 7)  # messages: a field that comes again is merged into what was there, which is as if both were one


def decode(body: bytes) -> Message:
    """The message of a serialized SeldonMessage. Raises ``BadRequest`` that says where and what was expected.

    Numbers are float64, as everywhere in this encoding; ``meta`` is ``{}`` where the request has none.
    """
    meta = payload = b""
    form = 0
    try:
        for number, kind, content in fields(body):
            if kind != BYTES or number > 7:
                continue
            if number == 2:
                meta += content  # type: ignore[operator]  # bytes, by its kind
            elif number > 2:
                payload = payload + content if number == form and number in _MERGED else content  # type: ignore[operator,assignment]
                form = number
        if form == 3:
            return _array(payload, _read_meta(meta))
        return _other(form, payload, _read_meta(meta))
    except (Malformed, DecodeError, RecursionError) as error:
        raise BadRequest(f"not a SeldonMessage: {error}") from None


def decode_list(body: bytes) -> list[Message]:
    """The messages of a serialized SeldonMessageList. Raises ``BadRequest`` as :func:`decode` does."""
    found: list[Message] = []
    try:
        for number, kind, content in fields(body):
            if number == 1 and kind == BYTES:
                found.append(decode(content))  # type: ignore[arg-type]  # bytes, by its kind
    except BadRequest as error:
        raise BadRequest(error.sentence, f"$.seldonMessages[{len(found)}]{error.path.removeprefix('$')}") from None
    except Malformed as error:
        raise BadRequest(f"not a SeldonMessageList: {error}") from None
    return found


def encode(message: Message) -> bytes:
    """The serialized SeldonMessage of an answer. Raises ``BadAnswer`` for a value it cannot hold."""
    kind, payload = message.kind, message.payload
    try:
        meta = delimited(b"\x12", _write_meta(message.meta)) if message.meta else b"\x12\x00"
        if kind is Kind.TENSOR:
            return meta + delimited(b"\x1a", _names(message) + delimited(b"\x12", _tensor(payload)))
        if kind is Kind.NDARRAY:
            return meta + delimited(b"\x1a", _names(message) + delimited(b"\x1a", list_value(payload)))
        if kind is Kind.BIN:
            return meta + delimited(b"\x22", payload)
        if kind is Kind.STR:
            return meta + delimited(b"\x2a", payload.encode())
        if kind is Kind.JSON:
            return meta + delimited(b"\x32", value(payload))
        return meta + delimited(b"\x3a", payload.SerializeToString())
    except (TypeError, ValueError, AttributeError, OverflowError, RecursionError, json_format.ParseError) as error:
        raise BadAnswer(f"The answer cannot be written as a protocol buffer: {error}") from error


def _other(form: int, payload: bytes, meta: Meta) -> Message:
    if form == 4:
        return Message(Kind.BIN, payload, [], meta)
    if form == 5:
        return Message(Kind.STR, _text(payload, "$.strData"), [], meta)
    if form == 6:
        return Message(Kind.JSON, from_value(payload), [], meta)
    if form == 7:
        return Message(Kind.CUSTOM, any_pb2.Any.FromString(payload), [], meta)
    raise BadRequest("Unknown data in SeldonMessage: expected one of data, jsonData, strData, binData, customData", "$")


def _array(data: bytes, meta: Meta) -> Message:
    names: list[str] = []
    payload = b""
    form = 0
    for number, kind, content in fields(data):
        if kind != BYTES or number > 4:
            continue
        if number == 1:
            names.append(_text(content, "$.data.names"))  # type: ignore[arg-type]
        else:
            payload = payload + content if number == form else content  # type: ignore[operator,assignment]
            form = number
    if form == 2:
        return Message(Kind.TENSOR, _from_tensor(payload), names, meta)
    if form == 3:
        rows = from_list(payload)
        array = rows if isinstance(rows, np.ndarray) else from_ndarray(rows, "$.data.ndarray", len(payload))
        return Message(Kind.NDARRAY, array, names, meta)
    if form == 4:
        raise BadRequest("TensorFlow's tensors are not read: send tensor or ndarray", "$.data.tftensor")
    return Message(Kind.NDARRAY, _EMPTY, names, meta)


def _from_tensor(data: bytes) -> Array:
    shape: list[int] = []
    values: list[bytes] = []
    for number, kind, content in fields(data):
        if number == 1 and kind == VARINT:
            shape.append(int32(content))  # type: ignore[arg-type]
        elif number == 1 and kind == BYTES:
            position = 0
            while position < len(content):  # type: ignore[arg-type]
                dimension, position = varint(content, position)  # type: ignore[arg-type]
                shape.append(int32(dimension))
        elif number == 2 and kind in (BYTES, 1):
            values.append(content)  # type: ignore[arg-type]
            if len(values[-1]) % 8:
                raise Malformed("the values of a tensor are cut off")
    if not shape:
        raise BadRequest("expected at least one whole number", "$.data.tensor.shape")
    check_shape(shape, "$.data.tensor.shape")
    # Copied, so that a model may write into its rows as it may into those of JSON.
    array = np.frombuffer(b"".join(values), "<f8").astype(np.float64)
    return shaped(array, shape, "$.data.tensor.shape")


def _tensor(array: Array) -> bytes:
    shape = b"".join(map(write_varint, array.shape))
    packed = np.asarray(array).astype("<f8").tobytes()
    return (delimited(b"\x0a", shape) if shape else b"") + (delimited(b"\x12", packed) if packed else b"")


def _names(message: Message) -> bytes:
    return b"".join(delimited(b"\x0a", name.encode()) for name in message.names or ())


def _text(content: bytes, path: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise BadRequest("expected UTF-8 text", path) from None


def _read_meta(data: bytes) -> Meta:
    if not data:
        return {}
    try:
        meta: Meta = json_format.MessageToDict(_Meta.FromString(data))
    except (ValueError, json_format.Error) as error:  # NaN in a tag: a number, but none of JSON's
        raise BadRequest(f"expected what JSON can hold: {error}", "$.meta") from None
    return meta


def _write_meta(meta: Meta) -> bytes:
    parts = []
    if puid := meta.get("puid"):
        parts.append(delimited(b"\x0a", puid.encode()))
    for key, tag in meta.get("tags", {}).items():
        parts.append(delimited(b"\x12", delimited(b"\x0a", key.encode()) + delimited(b"\x12", value(tag))))
    for key, image in meta.get("requestPath", {}).items():
        parts.append(delimited(b"\x22", delimited(b"\x0a", key.encode()) + delimited(b"\x12", image.encode())))
    metrics = (json_format.ParseDict(metric, _Metric()) for metric in meta.get("metrics", ()))
    parts.extend(delimited(b"\x2a", metric.SerializeToString()) for metric in metrics)
    return b"".join(parts)


def read_text(data: bytes) -> str:
    """Field 1 of a message that has one text, such as a health check's service. Raises ``BadRequest``."""
    text = b""
    try:
        for number, kind, content in fields(data):
            if number == 1 and kind == BYTES:
                text = content  # type: ignore[assignment]
    except Malformed as error:
        raise BadRequest(f"not a protocol buffer: {error}") from None
    return _text(text, "$.service")


def read(name: str, body: bytes) -> Any:
    """The message ``seldon.protos.<name>`` as an object of protobuf's own. Raises ``BadRequest``."""
    try:
        return message_class(f"seldon.protos.{name}").FromString(body)
    except DecodeError as error:
        raise BadRequest(f"not a {name}: {error}") from None


def write(message: Any) -> bytes:
    """The serialized form of a protobuf object: what a raw method returned. Raises ``BadAnswer``."""
    try:
        return bytes(message.SerializeToString())
    except (AttributeError, TypeError, ValueError, EncodeError) as error:
        raise BadAnswer(f"The raw method returned {type(message).__name__}, not a SeldonMessage") from error
