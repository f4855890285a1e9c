"""JSON out of answers, byte for byte as the stock wrapper writes it: keys in alphabetical order, a newline at the end.

Numbers of arrays are written by orjson straight from numpy's memory. ``NaN`` and infinities become ``null``, because
JSON has no form for them; with ``bare_nan`` they stand bare, as in the stock wrapper's answers.
"""

import base64
import json
from typing import Any

import numpy as np
import orjson

from ...errors import UnwritableAnswer
from ...message import Message, PayloadKind
from .native import writable
from .shared_text import shared_text

_OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE


def encode(message: Message, bare_nan: bool = False) -> bytes:
    """Return the JSON document of an answer. Raises ``UnwritableAnswer`` for a value that JSON cannot hold."""
    if message.batch_rows is not None and not bare_nan:
        text = shared_text(message.batch_rows)
        if text is not None:
            return _around(message, text)
    return encode_value(_envelope(message), bare_nan)


def encode_value(value: Any, bare_nan: bool = False) -> bytes:
    """Return any value as a JSON document: what a raw method returned, or metadata.

    Raises ``UnwritableAnswer`` for a value that JSON cannot hold.
    """
    return _dump_python(value) if bare_nan else _dump(value)


def encode_error(info: str, reason: str) -> bytes:
    """Return the stock wrapper's error envelope, in which code and status are constants."""
    info = info.encode(errors="replace").decode()  # half a surrogate pair, say in a model's own str(), is not JSON
    status = {"code": -1, "info": info, "reason": reason, "status": 1}
    return orjson.dumps({"status": status}, option=orjson.OPT_APPEND_NEWLINE)


def _envelope(message: Message) -> dict[str, Any]:
    kind, payload, meta = message.kind, message.payload, message.meta or {}
    if kind is PayloadKind.TENSOR:
        tensor = {"shape": payload.shape, "values": writable(payload.reshape(-1))}
        return {"data": {"names": message.names, "tensor": tensor}, "meta": meta}
    if kind is PayloadKind.NDARRAY:
        values = writable(payload) if isinstance(payload, np.ndarray) else payload
        return {"data": {"names": message.names, "ndarray": values}, "meta": meta}
    if kind is PayloadKind.JSON:
        return {"jsonData": payload, "meta": meta}
    if kind is PayloadKind.BIN:
        return {"binData": base64.b64encode(payload).decode(), "meta": meta}
    return {"meta": meta, "strData": payload}


def _around(message: Message, text: bytes) -> bytes:
    """The document of an array whose numbers are written already, as ``text``."""
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


def _dump(value: Any) -> bytes:
    try:
        return orjson.dumps(value, default=_plain, option=_OPTIONS)
    except TypeError:
        pass  # perhaps only because of keys that are not strings, which Python's own json and the stock wrapper accept
    try:
        return orjson.dumps(value, default=_plain, option=_OPTIONS | orjson.OPT_NON_STR_KEYS)
    except TypeError as error:
        raise UnwritableAnswer(f"The answer cannot be written as JSON: {error}") from error


def _dump_python(value: Any) -> bytes:
    try:
        text = json.dumps(value, default=_plain_python, sort_keys=True, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError):  # orjson may have a form for what Python's own json has none for
        return _dump(value)
    return text.encode("ascii") + b"\n"


def _plain_python(value: Any) -> Any:
    plain = _plain(value)
    return plain.tolist() if isinstance(plain, np.ndarray) else plain


def _plain(value: Any) -> Any:
    """What orjson is given for values that it does not know: numpy's other scalars and arrays."""
    if isinstance(value, np.ndarray):
        return writable(value)
    if isinstance(value, np.floating):
        return float(value)
    if isinstance(value, np.generic) and type(plain := value.item()) in (int, bool, str):
        return plain
    raise TypeError(f"a value of type {type(value).__name__}")
