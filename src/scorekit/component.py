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
from pathlib import Path
from typing import Any

from .errors import ComponentError, SetupError
from .message import Meta, Prediction

log = logging.getLogger(__name__)

# What user code may raise without taking the server with it. SystemExit is no Exception, and models do call sys.exit.
_USER_FAULT = (Exception, SystemExit)


class Component:
    """A loaded component. ``name`` is how errors and logs call it."""

    def __init__(self, model: object, name: str) -> None:
        self.name = name
        self._model = model
        self._predict = _method(model, "predict")
        self._tags = _method(model, "tags")
        self._metrics = _method(model, "metrics")
        self.takes_meta = self._predict is not None and _accepts(self._predict, "meta")
        self.hooks_per_call = self._tags is not None or self._metrics is not None
        """Whether the component can tell one call from two, so that requests must not be merged into one."""
        if self._predict is None:
            log.warning("component.without_predict name=%s: it will answer an empty list", name)

    def __repr__(self) -> str:
        return f"<Component {self.name} takes_meta={self.takes_meta} hooks_per_call={self.hooks_per_call}>"

    def load(self) -> None:
        """Call the class's own ``load()`` where it has one. Raises ``SetupError`` with its reason."""
        load = _method(self._model, "load")
        if load is None:
            return
        try:
            load()
        except _USER_FAULT as error:
            raise SetupError(f"{self.name}.load() failed: {_reason(error)}") from error

    def predict(self, X: Any, names: Any, meta: Meta | None = None) -> Prediction:  # noqa: N803  the wire's name
        """Call the class: ``predict(X, names[, meta=meta])``, then ``metrics()`` and ``tags()``, in the stock order.

        ``X`` has one row per example. Raises ``ComponentError``, safe to send to a caller; its cause is not.
        """
        try:
            if self._predict is None:
                payload: Any = []
            elif self.takes_meta:
                payload = self._predict(X, names, meta=meta)
            else:
                payload = self._predict(X, names)
            return Prediction(
                payload,
                self._class_names(),
                # Copied here, where a hook that returns something else is the class's own fault.
                metrics=[*self._metrics()] if self._metrics else [],
                tags={**self._tags()} if self._tags else {},
            )
        except BaseException as error:  # user code: neither its sys.exit nor its CancelledError may end a server
            raise component_error(error) from error

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


def component_error(cause: BaseException) -> ComponentError:
    """What a caller is told of ``cause``: a reference to the log, and nothing else."""
    error = ComponentError("The model failed on this request", uuid.uuid4().hex[:12])
    error.__cause__ = cause
    return error


def _reason(error: BaseException) -> str:
    """The exception in a sentence, with the innermost line of the user's own code. The traceback goes to the log."""
    log.debug("component.not_loaded", exc_info=error)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    own = [frame for frame in frames if "site-packages" not in frame.filename and "importlib" not in frame.filename]
    line = f" ({Path(own[-1].filename).name}, line {own[-1].lineno})" if own else ""
    text = " ".join(str(error).split()) or "no message"
    return f"{type(error).__name__}: {text}{line}"


def _method(model: object, name: str) -> Callable[..., Any] | None:
    method = getattr(model, name, None)
    return method if callable(method) else None


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
