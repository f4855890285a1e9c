"""The user's class, behind one face.

What the class offers is found out once, when it is loaded; no request probes for it. Nothing but this module calls
user code.
"""

import importlib
import inspect
import logging
import sys
import traceback
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import BadRequest, ComponentError, DeclaredError, RequestError, SetupError
from .message import Meta, Prediction, Verb

log = logging.getLogger(__name__)

# What user code may raise without taking the server with it. SystemExit is no Exception, and models do call sys.exit.
_USER_FAULT = (Exception, SystemExit)


@dataclass(frozen=True, slots=True)
class Hook:
    """What a class offers for one verb: its method, whether that takes ``meta``, and its ``_raw`` variant."""

    method: Callable[..., Any] | None
    takes_meta: bool
    raw: Callable[..., Any] | None


NOT_OFFERED: Any = object()
"""A raw method's non-answer."""


class Component:
    """A loaded component. ``name`` is how errors and logs call it."""

    def __init__(self, model: object, name: str) -> None:
        self.name = name
        self._model = model
        self.hooks = {verb: _hook(model, verb) for verb in Verb}
        self._tags = _method(model, "tags")
        self._metrics = _method(model, "metrics")
        self.hooks_per_call = self._tags is not None or self._metrics is not None
        """Whether the component can tell one call from two, so that requests must not be merged into one."""
        if not any(hook.method or hook.raw for hook in self.hooks.values()):
            log.warning("component.without_methods name=%s: it will answer an empty list", name)

    def __repr__(self) -> str:
        offers = [verb.value for verb, hook in self.hooks.items() if hook.method or hook.raw]
        return f"<Component {self.name} offers={offers} hooks_per_call={self.hooks_per_call}>"

    def load(self) -> None:
        """Call the class's own ``load()`` where it has one. Raises ``SetupError`` with its reason."""
        load = _method(self._model, "load")
        if load is None:
            return
        try:
            load()
        except _USER_FAULT as error:
            raise SetupError(f"{self.name}.load() failed: {_reason(error)}") from error

    def predict(self, X: Any, names: Any) -> Prediction:  # noqa: N803  the wire's name
        """:meth:`call` for the verb that is batched, which is never handed ``meta`` then."""
        return self.call(Verb.PREDICT, X, names)

    def call(self, verb: Verb, X: Any, names: Any, meta: Meta | None = None) -> Prediction:  # noqa: N803
        """Call the class: ``method(X, names[, meta=meta])``, then ``metrics()`` and ``tags()``, in the stock order.

        For AGGREGATE ``X`` and ``names`` are lists with an entry for each message. A missing predict answers an empty
        list, a missing transform its input. Raises ``BadRequest`` for a missing route or aggregate, ``DeclaredError``
        for what the class refuses on purpose, and ``ComponentError``, safe to send to a caller; its cause is not.
        """
        hook = self.hooks[verb]
        try:
            if hook.method is None:
                payload = _absent(verb, X)
            elif hook.takes_meta:
                payload = hook.method(X, names, meta=meta)
            else:
                payload = hook.method(X, names)
            return self._said(payload)
        except RequestError:
            raise
        except BaseException as error:  # user code: neither its sys.exit nor its CancelledError may end a server
            raise component_error(error) from error

    def call_raw(self, verb: Verb, request: Any) -> Any:
        """What the class's ``_raw`` method makes of ``request``, the transport's own form of it.

        ``NOT_OFFERED`` where there is none, or where it raises SeldonNotImplementedError. Raises as :meth:`call`.
        """
        raw = self.hooks[verb].raw
        if raw is None:
            return NOT_OFFERED
        try:
            return raw(request)
        except BaseException as error:  # as in call
            if _is_seldon(error, "SeldonNotImplementedError"):
                return NOT_OFFERED
            raise component_error(error) from error

    def _said(self, returned: Any) -> Prediction:
        payload, tags, metrics = returned, Meta(), list[Any]()
        if _is_seldon(returned, "SeldonResponse"):
            payload, tags, metrics = returned.data, returned.tags or {}, returned.metrics or []
        # Copied here, where a hook that returns something else is the class's own fault.
        own_metrics = [*self._metrics()] if self._metrics else []
        own_tags = {**self._tags()} if self._tags else {}
        return Prediction(payload, self._class_names(), {**own_tags, **tags}, [*own_metrics, *metrics])

    def _class_names(self) -> list[str] | None:
        names: Any = getattr(self._model, "class_names", None)
        if callable(names):
            names = names()
        return None if names is None else [*names]


