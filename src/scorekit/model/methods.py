"""Finds out what a component's class offers, once, when it is loaded, so that no request probes for it.

A method counts as offered unless it is one of seldon-core's ``SeldonComponent``, which only raises. Every verb has up
to three ways in, tried in this order: a raw method, which sees the message itself in the transport's form; the method
that is given rows and names; and what the stock wrapper answers for a class without either.
"""

import inspect
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from ..errors import HandledError
from ..message import Form, Verb
from ..user_model import SeldonMicroserviceException
from .signatures import Fit, fit, without_refused


@dataclass(frozen=True, slots=True)
class Hook:
    """The methods that a class offers for one verb."""

    method: Callable[..., Any] | None
    takes_meta: bool
    """Whether the method takes the verb's optional keyword: ``meta``, or ``routing`` for send_feedback."""
    raw: Mapping[Form, Callable[..., Any]]
    """The methods that see the message itself, by the form in which they are given it."""


# The keyword that only some methods take. The stock wrapper never gives meta to aggregate.
_KEYWORD = {
    Verb.PREDICT: "meta",
    Verb.TRANSFORM_INPUT: "meta",
    Verb.TRANSFORM_OUTPUT: "meta",
    Verb.ROUTE: "meta",
    Verb.SEND_FEEDBACK: "routing",
}

# What a method is called with, by position. The stock wrapper calls all of them like this (seldon-core 1.17.1).
_ARGUMENTS = {
    Verb.PREDICT: ("X", "features_names"),
    Verb.TRANSFORM_INPUT: ("X", "features_names"),
    Verb.TRANSFORM_OUTPUT: ("X", "features_names"),
    Verb.ROUTE: ("features", "feature_names"),
    Verb.AGGREGATE: ("features_list", "feature_names_list"),
    Verb.SEND_FEEDBACK: ("features", "feature_names", "reward", "truth"),
    Verb.HEALTH_STATUS: (),
}

# SeldonComponent's own methods that are called all the same: the error that they raise is the answer.
_CALLED = frozenset({"route", "aggregate", "health_status"})


def hook(model: object, verb: Verb) -> Hook:
    """Return what ``model`` offers for ``verb``."""
    function, keyword = method(model, verb.value), _KEYWORD.get(verb)
    if verb is Verb.HEALTH_STATUS and function is not None and function.__module__ == _BASE:
        function = assumed_health
    takes = False
    if function is not None and keyword is not None:
        fits = fit(function, len(_ARGUMENTS[verb]), keyword)
        takes = fits is not Fit.FITS_NOT
        if takes and fits is not Fit.FITS:
            # The stock wrapper calls send_feedback once, so only a TypeError about the keyword has it called again.
            function = without_refused(function, keyword, fits is Fit.UNKNOWN and verb is not Verb.SEND_FEEDBACK)
    return Hook(function, takes, dict(_raw(model, verb)))


def uncallable(model: object) -> Iterator[str]:
    """Yield a sentence for each method of ``model`` whose signature takes no call that the server makes."""
    for verb, arguments in _ARGUMENTS.items():
        yield from _uncallable(model, verb.value, arguments, _KEYWORD.get(verb))
        if verb is Verb.HEALTH_STATUS:
            yield from _uncallable(model, f"{verb.value}_raw", ())
        else:
            for suffix in ("_rest", "_grpc", "_raw"):
                yield from _uncallable(model, f"{verb.value}{suffix}", ("request",))
    for name in ("tags", "metrics", "custom_service"):
        yield from _uncallable(model, name, ())
    # class_names may also be an attribute or a property, and one that needs the loaded model must not be read yet.
    if isinstance(inspect.getattr_static(model, "class_names", None), FunctionType):
        yield from _uncallable(model, "class_names", ())


