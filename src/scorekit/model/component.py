"""The user's class, behind one face.

What the class offers is found out once, when it is loaded; no request probes for it. Nothing but this module calls
user code.
"""

import importlib
import logging
import sys
import traceback
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadRequest, ComponentError, DeclaredError, RequestError, SetupError
from ..message import Feedback, Form, Meta, Prediction, Verb
from . import forks as offspring
from .methods import handler, hook, is_seldon, method, takes_rows
from .metrics import checked

log = logging.getLogger(__name__)

# What user code may raise without taking the server with it. SystemExit is no Exception, and models do call sys.exit.
_USER_FAULT = (Exception, SystemExit)


NOT_OFFERED: Any = object()
"""A raw method's non-answer."""


class Component:
    """A loaded component. ``name`` is how errors and logs call it.

    With ``expose_errors`` callers are told what the class raised, in its own words, as the stock wrapper does.
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
        """Whether the component can tell one call from two, so that requests must not be merged into one."""
        for verb in _OF_ROWS:
            if not takes_rows(self.hooks[verb]):
                log.warning(
                    "component.signature name=%s: %s cannot be called with (X, features_names); "
                    "give it a second parameter, features_names=None",
                    name,
                    verb.value,
                )
        if not any(each.method or each.raw for each in self.hooks.values()):
            log.warning("component.without_methods name=%s: it will answer an empty list", name)

    def __repr__(self) -> str:
        offers = [verb.value for verb, each in self.hooks.items() if each.method or each.raw]
        return f"<Component {self.name} offers={offers} hooks_per_call={self.hooks_per_call}>"

    def load(self) -> None:
        """Call the class's own ``load()`` where it has one. Raises ``SetupError`` with its reason."""
        load = method(self._model, "load")
        if load is None:
            return
        try:
            load()
        except NotImplementedError:  # passed over by the stock wrapper: a base class of the user's own may say so
            log.warning("component.load_not_implemented name=%s", self.name)
        except _USER_FAULT as error:
            if not is_seldon(error, "SeldonNotImplementedError"):
                raise SetupError(f"{self.name}.load() failed: {_reason(error)}") from error
        finally:
            offspring.end_here()

    @property
    def custom_service(self) -> Callable[[], Any] | None:
        """What the class wants to run in a process of its own."""
        return method(self._model, "custom_service")

    def init_metadata(self) -> Any:
        """What the class says of itself, ``{}`` if nothing. Raises ``SetupError`` where saying it fails."""
        init_metadata = method(self._model, "init_metadata")
        try:
            return {} if init_metadata is None else init_metadata()
        except _USER_FAULT as error:
            if is_seldon(error, "SeldonNotImplementedError"):
                return {}
            raise SetupError(f"{self.name}.init_metadata() failed: {_reason(error)}") from error

    def predict(self, X: Any, names: Any) -> Prediction:  # noqa: N803  the wire's name
        """:meth:`call` for the verb that is batched, which is never handed ``meta`` then."""
        return self.call(Verb.PREDICT, X, names)

    def call(self, verb: Verb, X: Any, names: Any, meta: Meta | None = None) -> Prediction:  # noqa: N803
        """Call the class: ``method(X, names[, meta=meta])``, then ``metrics()`` and ``tags()``, in the stock order.

        For AGGREGATE ``X`` and ``names`` are lists with an entry for each message. A missing predict answers an empty
        list, a missing transform its input. Raises ``BadRequest`` for a missing route or aggregate, ``DeclaredError``
        for what the class refuses on purpose, ``HandledError`` for what its own handler answered, and
        ``ComponentError``, safe to send to a caller; its cause is not.
        """
        found = self.hooks[verb]
        if found.takes_meta:
            return self._said(verb, lambda: found.method(X, names, meta=meta), X)  # type: ignore[misc]  # not None
        return self._said(verb, found.method and (lambda: found.method(X, names)), X)  # type: ignore[misc]  # as above

    def feedback(self, told: Feedback, routing: int | None) -> Prediction:
        """Call ``send_feedback(features, names, reward, truth, routing=…)``. Raises as :meth:`call`.

        One without a parameter ``routing``, as seldon-core 0.2 called them, is not handed it.
        """
        found = self.hooks[Verb.SEND_FEEDBACK]
        arguments = (told.request.payload, told.request.names, told.reward, told.truth.payload)
        more = {"routing": routing} if found.takes_meta else {}
        return self._said(Verb.SEND_FEEDBACK, found.method and (lambda: found.method(*arguments, **more)), None)  # type: ignore[misc]

    def health(self) -> Prediction:
        """Call ``health_status()``; one that the class does not have is well. Raises as :meth:`call`."""
        return self._said(Verb.HEALTH_STATUS, self.hooks[Verb.HEALTH_STATUS].method, None)

    def call_raw(self, verb: Verb, form: Form, *request: Any) -> Any:
        """What the class's raw method makes of ``request``, the transport's own form of it.

        ``NOT_OFFERED`` where it raises SeldonNotImplementedError. Raises as :meth:`call`.
        """
        try:
            return self.hooks[verb].raw[form](*request)
        except BaseException as error:  # as in _said
            if is_seldon(error, "SeldonNotImplementedError"):
                return NOT_OFFERED
            raise self.error(error) from error
        finally:
            offspring.end_here()

    def error(self, cause: BaseException) -> RequestError:
        """What a caller is told of ``cause``, which user code raised: its words, if it meant them, or a reference."""
        try:
            error = self._handler(cause) or component_error(cause, self._expose_errors)
        except Exception:
            log.exception("component.error_handler_failed name=%s", self.name)
            error = component_error(cause, self._expose_errors)
        error.__cause__ = cause
        return error

    def _said(self, verb: Verb, call: Callable[[], Any] | None, X: Any) -> Prediction:  # noqa: N803
        try:
            try:
                returned = _absent(verb, X) if call is None else call()
            except Exception as error:
                if verb in _REFUSING or not is_seldon(error, "SeldonNotImplementedError"):
                    raise
                returned = _absent(verb, X)
            return self._described(verb, returned)
        except RequestError:
            raise
        except BaseException as error:  # user code: neither its sys.exit nor its CancelledError may end a server
            raise self.error(error) from error
        finally:
            offspring.end_here()

    def _described(self, verb: Verb, payload: Any) -> Prediction:
        tags, metrics = Meta(), list[Any]()
        if type(payload) is not np.ndarray and is_seldon(payload, "SeldonResponse"):
            tags, metrics = payload.tags or tags, checked(payload.metrics or metrics, verb)
            payload = payload.data
        # Copied here, where a hook that returns something else is the class's own fault.
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


