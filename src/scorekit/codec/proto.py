"""SeldonMessage as a protocol buffer.

Messages on the way of a request are read and written by hand with :mod:`~scorekit.codec.wire`; the protobuf library is
used for what is rare or small: ``meta``, metrics, feedback, metadata, and the messages that raw methods are given.
Numbers are float64 throughout, as this encoding has no other. What the protobuf library guarantees holds here too: of
the fields of a ``oneof`` the last counts, except that a message that occurs twice in a row is merged with itself.
"""

from typing import Any

import numpy as np
from google.protobuf import any_pb2, json_format
from google.protobuf.internal import api_implementation

from ..errors import BadRequest, UnwritableAnswer
from ..message import Feedback, Message, Meta, PayloadKind, Verb
from ..proto import DecodeError, EncodeError, message_class, user_class
from ..settings.limits import MAX_PROTO_FIELDS
from .strictness import refuse_deep
from .tensor import MAX_DIMENSIONS, Array, check_shape, from_ndarray, shaped
from .values import from_list, from_value, list_value, value
from .wire import BYTES, VARINT, MalformedProto, delimited, fields, int32, varint, write_varint

_Feedback = message_class("seldon.protos.Feedback")
_Message = message_class("seldon.protos.SeldonMessage")
_Metadata = message_class("seldon.protos.SeldonModelMetadata")
_Meta = message_class("seldon.protos.Meta")
_Metric = message_class("seldon.protos.Metric")
_EMPTY = np.empty(0)
_TYPES = {0: "COUNTER", 1: "GAUGE", 2: "TIMER"}
_MAX_META = 10_000
_HARMLESS_BYTES = 20_000

# The library's pure-Python version, which only seldon-core's pins bring, takes twelve microseconds for each element of
# a list. With the compiled one there is no need for a limit.
_MAX_ELEMENTS = 250_000 if api_implementation.Type() == "python" else 2**62
_CONTAINER_ELEMENTS = 5
_MERGED = (3, 6, 7)  # the fields that are messages: their bytes are concatenated if they occur again


def decode(body: bytes) -> Message:
    """Return the message of a serialized SeldonMessage; ``meta`` is ``{}`` if the request has none.

    Raises ``BadRequest`` that says where and what was expected.
    """
    meta = payload = b""
    metas: list[Any] = []
    parts: list[Any] = []  # the contents of a message field that occurs more than once
    form = 0
    try:
        for number, kind, content in fields(body):
            if kind != BYTES or number > 7:
                continue
            if number == 2:
                if meta:
                    metas.append(content)
                else:
                    meta = content  # type: ignore[assignment]  # bytes, by its kind
            elif number > 2:
                if number == form and number in _MERGED:
                    parts.append(content)
                else:
                    payload, form = content, number  # type: ignore[assignment]
                    if parts:
                        parts = []
        if metas:
            meta = b"".join([meta, *metas])
        if parts:
            payload = b"".join([payload, *parts])
        if form == 3:
            return _array(payload, _read_meta(meta))
        return _other(form, payload, _read_meta(meta))
    except (MalformedProto, DecodeError, RecursionError) as error:
        raise BadRequest(f"not a SeldonMessage: {error}") from None


def decode_list(body: bytes) -> list[Message]:
    """Return the messages of a serialized SeldonMessageList. Raises ``BadRequest`` as :func:`decode` does."""
    messages: list[Message] = []
    try:
        for number, kind, content in fields(body):
            if number == 1 and kind == BYTES:
                messages.append(decode(content))  # type: ignore[arg-type]  # bytes, by its kind
    except BadRequest as error:
        raise BadRequest(error.sentence, f"$.seldonMessages[{len(messages)}]{error.path.removeprefix('$')}") from None
    except MalformedProto as error:
        raise BadRequest(f"not a SeldonMessageList: {error}") from None
    return messages


def encode(message: Message) -> bytes:
    """Return the serialized SeldonMessage of an answer. Raises ``UnwritableAnswer`` for a value it cannot hold."""
    kind, payload = message.kind, message.payload
    try:
        meta = delimited(b"\x12", _write_meta(message.meta)) if message.meta else b"\x12\x00"
        if kind is PayloadKind.TENSOR:
            return meta + delimited(b"\x1a", _names(message) + delimited(b"\x12", _tensor(payload)))
        if kind is PayloadKind.NDARRAY:
            return meta + delimited(b"\x1a", _names(message) + delimited(b"\x1a", list_value(payload)))
        if kind is PayloadKind.BIN:
            return meta + delimited(b"\x22", payload)
        if kind is PayloadKind.STR:
            return meta + delimited(b"\x2a", payload.encode())
        if kind is PayloadKind.JSON:
            return meta + delimited(b"\x32", value(payload))
        return meta + delimited(b"\x3a", payload.SerializeToString())
    except (TypeError, ValueError, AttributeError, OverflowError, RecursionError, json_format.ParseError) as error:
        raise UnwritableAnswer(f"The answer cannot be written as a protocol buffer: {error}") from error


