"""The user's class behind one interface, whatever it offers and whatever it does.

What the class offers is determined once, when it is loaded; no request probes for it. Apart from construction
(:mod:`.loading`), every call of user code is made here, in one place, :meth:`Component._call`::

    method(X, names[, meta])  ─▶  payload, a SeldonResponse opened
    metrics()                 ─▶  checked, before those of the response
    tags()                    ─▶  under those of the response
    class_names               ─▶  if the payload has columns

Whatever user code raises ends there too, ``SystemExit`` and ``CancelledError`` included, and becomes a
``RequestError``: one bad request must not end a server. A process that user code has forked ends there as well
(:mod:`.forks`).
"""

import logging
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import BadRequest, RequestError, SetupError
from ..message import Feedback, Form, Meta, Prediction, Verb
from . import forks
from .methods import handler, hook, is_seldon, method, uncallable
from .metrics import checked
from .user_errors import USER_FAULT, caller_error, in_one_sentence

log = logging.getLogger(__name__)

NOT_OFFERED: Any = object()
"""What a raw method "returns" when it declines: the method that is given rows is called instead."""

# The verbs for which a SeldonNotImplementedError is the answer, where for others it means that there is no such method.
_REFUSING = frozenset({Verb.ROUTE, Verb.AGGREGATE})


