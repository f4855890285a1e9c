"""What a component's class offers, found out once, when it is loaded: no request probes for it."""

import inspect
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import HandledError
from ..message import Form, Verb
from ..user_model import SeldonMicroserviceException


@dataclass(frozen=True, slots=True)
class Hook:
    """What a class offers for one verb."""

    method: Callable[..., Any] | None
    takes_meta: bool
    """Whether the method takes the verb's optional keyword: ``meta``, or of send_feedback ``routing``."""
    raw: Mapping[Form, Callable[..., Any]]
    """The methods that see the message itself, by the form in which they are given it."""


# The keyword that only some methods take. The stock wrapper never hands meta to aggregate.
_KEYWORD = {
    Verb.PREDICT: "meta",
    Verb.TRANSFORM_INPUT: "meta",
    Verb.TRANSFORM_OUTPUT: "meta",
    Verb.ROUTE: "meta",
    Verb.SEND_FEEDBACK: "routing",
}

# SeldonComponent's own methods that are called all the same: what they refuse with is the answer.
_CALLED = frozenset({"route", "aggregate", "health_status"})


def hook(model: object, verb: Verb) -> Hook:
    """What ``model`` offers for ``verb``."""
    found, keyword = method(model, verb.value), _KEYWORD.get(verb)
    if verb is Verb.HEALTH_STATUS and found is not None and found.__module__ == _BASE:
        found = assumed_health
    takes = found is not None and keyword is not None and _accepts(found, keyword)
    return Hook(found, takes, dict(_raw(model, verb)))


def takes_rows(found: Hook) -> bool:
    """Whether the method, if there is one, can be called with the rows and their names."""
    if found.method is None:
        return True
    more = {"meta": None} if found.takes_meta else {}
    try:
        inspect.signature(found.method).bind(None, None, **more)
    except TypeError:
        return False
    except ValueError:  # a callable written in C that tells no signature
        return True
    return True


def method(model: object, name: str) -> Callable[..., Any] | None:
    """The method, unless it is missing or one of SeldonComponent's own, which only refuse."""
    found = getattr(model, name, None)
    inherited = getattr(getattr(type(model), name, None), "__module__", "") == _BASE and name not in _CALLED
    return found if callable(found) and not inherited else None


def is_seldon(value: object, name: str) -> bool:
    """Whether ``value`` is of seldon-core's class ``name``, or of ours, without importing either."""
    return any(
        each.__name__ == name and each.__module__.split(".")[0] in ("seldon_core", "scorekit")
        for each in type(value).__mro__
    )


Handler = Callable[[BaseException], HandledError | None]
"""What a class's own error handler answers for an exception, ``None`` where it leaves it to the server."""


def handler(given: Any) -> Handler:
    """The handler of a class's ``model_error_handler``.

    That is a Flask blueprint, as for the stock wrapper, whose handlers for classes of exceptions answer with a
    response; or, without Flask, a function of the exception that returns a status and a JSON value, or ``None``.
    """
    if given is None:
        return lambda error: None
    if hasattr(given, "import_name"):
        return _blueprint(given)
    return lambda error: _called(given, error)


_BASE = "seldon_core.user_model"


def assumed_health() -> str:
    """What the stock wrapper answers for a SeldonComponent that says nothing of its health."""
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
    return [(form, found) for form, found in choices.items() if found]


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


def _called(function: Callable[[BaseException], Any], error: BaseException) -> HandledError | None:
    answer = function(error)
    if answer is None:
        return None
    status, value = answer
    return HandledError(repr(error), status, json.dumps(value).encode() + b"\n", "application/json")


def _blueprint(blueprint: Any) -> Handler:
    import flask  # installed, for the class has made a blueprint of it

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