def build(model_name: str, directory: Path | None, parameters: Mapping[str, Any]) -> Component:
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
                f"there is no module {error.name} for MODEL_NAME={model_name}{_modules(directory)}"
            ) from error
        raise SetupError(f"{module_name} needs the package {error.name!r}, which is not installed") from error
    except _USER_FAULT as error:
        raise SetupError(f"{module_name} could not be imported: {_reason(error)}") from error
    factory = getattr(module, class_name, None)
    if not callable(factory):
        own = [name for name, value in vars(module).items() if getattr(value, "__module__", None) == module_name]
        raise SetupError(
            f"the module {module_name} has no class {class_name}; it has: {', '.join(own) or 'none'}. "
            "MODEL_NAME is Module, whose class has the same name, or Module.Class"
        )
    try:
        return Component(factory(**parameters), model_name)
    except _USER_FAULT as error:
        raise SetupError(f"{class_name}({', '.join(parameters)}) could not be built: {_reason(error)}") from error


def _modules(directory: Path | None) -> str:
    if directory is None:
        return ""
    found = sorted(path.stem for path in directory.glob("*.py") if path.stem.isidentifier())
    return f"; {directory} has: {', '.join(found[:10]) or 'no Python files'}"


def component_error(cause: BaseException) -> RequestError:
    """What a caller is told of ``cause``: its own words if it is a SeldonMicroserviceException, else a reference."""
    error: RequestError
    if _is_seldon(cause, "SeldonMicroserviceException"):
        status: Any = getattr(cause, "status_code", None)
        error = DeclaredError(
            str(getattr(cause, "message", "")),
            status if type(status) is int and 200 <= status <= 599 else 400,
            str(getattr(cause, "reason", "") or "MICROSERVICE_BAD_DATA"),
        )
    else:
        error = ComponentError("The model failed on this request", uuid.uuid4().hex[:12])
    error.__cause__ = cause
    return error


def _absent(verb: Verb, X: Any) -> Any:  # noqa: N803
    """What the stock wrapper answers for a class without the method."""
    if verb in (Verb.ROUTE, Verb.AGGREGATE):
        raise BadRequest(f"{verb.value.capitalize()} not defined")
    return [] if verb is Verb.PREDICT else X


def _is_seldon(value: object, name: str) -> bool:
    """Whether ``value`` is of seldon-core's class ``name``, or of ours, without importing either."""
    return any(
        each.__name__ == name and each.__module__.split(".")[0] in ("seldon_core", "scorekit")
        for each in type(value).__mro__
    )


def _reason(error: BaseException) -> str:
    """The exception in a sentence, with the innermost line of the user's own code. The traceback goes to the log."""
    log.debug("component.not_loaded", exc_info=error)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    own = [frame for frame in frames if "site-packages" not in frame.filename and "importlib" not in frame.filename]
    line = f" ({Path(own[-1].filename).name}, line {own[-1].lineno})" if own else ""
    text = " ".join(str(error).split()) or "no message"
    return f"{type(error).__name__}: {text}{line}"


def _method(model: object, name: str) -> Callable[..., Any] | None:
    """The method, unless it is missing or one of SeldonComponent's own, which only refuse."""
    method = getattr(model, name, None)
    inherited = getattr(getattr(type(model), name, None), "__module__", "") == "seldon_core.user_model"
    return method if callable(method) and not inherited else None


def _hook(model: object, verb: Verb) -> Hook:
    method = _method(model, verb.value)
    # The stock wrapper never hands meta to aggregate.
    takes_meta = method is not None and verb is not Verb.AGGREGATE and _accepts(method, "meta")
    return Hook(method, takes_meta, _method(model, f"{verb.value}_raw"))


def _accepts(function: Callable[..., Any], keyword: str) -> bool:
    """Whether ``function`` can be called with ``keyword=``: by name or by ``**kwargs``."""
    try:
        parameters: Iterable[inspect.Parameter] = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # a callable written in C that tells no signature
        return False
    return any(
        each.kind is each.VAR_KEYWORD or (each.name == keyword and each.kind is not each.POSITIONAL_ONLY)
        for each in parameters
    )