def build(
    model_name: str, directory: Path | None, parameters: Mapping[str, Any], expose_errors: bool = False
) -> Component:
    """Import and construct the component.

    ``model_name`` is ``Module`` (its class of the same name) or ``package.module.Class``, the stock wrapper's rule;
    ``directory`` is put on the import path first. Raises ``SetupError``: one sentence that names the cause and the
    user's own line where it happened.
    """
    if directory is not None:
        sys.path.insert(0, str(directory))
    module_name, _, class_name = model_name.rpartition(".")
    module_name = module_name or class_name
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name == module_name.split(".")[0]:
            raise SetupError(
                f"there is no module {error.name} for MODEL_NAME={model_name}{_modules(directory, model_name)}"
            ) from error
        raise SetupError(
            f"{module_name} needs the package {error.name!r}, which is not installed: "
            "list what provides it in requirements.txt, and install that where scorekit is"
        ) from error
    except _USER_FAULT as error:
        raise SetupError(f"{module_name} could not be imported: {_reason(error)}") from error
    factory = getattr(module, class_name, None)
    if not callable(factory):
        own = [name for name, value in vars(module).items() if getattr(value, "__module__", None) == module_name]
        raise SetupError(
            f"the module {module_name} has no class {class_name}; it has: {', '.join(own) or 'none'}"
            f"{_meant(class_name, own)}. "
            "MODEL_NAME is Module, whose class has the same name, or Module.Class"
        )
    try:
        return Component(factory(**parameters), model_name, expose_errors)
    except _USER_FAULT as error:
        raise SetupError(f"{class_name}({', '.join(parameters)}) could not be built: {_reason(error)}") from error
    finally:
        offspring.end_here()


def _modules(directory: Path | None, model_name: str) -> str:
    if directory is None:
        return ""
    found = sorted(path.stem for path in directory.glob("*.py") if path.stem.isidentifier())
    return f"; {directory} has: {', '.join(found[:10]) or 'no Python files'}{_meant(model_name, found)}"


def _meant(name: str, found: Sequence[str]) -> str:
    """A question, where ``name`` is one of those but for its case."""
    alike = [each for each in found if each.casefold() == name.casefold()]
    return f"; did you mean {alike[0]}?" if alike else ""


def component_error(cause: BaseException, expose: bool = False) -> RequestError:
    """What a caller is told of ``cause``: its own words if it is a SeldonMicroserviceException, else a reference."""
    if not is_seldon(cause, "SeldonMicroserviceException"):
        return ComponentError("The model failed on this request", uuid.uuid4().hex[:12], str(cause) if expose else None)
    status: Any = getattr(cause, "status_code", None)
    return DeclaredError(
        str(getattr(cause, "message", "")),
        status if type(status) is int and 200 <= status <= 599 else 400,
        str(getattr(cause, "reason", "") or "MICROSERVICE_BAD_DATA"),
    )


# The verbs whose methods are called with the rows and their names.
_OF_ROWS = (Verb.PREDICT, Verb.TRANSFORM_INPUT, Verb.TRANSFORM_OUTPUT)

# The verbs for which a SeldonNotImplementedError is the answer, and not a way to say "as if I had no such method".
_REFUSING = frozenset({Verb.ROUTE, Verb.AGGREGATE})


def _absent(verb: Verb, X: Any) -> Any:  # noqa: N803
    """What the stock wrapper answers for a class without the method."""
    if verb in _REFUSING:
        raise BadRequest(f"{verb.value.capitalize()} not defined")
    if verb is Verb.HEALTH_STATUS:
        return "healthy"
    return [] if verb in (Verb.PREDICT, Verb.SEND_FEEDBACK) else X


def _has_columns(payload: Any) -> bool:
    """Whether class names mean anything: only an array of two dimensions or more has columns."""
    if isinstance(payload, np.ndarray):
        return payload.ndim > 1
    return isinstance(payload, list) and bool(payload) and isinstance(payload[0], list | np.ndarray)


def _reason(error: BaseException) -> str:
    """The exception in a sentence, with the innermost line of the user's own code. The traceback goes to the log."""
    log.debug("component.not_loaded", exc_info=error)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    own = [frame for frame in frames if "site-packages" not in frame.filename and "importlib" not in frame.filename]
    line = f" ({Path(own[-1].filename).name}, line {own[-1].lineno})" if own else ""
    text = " ".join(str(error).split()) or "no message"
    return f"{type(error).__name__}: {text}{line}"