def _other(form: int, payload: bytes, meta: Meta) -> Message:
    if form == 4:
        return Message(PayloadKind.BIN, payload, [], meta)
    if form == 5:
        return Message(PayloadKind.STR, _text(payload, "$.strData"), [], meta)
    if form == 6:
        return Message(PayloadKind.JSON, from_value(payload), [], meta)
    if form == 7:
        return Message(PayloadKind.CUSTOM, any_pb2.Any.FromString(payload), [], meta)
    raise BadRequest("Unknown data in SeldonMessage: expected one of data, jsonData, strData, binData, customData", "$")


def _array(data: bytes, meta: Meta) -> Message:
    names: list[str] = []
    payload = b""
    parts: list[Any] = []
    form = 0
    for number, kind, content in fields(data):
        if kind != BYTES or number > 4:
            continue
        if number == 1:
            names.append(_text(content, "$.data.names"))  # type: ignore[arg-type]
        else:
            if number == form:
                parts.append(content)
            else:
                payload, form = content, number  # type: ignore[assignment]
                if parts:
                    parts = []
    if parts:
        payload = b"".join([payload, *parts])
    if form == 2:
        return Message(PayloadKind.TENSOR, _from_tensor(payload), names, meta)
    if form == 3:
        rows = from_list(payload)
        array = rows if isinstance(rows, np.ndarray) else from_ndarray(rows, "$.data.ndarray", len(payload))
        return Message(PayloadKind.NDARRAY, array, names, meta)
    if form == 4:
        raise BadRequest("TensorFlow tensors are not supported: send tensor or ndarray", "$.data.tftensor")
    return Message(PayloadKind.NDARRAY, _EMPTY, names, meta)