def method(model: object, name: str) -> Callable[..., Any] | None:
    """Return the method; ``None`` if it is missing, or one of SeldonComponent's own, which only raise."""
    function = getattr(model, name, None)
    inherited = getattr(getattr(type(model), name, None), "__module__", "") == _BASE and name not in _CALLED
    return function if callable(function) and not inherited else None


def is_seldon(value: object, name: str) -> bool:
    """Return whether ``value`` is of seldon-core's class ``name`` or of ours of that name.

    Classes are compared by name, so that neither package needs the other to be installed.
    """
    return any(
        each.__name__ == name and each.__module__.split(".")[0] in ("seldon_core", "scorekit")
        for each in type(value).__mro__
    )


Handler = Callable[[BaseException], HandledError | None]
"""Returns what a class's own error handler answers for an exception, ``None`` if it leaves that to the server."""


def handler(given: Any) -> Handler:
    """Return the handler of a class's ``model_error_handler``.

    That is a Flask blueprint, as for the stock wrapper, whose handlers for classes of exceptions return a response; or,
    without Flask, a function of the exception that returns a status and a JSON value, or ``None``.
    """
    if given is None:
        return lambda error: None
    if hasattr(given, "import_name"):
        return _blueprint(given)
    return lambda error: _called(given, error)


_BASE = "seldon_core.user_model"


def assumed_health() -> str:
    """Return the stock wrapper's answer for a SeldonComponent without a health_status of its own."""
    return "not implemented - assuming healthy"


def _raw(model: object, verb: Verb) -> Iterable[tuple[Form, Callable[..., Any]]]:
    """The first of the names that the stock wrapper tries, by form; ``_rest`` and ``_grpc`` are deprecated there."""
    rest, grpc, raw = (method(model, f"{verb.value}{suffix}") for suffix in ("_rest", "_grpc", "_raw"))
    if verb is Verb.PREDICT:
        choices = {Form.JSON: rest or raw, Form.PROTO: grpc or raw}
    elif verb is Verb.SEND_FEEDBACK:
        choices = {Form.TEXT: rest, Form.PROTO: grpc or raw}
    elif verb is Verb.HEALTH_STATUS:
        choices = {Form.JSON: raw}
    else:
        choices = dict.fromkeys((Form.JSON, Form.PROTO), rest or grpc or raw)
    return [(form, function) for form, function in choices.items() if function]


def _uncallable(model: object, name: str, arguments: tuple[str, ...], keyword: str | None = None) -> Iterator[str]:
    function = method(model, name)
    ways = (keyword, None) if keyword else (None,)
    if function is not None and all(fit(function, len(arguments), way) is Fit.FITS_NOT for way in ways):
        given = ", ".join(arguments)
        declared = ", ".join(("self", *arguments))
        yield (
            f"{name} cannot be called with ({given}), so every call of it will fail; declare it as {name}({declared})"
        )


def _called(function: Callable[[BaseException], Any], error: BaseException) -> HandledError | None:
    answer = function(error)
    if answer is None:
        return None
    status, value = answer
    return HandledError(repr(error), status, json.dumps(value).encode() + b"\n", "application/json")


def _blueprint(blueprint: Any) -> Handler:
    import flask  # installed, because the class has made a blueprint of it

    app = flask.Flask("scorekit", static_folder=None, template_folder=None)
    app.register_blueprint(blueprint)
    # The stock wrapper's own handlers come after the blueprint's and replace those for the same classes.
    stock = getattr(sys.modules.get("seldon_core.flask_utils"), "SeldonMicroserviceException", Exception)
    for kind in (Exception, SeldonMicroserviceException, stock):
        app.register_error_handler(kind, _leave)

    def handle(error: BaseException) -> HandledError | None:
        if not isinstance(error, Exception):
            return None
        with app.test_request_context():
            try:
                response = app.make_response(app.handle_user_exception(error))
            except Exception as left:
                if left is error:
                    return None
                raise
        return HandledError(repr(error), response.status_code, response.get_data(), response.content_type)

    return handle


def _leave(error: Exception) -> Any:
    raise error
