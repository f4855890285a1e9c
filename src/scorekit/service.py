"""What the verbs of the protocol mean, whatever transport brought the request."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from .batching import Batcher, Turns
from .codec.tensor import Array
from .component import NOT_OFFERED, Component, component_error
from .errors import BadAnswer, BadRequest, ComponentError, RequestError
from .message import Kind, Message, Meta, Prediction, Verb

log = logging.getLogger(__name__)


class Caller(Protocol):
    """Whoever waits for an answer: one request of one transport."""

    @property
    def abandoned(self) -> bool:
        """Whether the connection has gone, so that nobody would read the answer."""

    def answer(self, message: Message) -> None: ...
    def answer_raw(self, value: Any) -> None:
        """Answer with what a raw method returned, in the transport's own form."""

    def fail(self, error: RequestError) -> None: ...


class Request(Protocol):
    """What a caller asks, decoded only as far as the component needs it. Decoding raises ``BadRequest``."""

    @property
    def raw(self) -> Any:
        """The transport's own form: what a raw method is given."""

    def message(self) -> Message: ...
    def messages(self) -> list[Message]:
        """Those of an aggregate."""


class Service:
    """One component, behind its verbs.

    ``path`` is what this node adds to ``meta.requestPath``: its own id and image, or nothing (stock: only where
    PREDICTIVE_UNIT_ID is set). With ``max_batch_rows`` requests are merged, where the component cannot tell.
    """

    def __init__(
        self, component: Component, turns: Turns, path: Mapping[str, str], max_batch_rows: int | None = None
    ) -> None:
        self._component = component
        self._path = dict(path)
        merges = max_batch_rows is not None and not component.hooks_per_call
        self._batcher = Batcher(component.predict, turns, max_batch_rows) if merges and max_batch_rows else None
        if max_batch_rows is not None and not merges:
            log.warning("batching.off reason=the component has tags() or metrics(), which can tell one call from two")

    def __repr__(self) -> str:
        return f"<Service {self._component!r} {self._batcher or 'batching off'}>"

    def ask(self, verb: Verb, request: Request, caller: Caller) -> None:
        """Answer ``caller`` with what the component makes of ``request``, now or in a later turn of the loop."""
        try:
            answer = self._component.call_raw(verb, request.raw)
            if answer is not NOT_OFFERED:
                caller.answer_raw(answer)
                return
            message = joined(request.messages()) if verb is Verb.AGGREGATE else request.message()
        except RequestError as error:
            report(error)
            caller.fail(error)
            return
        call = _Call(verb, message, caller, self._path)
        # A component that is handed `meta` sees which request it works for.
        told_meta = message.meta is not None and self._component.hooks[verb].takes_meta
        if self._batcher is not None and verb is Verb.PREDICT and message.kind.is_array and not told_meta:
            self._batcher.submit(call)
            return
        try:
            prediction = self._component.call(verb, message.payload, message.names, message.meta)
        except RequestError as error:
            call.failed(error)
        else:
            call.done(prediction)

    @property
    def batching(self) -> bool:
        """Whether requests are merged."""
        return self._batcher is not None


class _Call:
    """A request on its way through the model: what the batcher calls a job."""

    __slots__ = ("_caller", "_path", "_request", "_verb")

    def __init__(self, verb: Verb, request: Message, caller: Caller, path: Mapping[str, str]) -> None:
        self._verb = verb
        self._request = request
        self._caller = caller
        self._path = path

    @property
    def rows(self) -> Array:
        return self._request.payload  # type: ignore[no-any-return]  # only array kinds are submitted

    @property
    def names(self) -> Sequence[str] | None:
        return self._request.names  # type: ignore[no-any-return]  # as above

    @property
    def abandoned(self) -> bool:
        return self._caller.abandoned

    def done(self, prediction: Prediction) -> None:
        try:
            make = routed if self._verb is Verb.ROUTE else package
            answer = make(self._request, prediction, self._path)
        except RequestError as error:
            self.failed(error)
        except Exception as error:  # noqa: BLE001  the border around user values
            # What the model returned is an object of its own making, and looking at it runs its code.
            self.failed(component_error(error))
        else:
            self._caller.answer(answer)

    def failed(self, error: RequestError) -> None:
        report(error)
        self._caller.fail(error)


def report(error: RequestError) -> None:
    """Log what the caller is not told."""
    if isinstance(error, ComponentError):
        log.error("component.failed id=%s", error.reference, exc_info=error.__cause__)


def joined(messages: Sequence[Message]) -> Message:
    """The messages of an aggregate as one: lists of payloads and names, the first one's kind and puid.

    Tags and paths are merged from left to right, metrics put one after the other (seldon-core 1.17.1).
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


def routed(request: Message, prediction: Prediction, path: Mapping[str, str]) -> Message:
    """The answer of a router: its branch as an array of one number, with this node's meta and the request's puid."""
    branch = prediction.payload
    if not isinstance(branch, int):  # a numpy integer is refused and True is not, as in the stock wrapper
        raise BadAnswer(f"Routing response must be int but got {branch}")
    kind = Kind.NDARRAY if request.kind is Kind.NDARRAY else Kind.TENSOR
    puid = (request.meta or {}).get("puid")
    meta = answer_meta({"puid": puid} if puid else {}, prediction, path)
    return Message(kind, np.array([[int(branch)]]), ["t:0"], meta)


def package(request: Message, prediction: Prediction, path: Mapping[str, str]) -> Message:
    """The answer to ``request`` (rules of seldon-core 1.17.1).

    The returned Python type decides the kind (dict, bytes, str, array); only the form of an array follows the
    request. Raises ``BadAnswer`` for a type that has no form on the wire.
    """
    payload = prediction.payload
    meta = answer_meta(request.meta, prediction, path)
    if isinstance(payload, np.ndarray | list):
        return _array_answer(request.kind, payload, prediction.class_names, meta)
    if isinstance(payload, dict):
        return Message(Kind.JSON, payload, [], meta)
    if isinstance(payload, str):
        return Message(Kind.STR, payload, [], meta)
    if isinstance(payload, bytes | bytearray):
        return Message(Kind.BIN, bytes(payload), [], meta)
    raise BadAnswer(f"Unknown data type returned as payload (must be list or np array):{payload}")


def _array_answer(asked: Kind, payload: Any, class_names: list[str] | None, meta: Meta) -> Message:
    try:
        array = np.asarray(payload)
    except ValueError as error:
        raise BadAnswer(f"The model returned a list that is no array: {error}") from error
    names: Sequence[str] = []
    if array.ndim > 1:
        names = [f"t:{column}" for column in range(array.shape[1])] if class_names is None else class_names
    if asked is Kind.NDARRAY or array.dtype.kind not in "iuf":  # bool and text have no tensor form
        return Message(Kind.NDARRAY, payload, names, meta)
    return Message(Kind.TENSOR, array, names, meta)


def answer_meta(asked: Meta | None, prediction: Prediction, path: Mapping[str, str]) -> Meta:
    """What flows from the request's ``meta`` into the answer's: tags, metrics, requestPath and puid, nothing else.

    The component's tags win over the request's, the request's path entries over this node's; metrics are appended.
    """
    asked = asked or {}
    meta: Meta = {}
    if tags := {**asked.get("tags", {}), **prediction.tags}:
        meta["tags"] = tags
    if metrics := [*asked.get("metrics", []), *prediction.metrics]:
        meta["metrics"] = metrics
    if request_path := {**path, **asked.get("requestPath", {})}:
        meta["requestPath"] = request_path
    if puid := asked.get("puid"):
        meta["puid"] = puid
    return meta
