"""The answer to a request, given what the component returned (rules of seldon-core 1.17.1).

The returned Python type decides the kind of the answer; only the form of an array follows the request:

=======================================  ========================================================================
returned                                 answered as
=======================================  ========================================================================
array or list                            ``data.tensor``; or ``data.ndarray``, if the request came as one or if the
                                         values are not numbers
``dict``                                 ``jsonData``
``str``                                  ``strData``
``bytes``, ``bytearray``                 ``binData``
``google.protobuf.Any``                  ``customData``
anything else, also a bare number        refused with ``BadAnswer``
=======================================  ========================================================================
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ..errors import BadAnswer, BadRequest
from ..message import Message, Meta, PayloadKind, Prediction

_ARRAYS = (np.ndarray, list)
_AS_THEY_ARE = (np.ndarray, np.ma.MaskedArray)


def unsplittable(prediction: Prediction, rows: int) -> str:
    """Return why the prediction for ``rows`` rows cannot be split by them; an empty text if it can."""
    payload = prediction.payload
    if prediction.tags or prediction.metrics:
        return "predict returns tags or metrics, which belong to one call"
    has_rows = isinstance(payload, list) or (isinstance(payload, np.ndarray) and payload.ndim > 0)
    return "" if has_rows and len(payload) == rows else "predict does not return one row for each row"


def joined(messages: Sequence[Message]) -> Message:
    """Return the messages of an aggregate as one: lists of their payloads and names, kind and puid of the first.

    Tags and paths are merged from left to right, metrics are concatenated (seldon-core 1.17.1). Raises ``BadRequest``
    if there are no messages.
    """
    if not messages:
        raise BadRequest("an aggregate needs at least one message", "$.seldonMessages")
    metas = [message.meta or {} for message in messages]
    meta: Meta = {"metrics": [metric for each in metas for metric in each.get("metrics", [])]}
    for key in ("tags", "requestPath"):
        meta[key] = {name: value for each in metas for name, value in each.get(key, {}).items()}
    if puid := metas[0].get("puid"):
        meta["puid"] = puid
    payloads, names = [each.payload for each in messages], [each.names for each in messages]
    return Message(messages[0].kind, payloads, names, meta)


def routed(request: Message, prediction: Prediction, path: Mapping[str, str], include_metrics: bool = True) -> Message:
    """Return a router's answer: its branch as an array of shape ``(1, 1)``, with the request's puid and our meta.

    Raises ``BadAnswer`` if the branch is not an ``int``.
    """
    branch = prediction.payload
    if not isinstance(branch, int):  # as in the stock wrapper, a numpy integer is refused and True is not
        raise BadAnswer(f"Routing response must be int but got {branch}")
    puid = (request.meta or {}).get("puid")
    meta = answer_meta({"puid": puid} if puid else {}, prediction, path, include_metrics)
    return _array_answer(request.kind, [[branch]], prediction.class_names, meta)


def package(request: Message, prediction: Prediction, path: Mapping[str, str], include_metrics: bool = True) -> Message:
    """Return the answer to ``request``, by the table above. Raises ``BadAnswer`` for a value without a form."""
    payload = prediction.payload
    meta = answer_meta(request.meta, prediction, path, include_metrics)
    if isinstance(payload, _ARRAYS):
        answer = _array_answer(request.kind, payload, prediction.class_names, meta)
        answer.batch_rows = prediction.batch_rows
        return answer
    if isinstance(payload, dict):
        return Message(PayloadKind.JSON, payload, [], meta)
    if isinstance(payload, str):
        return Message(PayloadKind.STR, payload, [], meta)
    if isinstance(payload, bytes | bytearray):
        return Message(PayloadKind.BIN, bytes(payload), [], meta)
    if getattr(getattr(payload, "DESCRIPTOR", None), "full_name", "") == "google.protobuf.Any":
        return Message(PayloadKind.CUSTOM, payload, [], meta)
    raise BadAnswer(f"Unknown data type returned as payload (must be list or np array):{payload}")


def answer_meta(
    request_meta: Meta | None, prediction: Prediction, path: Mapping[str, str], include_metrics: bool = True
) -> Meta:
    """Return the answer's ``meta``: tags, metrics, requestPath and puid of the request's, and what the component added.

    The component's tags replace the request's of the same name; the request's path entries replace this component's;
    metrics are appended.
    """
    if not request_meta and not prediction.tags and not prediction.metrics:
        return {"requestPath": dict(path)} if path else {}
    request_meta = request_meta or {}
    meta: Meta = {}
    if tags := {**request_meta.get("tags", {}), **prediction.tags}:
        meta["tags"] = tags
    if include_metrics and (metrics := [*request_meta.get("metrics", []), *prediction.metrics]):
        meta["metrics"] = metrics
    if request_path := {**path, **request_meta.get("requestPath", {})}:
        meta["requestPath"] = request_path
    if puid := request_meta.get("puid"):
        meta["puid"] = puid
    return meta


def _array_answer(requested: PayloadKind, payload: Any, class_names: list[str] | None, meta: Meta) -> Message:
    try:
        array = payload if type(payload) in _AS_THEY_ARE else np.asarray(payload)
    except ValueError as error:
        raise BadAnswer(f"The model returned a list that is not an array: {error}") from error
    names: Sequence[str] = []
    if array.ndim > 1:
        names = _numbered(array.shape[1]) if class_names is None else class_names
    if requested is PayloadKind.NDARRAY or array.dtype.kind not in "iuf":  # bool and text have no tensor form
        return Message(PayloadKind.NDARRAY, payload, names, meta)
    return Message(PayloadKind.TENSOR, array, names, meta)


@lru_cache(64)
def _numbered(columns: int) -> Sequence[str]:
    """The names that the stock wrapper gives to the columns of a component without class names."""
    return [f"t:{column}" for column in range(columns)]
