"""SeldonMessage out of JSON, strictly, with errors that say where in the document the fault is.

orjson parses documents and is strict by itself: no trailing text, no ``NaN``, no half of a surrogate pair. Four things
are handled around it:

* a document over 4 MB is scanned for brackets first, because each empty list in it would become a Python object
  (``_refuse_many``);
* an object with the same key twice is refused (:func:`~scorekit.codec.strictness.refuse_doubled`);
* a document that begins with a byte order mark is decoded by what the mark says;
* ``NaN`` and ``Infinity`` are read, by Python's own parser, if the caller asks for the stock wrapper's ways.
"""

import base64
import binascii
import codecs
import json
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson

from ...errors import BadRequest, PayloadTooLarge
from ...message import Message, Meta, PayloadKind, Verb, labelled
from ...settings.limits import MAX_JSON_CONTAINERS
from ..strictness import refuse_deep, refuse_doubled
from ..tensor import from_ndarray, from_tensor

_EMPTY = np.empty(0)
_FEW_BYTES = 4_000_000
_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_META_TYPES = {"tags": dict, "requestPath": dict, "routing": dict, "metrics": list, "puid": str}


def decode(body: bytes | str) -> Message:
    """Return the message of a JSON document. Raises ``BadRequest`` that says where and what was expected."""
    return from_value(parse(body), len(body))


def parse(body: bytes | str, path: str = "", bare_nan: bool = False) -> Any:
    """Return the value of a JSON document. With ``bare_nan`` it may have ``NaN`` and ``Infinity`` as numbers.

    Raises ``BadRequest``, in the stock wrapper's first words, for a document that is not JSON or has a key twice, and
    ``PayloadTooLarge`` for one with too many lists and objects. ``path`` is the place of the document in the request.
    """
    if len(body) > _FEW_BYTES:
        _refuse_many(body, path)
    try:
        value = orjson.loads(body)
        if type(value) is dict and not bare_nan:
            refuse_doubled(value, body, path)
        return value
    except orjson.JSONDecodeError as error:
        if bare_nan and (b"N" in body if isinstance(body, bytes) else "N" in body):
            return _parse_python(body, path)
        if isinstance(body, bytes) and body.startswith(_MARKS):
            return parse(_unmarked(body), path)
        raise BadRequest(f"Can't find JSON in data: {error}", path) from None


def from_value(value: Any, document_bytes: int = sys.maxsize) -> Message:
    """Return the message of a parsed JSON value; ``document_bytes`` is the size of its document, if known.

    Keys are tried in the stock wrapper's order (data, jsonData, strData, binData; in data: tensor, ndarray), and
    unknown keys are ignored. As there, ``data`` without a known form is an empty array. Raises ``BadRequest`` that says
    where and what was expected.
    """
    if type(value) is not dict:
        raise BadRequest(f"Invalid request data type: expected a JSON object, got {_name(value)}", "$")
    meta = None
    if "meta" in value:
        meta = value["meta"]
        _check_meta(meta)
        if meta:
            refuse_deep(meta, "$.meta")
    if "data" in value:
        return _array(value["data"], meta, document_bytes)
    if "jsonData" in value:
        refuse_deep(value["jsonData"], "$.jsonData")
        return Message(PayloadKind.JSON, value["jsonData"], [], meta)
    if "strData" in value:
        text = value["strData"]
        if type(text) is not str:
            raise BadRequest(f"expected a string, got {_name(text)}", "$.strData")
        return Message(PayloadKind.STR, text, [], meta)
    if "binData" in value:
        return Message(PayloadKind.BIN, _bytes(value["binData"]), [], meta)
    raise BadRequest("Invalid request data type: expected one of data, jsonData, strData, binData", "$")


def messages_from_value(value: Any) -> list[Message]:
    """Return the messages of an aggregate: of ``{"seldonMessages": […]}``, or of the bare list Seldon's executor sends.

    Raises ``BadRequest`` as :func:`from_value` does, with the place of the message before that of the fault in it.
    """
    listed, path = value, "$"
    if type(value) is dict:
        listed, path = value.get("seldonMessages"), "$.seldonMessages"
    if type(listed) is not list:
        raise BadRequest(f"Invalid request data type: expected a list of messages, got {_name(listed)}", path)
    messages = []
    for at, each in enumerate(listed):
        try:
            messages.append(from_value(each))
        except BadRequest as error:
            raise BadRequest(error.sentence, f"{path}[{at}]{error.path.removeprefix('$')}") from None
    return messages


def take_metrics(answer: Any, verb: Verb, include: bool) -> list[Any]:
    """Return the metrics in a raw method's answer, labelled; without ``include`` they are removed from the answer."""
    meta = answer.get("meta") if isinstance(answer, dict) else None
    metrics = meta.get("metrics") if isinstance(meta, dict) else None
    if not isinstance(metrics, list) or not isinstance(meta, dict):
        return []
    meta["metrics"] = metrics = labelled(metrics, verb)
    if not include:
        del meta["metrics"]
    return metrics


def _refuse_many(body: bytes | str, path: str) -> None:
    count = body.count(b"[") + body.count(b"{") if isinstance(body, bytes) else body.count("[") + body.count("{")
    if count > MAX_JSON_CONTAINERS:
        raise PayloadTooLarge(f"more than {MAX_JSON_CONTAINERS} lists and objects{path and ' at '}{path}")


def _parse_python(body: bytes | str, path: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"Can't find JSON in data: {error}", path) from None


def _unmarked(body: bytes) -> str:
    """The text of a document that begins with a byte order mark, which says how it is encoded."""
    try:
        return body.decode(json.detect_encoding(body)).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise BadRequest(f"Can't find JSON in data: {error.reason}") from None


def _check_meta(meta: Any) -> None:
    if type(meta) is not dict:
        raise BadRequest(f"expected an object, got {_name(meta)}", "$.meta")
    for key, kind in _META_TYPES.items():
        if type(meta.get(key, kind())) is not kind:
            raise BadRequest(f"expected {_name(kind())}, got {_name(meta[key])}", f"$.meta.{key}")


def _array(data: Any, meta: Meta | None, document_bytes: int) -> Message:
    if type(data) is not dict:
        raise BadRequest(f"expected an object, got {_name(data)}", "$.data")
    names: Sequence[str] | None = data.get("names", [])
    if names is not None and type(names) is not list:
        raise BadRequest(f"expected a list of strings, got {_name(names)}", "$.data.names")
    if "tensor" in data:
        return Message(PayloadKind.TENSOR, from_tensor(data["tensor"], "$.data.tensor", document_bytes), names, meta)
    if "ndarray" in data:
        array = from_ndarray(data["ndarray"], "$.data.ndarray", document_bytes)
        return Message(PayloadKind.NDARRAY, array, names, meta)
    if "tftensor" in data:
        raise BadRequest("TensorFlow tensors are not supported: send tensor or ndarray", "$.data.tftensor")
    return Message(PayloadKind.NDARRAY, _EMPTY, names, meta)


def _bytes(text: Any) -> bytes:
    if type(text) is not str:
        raise BadRequest(f"expected a base64 string, got {_name(text)}", "$.binData")
    try:
        return base64.b64decode(text)  # lenient, as the stock wrapper: characters outside the alphabet are dropped
    except binascii.Error as error:
        raise BadRequest(f"not base64: {str(error).lower()}", "$.binData") from None
    except ValueError:
        raise BadRequest("not base64: non-ASCII characters", "$.binData") from None


def _name(value: Any) -> str:
    """The JSON name of the type of ``value``."""
    kinds = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", type(None): "null"}
    return kinds.get(type(value), "a number")
