"""SeldonMessage as JSON."""

import base64
import binascii
import codecs
import json
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson

from ..errors import BadRequest, PayloadTooLarge, UnwritableAnswer
from ..message import BatchRows, Message, Meta, PayloadKind, Verb, labelled
from ..settings.limits import MAX_JSON_CONTAINERS
from .shape import refuse_deep, refuse_doubled
from .tensor import Array, from_ndarray, from_tensor

_WRITE = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE
_EMPTY = np.empty(0)
_MAX_SHARED = 64  # numbers in the answer to one request on average; from there on writing each by itself is as quick
_FEW_BYTES = 4_000_000
_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def decode(body: bytes | str) -> Message:
    """The message of a JSON document. Raises ``BadRequest`` that says where and what was expected."""
    return from_value(parse(body), len(body))


def parse(body: bytes | str, path: str = "", bare_nan: bool = False) -> Any:
    """Any JSON value, strictly: no trailing text, and no ``NaN`` but with ``bare_nan``.

    The first words of the error are the stock wrapper's.
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
    """A text that begins with a byte order mark, which says how it is encoded."""
    try:
        return body.decode(json.detect_encoding(body)).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise BadRequest(f"Can't find JSON in data: {error.reason}") from None


def from_value(value: Any, document_bytes: int = sys.maxsize) -> Message:
    """The message of a parsed JSON value; ``document_bytes`` is the size of its text, if known.

    Keys are tried in the stock wrapper's order (data, jsonData, strData, binData; in data: tensor, ndarray) and
    unknown keys are passed over. ``data`` without a known form is an empty array, as there.
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
    """The messages of an aggregate: ``{"seldonMessages": […]}``, or the bare list that the executor sends."""
    listed, path = value, "$"
    if type(value) is dict:
        listed, path = value.get("seldonMessages"), "$.seldonMessages"
    if type(listed) is not list:
        raise BadRequest(f"Invalid request data type: expected a list of messages, got {_name(listed)}", path)
    found = []
    for at, each in enumerate(listed):
        try:
            found.append(from_value(each))
        except BadRequest as error:
            raise BadRequest(error.sentence, f"{path}[{at}]{error.path.removeprefix('$')}") from None
    return found


def take_metrics(answer: Any, verb: Verb, include: bool) -> list[Any]:
    """The metrics in what a raw method returned, which stay there, labelled, only if they are to be included."""
    meta = answer.get("meta") if isinstance(answer, dict) else None
    metrics = meta.get("metrics") if isinstance(meta, dict) else None
    if not isinstance(metrics, list) or not isinstance(meta, dict):
        return []
    meta["metrics"] = metrics = labelled(metrics, verb)
    if not include:
        del meta["metrics"]
    return metrics


def encode_value(value: Any, bare_nan: bool = False) -> bytes:
    """Any value as a JSON document: what a raw method returned."""
    return _dump_python(value) if bare_nan else _dump(value)


def encode(message: Message, bare_nan: bool = False) -> bytes:
    """The JSON document of an answer, keys in alphabetical order as the stock wrapper writes them.

    ``NaN`` and infinities become ``null``: they are no JSON; or stand bare, as in the stock wrapper's answers. Raises
    ``UnwritableAnswer`` for a value JSON cannot hold.
    """
    if message.batch_rows is not None and not bare_nan:
        text = _shared_text(message.batch_rows)
        if text is not None:
            return _around(message, text)
    return encode_value(_envelope(message), bare_nan)


def encode_error(info: str, reason: str) -> bytes:
    """The stock wrapper's error envelope (code and status are constants there)."""
    info = info.encode(errors="replace").decode()  # half a surrogate pair, say in a model's own str(), is no JSON
    status = {"code": -1, "info": info, "reason": reason, "status": 1}
    return orjson.dumps({"status": status}, option=orjson.OPT_APPEND_NEWLINE)


class _SharedText:
    """The numbers of a batch's answer as JSON, written once for all its requests and cut by rows.

    Cutting is safe because numbers have neither brackets nor commas. ``array`` has one or two dimensions.
    """

    __slots__ = ("_flat", "_rows")

    def __init__(self, array: Array) -> None:
        text = orjson.dumps(_writable(array), option=orjson.OPT_SERIALIZE_NUMPY)
        self._flat = array.ndim == 1
        self._rows = text[1:-1].split(b",") if self._flat else text[2:-2].split(b"],[")

    def __repr__(self) -> str:
        return f"<_SharedText rows={len(self._rows)}>"

    @staticmethod
    def fits(array: Array, requests: int) -> bool:
        """Whether an answer to so many requests is of numbers, and its rows are few enough for cutting to pay."""
        kind = array.dtype.kind
        return kind in ("f", "i", "u") and 0 < array.ndim <= 2 and 0 < array.size <= _MAX_SHARED * requests

    def cut(self, start: int, end: int) -> bytes:
        """The rows from ``start`` to ``end`` without their outer brackets."""
        rows = self._rows
        if end == start + 1:
            return rows[start]
        return (b"," if self._flat else b"],[").join(rows[start:end])