class Component:
    """A loaded component. ``name`` is its name in errors and logs.

    With ``expose_errors`` callers read what the class raised in its own words, as the stock wrapper answers.
    """

    def __init__(self, model: object, name: str, expose_errors: bool = False) -> None:
        self.name = name
        self._model = model
        self._expose_errors = expose_errors
        self._handler = handler(getattr(model, "model_error_handler", None))
        self.hooks = {verb: hook(model, verb) for verb in Verb}
        self._tags = method(model, "tags")
        self._metrics = method(model, "metrics")
        self.hooks_per_call = self._tags is not None or self._metrics is not None
        """Whether the component has hooks that run once a call, so that requests must not be merged into one call."""
        for sentence in uncallable(model):
            log.warning("component.signature name=%s: %s", name, sentence)
        if not any(each.method or each.raw for each in self.hooks.values()):
            log.warning("component.without_methods name=%s: it will answer an empty list", name)

    def __repr__(self) -> str:
        offers = [verb.value for verb, each in self.hooks.items() if each.method or each.raw]
        return f"<Component {self.name} offers={offers} hooks_per_call={self.hooks_per_call}>"

    def load(self) -> None:
        """Call the class's ``load()`` if it has one. Raises ``SetupError`` with the reason if it fails."""
        load = method(self._model, "load")
        if load is None:
            return
        try:
            load()
        except NotImplementedError:  # ignored by the stock wrapper: a base class of the user's own may raise it
            log.warning("component.load_not_implemented name=%s", self.name)
        except USER_FAULT as error:
            if not is_seldon(error, "SeldonNotImplementedError"):
                raise SetupError(f"{self.name}.load() failed: {in_one_sentence(error)}") from error
        finally:
            forks.end_if_forked()

    @property
    def custom_service(self) -> Callable[[], Any] | None:
        """The class's ``custom_service()``, which runs in a process of its own; ``None`` if it has none."""
        return method(self._model, "custom_service")

    @property
    def unprobed(self) -> str:
        """Why the class must not be called before its first request; empty if it may.

        Its attribute ``scorekit_probe`` says so, if it is a bool. Without it, a class that learns from feedback is not
        called: rows that nobody has sent could change what it has learned.
        """
        wish = getattr(self._model, "scorekit_probe", None)
        if isinstance(wish, bool):
            return "" if wish else "the component has scorekit_probe = False"
        learning = self.hooks[Verb.SEND_FEEDBACK]
        return "the component has send_feedback, so its calls may change it" if learning.method or learning.raw else ""

    def init_metadata(self) -> Any:
        """Return the class's own metadata, ``{}`` if it has none. Raises ``SetupError`` if its method fails."""
        init_metadata = method(self._model, "init_metadata")
        try:
            return {} if init_metadata is None else init_metadata()
        except USER_FAULT as error:
            if is_seldon(error, "SeldonNotImplementedError"):
                return {}
            raise SetupError(f"{self.name}.init_metadata() failed: {in_one_sentence(error)}") from error

    def predict(self, X: Any, names: Any) -> Prediction:  # noqa: N803  the wire's name
        """Return the prediction for rows of shape ``(rows, columns, …)``, without ``meta``. Raises as :meth:`call`."""
        return self.call(Verb.PREDICT, X, names)

    def call(self, verb: Verb, X: Any, names: Any, meta: Meta | None = None) -> Prediction:  # noqa: N803
        """Call the class: ``method(X, names[, meta=meta])``, then ``metrics()`` and ``tags()``, in the stock order.

        ``X`` has the shape ``(rows, columns, …)``; for AGGREGATE ``X`` and ``names`` are lists with an entry for each
        message. Without a predict the answer is an empty list, without a transform its input.

        Raises ``BadRequest`` if route or aggregate is missing, ``DeclaredError`` if the class refuses on purpose,
        ``HandledError`` if its own handler has answered, ``BadMetric``, and ``ComponentError`` for anything else. They
        are safe to send to a caller; their causes are not.
        """
        hook = self.hooks[verb]
        if hook.takes_meta:
            return self._call(verb, lambda: hook.method(X, names, meta=meta), X)  # type: ignore[misc]  # not None
        return self._call(verb, hook.method and (lambda: hook.method(X, names)), X)  # type: ignore[misc]  # as above

    def feedback(self, feedback: Feedback, routing: int | None) -> Prediction:
        """Call ``send_feedback(features, names, reward, truth, routing=…)``. Raises as :meth:`call`.

        A method without a parameter ``routing``, as seldon-core 0.2 called them, is called without it.
        """
        hook = self.hooks[Verb.SEND_FEEDBACK]
        arguments = (feedback.request.payload, feedback.request.names, feedback.reward, feedback.truth.payload)
        more = {"routing": routing} if hook.takes_meta else {}
        return self._call(Verb.SEND_FEEDBACK, hook.method and (lambda: hook.method(*arguments, **more)), None)  # type: ignore[misc]

    def health(self) -> Prediction:
        """Call ``health_status()``; a class without it is healthy. Raises as :meth:`call`."""
        return self._call(Verb.HEALTH_STATUS, self.hooks[Verb.HEALTH_STATUS].method, None)

    def call_raw(self, verb: Verb, form: Form, *request: Any) -> Any:
        """Return what the class's raw method returns for ``request``, which is in the transport's own form.

        Returns ``NOT_OFFERED`` if the method raises SeldonNotImplementedError. Raises as :meth:`call`.
        """
        try:
            return self.hooks[verb].raw[form](*request)
        except BaseException as error:  # as in _call
            if is_seldon(error, "SeldonNotImplementedError"):
                return NOT_OFFERED
            raise self.error(error) from error
        finally:
            forks.end_if_forked()

    def error(self, cause: BaseException) -> RequestError:
        """Return what a caller reads of ``cause``, which user code raised: the class's own words, or a reference.

        The class's error handler is asked first.
        """
        try:
            error = self._handler(cause) or caller_error(cause, self._expose_errors)
        except Exception:
            log.exception("component.error_handler_failed name=%s", self.name)
            error = caller_error(cause, self._expose_errors)
        error.__cause__ = cause
        return error

    def _call(self, verb: Verb, call: Callable[[], Any] | None, X: Any) -> Prediction:  # noqa: N803
        try:
            try:
                returned = _absent(verb, X) if call is None else call()
            except Exception as error:
                if verb in _REFUSING or not is_seldon(error, "SeldonNotImplementedError"):
                    raise
                returned = _absent(verb, X)
            return self._prediction(verb, returned)
        except RequestError:
            raise
        except BaseException as error:  # user code: neither its sys.exit nor its CancelledError may end a server
            raise self.error(error) from error
        finally:
            forks.end_if_forked()

    def _prediction(self, verb: Verb, payload: Any) -> Prediction:
        tags, metrics = Meta(), list[Any]()
        if type(payload) is not np.ndarray and is_seldon(payload, "SeldonResponse"):
            tags, metrics = payload.tags or tags, checked(payload.metrics or metrics, verb)
            payload = payload.data
        # Checked and copied here, inside of _call, where a hook that returns something else is the class's own fault.
        if self._metrics:
            metrics = checked(self._metrics(), verb) + metrics
        if self._tags:
            tags = {**(self._tags() or {}), **tags}
        if verb is Verb.SEND_FEEDBACK and payload is None:
            payload = []
        named = verb is Verb.ROUTE or _has_columns(payload)
        return Prediction(payload, self._class_names() if named else None, tags, metrics)

    def _class_names(self) -> list[str] | None:
        names: Any = getattr(self._model, "class_names", None)
        if callable(names):
            names = method(self._model, "class_names")
            names = names() if names else None
        return None if names is None else [*names]


def _absent(verb: Verb, X: Any) -> Any:  # noqa: N803
    """What the stock wrapper answers for a class without the method (seldon-core 1.17.1)."""
    if verb in _REFUSING:
        raise BadRequest(f"{verb.value.capitalize()} not defined")
    if verb is Verb.HEALTH_STATUS:
        return "healthy"
    return [] if verb in (Verb.PREDICT, Verb.SEND_FEEDBACK) else X


def _has_columns(payload: Any) -> bool:
    """Whether the payload has columns to name: an array of shape ``(rows, columns, …)``, or a list of lists."""
    if isinstance(payload, np.ndarray):
        return payload.ndim > 1
    return isinstance(payload, list) and bool(payload) and isinstance(payload[0], list | np.ndarray)