def _from_tensor(data: bytes) -> Array:
    shape: list[int] = []
    values: list[bytes] = []
    for number, kind, content in fields(data, MAX_PROTO_FIELDS + len(data) // 9):
        if len(shape) > MAX_DIMENSIONS:
            break
        if number == 1 and kind == VARINT:
            shape.append(int32(content))  # type: ignore[arg-type]
        elif number == 1 and kind == BYTES:
            position = 0
            while position < len(content) and len(shape) <= MAX_DIMENSIONS:  # type: ignore[arg-type]
                dimension, position = varint(content, position)  # type: ignore[arg-type]
                shape.append(int32(dimension))
        elif number == 2 and kind in (BYTES, 1):
            values.append(content)  # type: ignore[arg-type]
            if len(values[-1]) % 8:
                raise MalformedProto("the values of a tensor are cut off")
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
    if len(data) > _HARMLESS_BYTES and sum(1 for _ in fields(data)) > _MAX_META:
        raise BadRequest(f"expected at most {_MAX_META} entries", "$.meta")
    try:
        meta: Meta = json_format.MessageToDict(_Meta.FromString(data))
    except (ValueError, json_format.Error) as error:  # such as NaN in a tag, which JSON does not have
        raise BadRequest(f"expected values that JSON can hold: {error}", "$.meta") from None
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
    """Return field 1 of a message with one text, such as the service of a health check. Raises ``BadRequest``."""
    text = b""
    try:
        for number, kind, content in fields(data):
            if number == 1 and kind == BYTES:
                text = content  # type: ignore[assignment]
    except MalformedProto as error:
        raise BadRequest(f"not a protocol buffer: {error}") from None
    return _text(text, "$.service")


def decode_feedback(body: bytes) -> Feedback:
    """Return the feedback of a serialized Feedback. Raises ``BadRequest``."""
    feedback = parsed("Feedback", body, _Feedback)
    routing = dict(feedback.response.meta.routing)
    return Feedback(_feedback_part(feedback.request), _feedback_part(feedback.truth), feedback.reward, routing)


def _feedback_part(message: Any) -> Message:
    """The request or the truth of a Feedback, of which only ``data`` counts."""
    kinds = {
        "data": PayloadKind.NDARRAY,
        "strData": PayloadKind.STR,
        "binData": PayloadKind.BIN,
        "jsonData": PayloadKind.JSON,
    }
    kind = kinds.get(message.WhichOneof("data_oneof"), PayloadKind.CUSTOM)
    meta = {"puid": message.meta.puid} if message.meta.puid else {}
    if kind is not PayloadKind.NDARRAY:
        return Message(kind, _EMPTY, [], meta)
    return _array(message.data.SerializeToString(), meta)


def feedback_from_json(value: Any) -> bytes:
    """Return the serialized Feedback of a JSON value, with all its keys and types checked. Raises ``BadRequest``."""
    if not isinstance(value, dict):
        raise BadRequest("Invalid JSON: expected an object with request, response, reward and truth", "$")
    refuse_deep(value, "$")
    if _elements(value) > _MAX_ELEMENTS:  # before the library makes objects of them
        raise BadRequest(f"a Feedback may have at most {_MAX_ELEMENTS} elements")
    try:
        return bytes(json_format.ParseDict(value, _Feedback()).SerializeToString())
    except (json_format.ParseError, TypeError, ValueError, RecursionError) as error:
        raise BadRequest(f"Invalid JSON: {error}") from None


def _elements(value: Any) -> int:
    """Return the number of values in a JSON value; a list or an object counts five times, as it costs the library."""
    count, level = 0, [value]
    while level:
        count += len(level)
        containers = [each for each in level if isinstance(each, list | dict)]
        count += (_CONTAINER_ELEMENTS - 1) * len(containers)
        level = [each for of in containers for each in (of.values() if isinstance(of, dict) else of)]
    return count


def feedback_text(body: bytes) -> str:
    """Return a serialized Feedback as JSON text. Raises ``BadRequest``."""
    return json_format.MessageToJson(parsed("Feedback", body, _Feedback))


def to_json(body: bytes) -> Any:
    """Return a serialized SeldonMessage as a JSON value: every number is a float, and empty fields are left out.

    Raises ``UnwritableAnswer`` for a value that JSON cannot hold.
    """
    try:
        return json_format.MessageToDict(_Message.FromString(body))
    except (json_format.SerializeToJsonError, ValueError) as error:
        raise UnwritableAnswer(f"The answer cannot be written as JSON: {error}") from error


def encode_metadata(metadata: dict[str, Any] | None) -> bytes:
    """Return the serialized SeldonModelMetadata, an empty one if there is none."""
    return bytes(json_format.ParseDict(metadata or {}, _Metadata()).SerializeToString())


def parsed(name: str, body: bytes, of: Any) -> Any:
    """Return the message ``body`` as an object of the class ``of``. Raises ``BadRequest``."""
    if len(body) > _MAX_ELEMENTS and body.count(b"\x0a") + body.count(b"\x8a") > _MAX_ELEMENTS:
        raise BadRequest(f"a {name} may have at most {_MAX_ELEMENTS} elements")
    try:
        return of.FromString(body)
    except (DecodeError, ValueError, RecursionError) as error:
        raise BadRequest(f"not a {name}: {error}") from None


def read(name: str, body: bytes) -> Any:
    """Return the message ``seldon.protos.<name>`` as an object of user code's class. Raises ``BadRequest``."""
    return parsed(name, body, user_class(name))


def write(answer: Any) -> bytes:
    """Return what a raw method returned as a serialized SeldonMessage; ``None`` stands for an empty one.

    Raises ``UnwritableAnswer`` if it is neither a SeldonMessage nor its JSON value.
    """
    try:
        if answer is None or isinstance(answer, dict):
            answer = json_format.ParseDict(answer or {}, _Message())
        return bytes(answer.SerializeToString())
    except (AttributeError, TypeError, ValueError, EncodeError, json_format.ParseError, RecursionError) as error:
        raise UnwritableAnswer(f"The raw method returned {type(answer).__name__}, not a SeldonMessage") from error


def take_metrics(answer: Any, verb: Verb, include: bool) -> list[Any]:
    """Return the metrics in a raw method's answer, labelled; without ``include`` they are removed from the answer."""
    try:
        metrics = answer.meta.metrics
    except AttributeError:
        return []
    for each in metrics:
        if each.tags:
            each.tags["method"] = verb.label
    taken = [
        {"key": each.key, "type": _TYPES.get(each.type, ""), "value": each.value, "tags": dict(each.tags)}
        for each in metrics
    ]
    if not include:
        del metrics[:]
    return taken