def _shared_text(rows: BatchRows) -> bytes | None:
    """The numbers of ``rows`` without their outer brackets; ``None`` if they are not written together with others."""
    answer = rows.answer
    shared = answer.encoded
    if shared is None:  # the first request of its batch
        array = answer.payload
        fits = type(array) is np.ndarray and _SharedText.fits(array, answer.requests)
        shared = answer.encoded = _SharedText(array) if fits else False
    return shared.cut(rows.start, rows.end) if shared else None


def _around(message: Message, text: bytes) -> bytes:
    """The document of an array whose numbers are ``text``."""
    names, meta = _part(message.names), _part(message.meta or {})
    array = message.payload
    if message.kind is PayloadKind.NDARRAY:
        return b'{"data":{"names":%b,"ndarray":[%b]},"meta":%b}\n' % (
            names,
            text if array.ndim == 1 else b"[%b]" % text,
            meta,
        )
    return b'{"data":{"names":%b,"tensor":{"shape":%b,"values":[%b]}},"meta":%b}\n' % (
        names,
        _part(array.shape),
        text.replace(b"],[", b","),
        meta,
    )


def _part(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:
        return _dump(value)[:-1]


_META_TYPES = {"tags": dict, "requestPath": dict, "routing": dict, "metrics": list, "puid": str}


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
        return Message(
            PayloadKind.NDARRAY, from_ndarray(data["ndarray"], "$.data.ndarray", document_bytes), names, meta
        )
    if "tftensor" in data:
        raise BadRequest("TensorFlow's tensors are not read: send tensor or ndarray", "$.data.tftensor")
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


def _envelope(message: Message) -> dict[str, Any]:
    kind, payload, meta = message.kind, message.payload, message.meta or {}
    if kind is PayloadKind.TENSOR:
        tensor = {"shape": payload.shape, "values": _writable(payload.reshape(-1))}
        return {"data": {"names": message.names, "tensor": tensor}, "meta": meta}
    if kind is PayloadKind.NDARRAY:
        values = _writable(payload) if isinstance(payload, np.ndarray) else payload
        return {"data": {"names": message.names, "ndarray": values}, "meta": meta}
    if kind is PayloadKind.JSON:
        return {"jsonData": payload, "meta": meta}
    if kind is PayloadKind.BIN:
        return {"binData": base64.b64encode(payload).decode(), "meta": meta}
    return {"meta": meta, "strData": payload}


def _writable(array: Array) -> Any:
    """``array`` in a form orjson writes natively (contiguous, native, numeric, an axis at least) or a list."""
    if isinstance(array, np.ma.MaskedArray):
        return array.tolist()  # type: ignore[no-untyped-call]  # masked values are null
    array = np.asarray(array)  # a matrix is a plain one on the wire
    if array.dtype.kind == "f" and array.dtype.itemsize != 8:
        # Single precision in its own digits would be another number to whoever reads 64 bits, as everybody does.
        array = array.astype(np.float64)
    if array.dtype.kind not in "fiub" or not array.ndim:
        return array.tolist()
    if array.flags.c_contiguous and array.dtype.isnative:
        return array
    return array.astype(array.dtype.newbyteorder("="), order="C")


def _dump(value: Any) -> bytes:
    try:
        return orjson.dumps(value, default=_plain, option=_WRITE)
    except TypeError:
        pass  # perhaps only because of keys that are no strings, which Python's own json accepts and the stock too
    try:
        return orjson.dumps(value, default=_plain, option=_WRITE | orjson.OPT_NON_STR_KEYS)
    except TypeError as error:
        raise UnwritableAnswer(f"The answer cannot be written as JSON: {error}") from error


def _dump_python(value: Any) -> bytes:
    try:
        text = json.dumps(value, default=_plain_python, sort_keys=True, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError):  # what Python's own json has no form for, orjson may
        return _dump(value)
    return text.encode("ascii") + b"\n"


def _plain_python(value: Any) -> Any:
    plain = _plain(value)
    return plain.tolist() if isinstance(plain, np.ndarray) else plain


def _plain(value: Any) -> Any:
    """What orjson does not know: numpy's other scalars and arrays."""
    if isinstance(value, np.ndarray):
        return _writable(value)
    if isinstance(value, np.floating):
        return float(value)
    if isinstance(value, np.generic) and type(plain := value.item()) in (int, bool, str):
        return plain
    raise TypeError(f"a value of type {type(value).__name__}")


def _name(value: Any) -> str:
    """What JSON calls the type of ``value``."""
    kinds = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", type(None): "null"}
    return kinds.get(type(value), "a number")
