"""Every signature of a user's method gets the call that the stock wrapper gives it, and is told if it takes none."""

import functools
import inspect
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorekit.errors import ComponentError, RequestError
from scorekit.message import Feedback, Message, PayloadKind, Verb
from scorekit.model.component import Component
from scorekit.model.methods import uncallable
from scorekit.model.signatures import Fit, fit

META = {"puid": "p"}

Method = Callable[..., Any]


def offering(verb: Verb, method: Any) -> Any:
    """A component whose only method is ``method``."""
    return SimpleNamespace(**{verb.value: method})


def asked(method: Any, verb: Verb = Verb.PREDICT) -> Any:
    """What the component's only method returns when the server calls it with ``"X"``, names ``"n"`` and META."""
    return Component(offering(verb, method), "Model").call(verb, "X", ["n"], META).payload


# -- the smallest inputs


@pytest.mark.parametrize("verb", [Verb.PREDICT, Verb.TRANSFORM_INPUT, Verb.TRANSFORM_OUTPUT])
def test_a_second_parameter_called_meta_is_given_the_names(verb: Verb) -> None:
    """``predict(X, meta)``, required or not, answers: its second argument is the names, as with the stock wrapper."""
    assert asked(lambda X, meta: [X, meta], verb) == ["X", ["n"]]  # noqa: N803
    assert asked(lambda X, meta=None: [X, meta], verb) == ["X", ["n"]]  # noqa: N803


def test_meta_is_given_to_whatever_takes_it() -> None:
    """A parameter ``meta`` after the names, by keyword only or not, and ``**kwargs`` are given the meta."""
    assert asked(lambda X, names, meta: [names, meta]) == [["n"], META]  # noqa: N803
    assert asked(lambda X, names, *, meta=None: [names, meta]) == [["n"], META]  # noqa: N803
    assert asked(lambda *arguments, **more: [arguments[1], more["meta"]]) == [["n"], META]
    assert asked(lambda X, meta, /, **more: [meta, more["meta"]]) == [["n"], META]  # noqa: N803


def test_meta_is_not_given_to_what_cannot_take_it() -> None:
    """Positional-only parameters, ``*args`` and a bound ``names`` keep their meaning."""
    assert asked(lambda X, names, meta=0, /: [names, meta]) == [["n"], 0]  # noqa: N803
    assert asked(lambda X, *rest: [X, *rest]) == ["X", ["n"]]  # noqa: N803


class Called:
    """Callables that are not plain functions."""

    def __call__(self, X: Any, names: Any) -> Any:  # noqa: N803
        return [X, names]

    @staticmethod
    def static(X: Any, names: Any, meta: Any = None) -> Any:  # noqa: N803
        return [names, meta]

    @classmethod
    def of_class(cls, X: Any, meta: Any) -> Any:  # noqa: N803
        return [X, meta]


def test_callables_of_every_kind_are_understood() -> None:
    """Static and class methods, partials, objects with ``__call__`` and classes are called by their own signatures."""
    assert asked(Called()) == ["X", ["n"]]
    assert asked(Called.static) == [["n"], META]
    assert asked(Called.of_class) == ["X", ["n"]]
    assert asked(functools.partial(lambda more, X, meta: [more, X, meta], "more")) == ["more", "X", ["n"]]  # noqa: N803
    assert asked(functools.partial(lambda X, names, meta: [names, meta], meta=0)) == [["n"], META]  # noqa: N803
    assert asked(type("Answer", (dict,), {"__init__": lambda self, X, names: self.update(x=X)})) == {"x": "X"}  # noqa: N803


def test_a_method_without_a_signature_is_called_as_by_the_stock_wrapper() -> None:
    """Methods written in C are called with meta first, and without if that raises TypeError, then always without."""
    assert fit(np.add, 2, "meta") is Fit.UNKNOWN
    component = Component(offering(Verb.PREDICT, np.add), "Model")
    for _ in range(2):
        assert component.call(Verb.PREDICT, np.array([1]), np.array([2]), META).payload.tolist() == [3]


# -- decorators and delegates, which hide the signature behind them


def passing_on(method: Method, seen: list[Any]) -> Method:
    def wrapper(*arguments: Any, **more: Any) -> Any:
        seen.append(more)
        return method(*arguments, **more)

    return wrapper


@pytest.mark.parametrize("told", [True, False], ids=["wraps", "silent"])
def test_a_decorated_method_is_called_as_what_it_hides_allows(told: bool) -> None:
    """A decorator that hands everything on works over a method without meta; from the second request on in one go."""
    seen: list[Any] = []

    def method(X: Any, names: Any) -> Any:  # noqa: N803
        return [X, names]

    decorated = passing_on(method, seen)
    component = Component(offering(Verb.PREDICT, functools.wraps(method)(decorated) if told else decorated), "Model")
    for _ in range(3):
        assert component.call(Verb.PREDICT, "X", ["n"], META).payload == ["X", ["n"]]
    assert seen == [{"meta": META}, {}, {}, {}]


def test_a_decorator_that_narrows_the_signature_is_believed() -> None:
    """What a decorator's own code takes counts, not what functools.wraps and ``__signature__`` say of another."""

    def method(X: Any, names: Any, meta: Any = None) -> Any:  # noqa: N803
        return [names, meta]

    @functools.wraps(method)
    def narrow(X: Any, names: Any) -> Any:  # noqa: N803
        return method(X, names)

    assert asked(narrow) == [["n"], None]
    narrow.__signature__ = inspect.signature(method)  # type: ignore[attr-defined]
    assert asked(narrow) == [["n"], None]


def test_a_type_error_of_the_model_behind_a_decorator_is_no_reason_to_call_again() -> None:
    """Only a TypeError about ``meta`` leads to a second call."""
    seen: list[Any] = []

    def method(X: Any, names: Any, meta: Any) -> Any:  # noqa: N803
        raise TypeError("unsupported operand type(s) for +: 'int' and 'str'")

    with pytest.raises(ComponentError):
        asked(passing_on(method, seen))
    assert len(seen) == 1


def test_feedback_behind_a_decorator_is_given_routing_if_it_takes_it() -> None:
    """send_feedback behind ``**kwargs`` gets routing; one of seldon-core 0.2, without the parameter, is called too."""
    feedback = Feedback(Message(PayloadKind.NDARRAY, [1]), Message(PayloadKind.NDARRAY, [2]), 0.5, {})
    for method, answer in (
        (lambda features, names, reward, truth, routing: [routing], [3]),
        (lambda features, names, reward, truth: [reward], [0.5]),
    ):
        component = Component(offering(Verb.SEND_FEEDBACK, passing_on(method, [])), "Model")
        assert component.feedback(feedback, 3).payload == answer


# -- signatures that take no call


def test_each_method_that_takes_no_call_is_told() -> None:
    """A method whose signature fits no call of the server's gets a sentence; one that fits, or hides it, gets none."""

    class Model:
        def predict(self, X: Any, names: Any, more: Any) -> Any: ...  # noqa: N803
        def transform_input(self, *, X: Any, names: Any) -> Any: ...  # noqa: N803
        def transform_output(self, X: Any, names: Any, *, meta: Any) -> Any: ...  # noqa: N803
        def route(self, *arguments: Any, **more: Any) -> Any: ...
        def aggregate(self, features: Any) -> Any: ...
        def send_feedback(self, features: Any, names: Any, reward: Any) -> Any: ...
        def health_status(self, X: Any) -> Any: ...  # noqa: N803
        def health_status_raw(self, request: Any) -> Any: ...
        def predict_raw(self) -> Any: ...
        def tags(self, X: Any) -> Any: ...  # noqa: N803
        def metrics(self) -> Any: ...
        def class_names(self, X: Any) -> Any: ...  # noqa: N803

    told = list(uncallable(Model()))
    assert [sentence.split()[0] for sentence in told] == [
        "predict",
        "predict_raw",
        "transform_input",
        "aggregate",
        "send_feedback",
        "health_status",
        "health_status_raw",
        "tags",
        "class_names",
    ]
    assert told[-3] == (
        "health_status_raw cannot be called with (), so every call of it will fail; "
        "declare it as health_status_raw(self)"
    )


def test_class_names_that_need_the_loaded_model_are_not_read_early() -> None:
    """A property ``class_names`` is first read when an answer needs it, not to look at its signature."""

    class Model:
        @property
        def class_names(self) -> Any:
            raise ValueError("not loaded")

    assert list(uncallable(Model())) == []


# -- every shape, against the stock package


KINDS = list(inspect._ParameterKind)
NAMES = ("X", "names", "features_names", "meta", "routing", "more")


@st.composite
def signatures(draw: st.DrawFn) -> str:
    """The parameters of a Python function, as its source has them: of all kinds, with and without defaults."""
    kinds = sorted(draw(st.lists(st.sampled_from(KINDS), max_size=5)))
    names = draw(st.permutations(NAMES))
    parameters: list[inspect.Parameter] = []
    defaulted = False
    for kind, name in zip(kinds, names, strict=False):
        if kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD) and any(
            each.kind is kind for each in parameters
        ):
            continue
        default: Any = inspect.Parameter.empty
        if kind in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD):
            defaulted = defaulted or draw(st.booleans())
            default = "default" if defaulted else default
        elif kind is inspect.Parameter.KEYWORD_ONLY and draw(st.booleans()):
            default = "default"
        parameters.append(inspect.Parameter(name, kind, default=default))
    return str(inspect.Signature(parameters))[1:-1]


def written(parameters: str, calls: list[Any], before: str = "") -> Method:
    """A function with these parameters that notes what it was called with."""
    space: dict[str, Any] = {"calls": calls}
    comma = ", " if before and parameters else ""
    exec(f"def method({before}{comma}{parameters}):\n    calls.append(dict(locals()))\n    return []", space)  # noqa: S102
    method: Method = space["method"]
    return method


SHAPES = (
    "function",
    "method",
    "static",
    "class method",
    "callable",
    "partial",
    "partial keyword",
    "partial meta",
    "partial method",
    "passing on",
    "passing on with wraps",
    "narrowed with wraps",
    "lying signature",
)


def shaped(shape: str, parameters: str, calls: list[Any], verb: Verb) -> Any:
    """A component whose method for ``verb`` has these parameters, in one of the shapes that a callable can have."""
    if shape == "method":
        return type("Model", (), {verb.value: written(parameters, calls, "self")})()
    if shape == "static":
        return type("Model", (), {verb.value: staticmethod(written(parameters, calls))})()
    if shape == "class method":
        return type("Model", (), {verb.value: classmethod(written(parameters, calls, "cls"))})()
    if shape == "callable":
        return offering(verb, type("Called", (), {"__call__": written(parameters, calls, "self")})())
    if shape == "partial method":
        method = functools.partialmethod(written(parameters, calls, "self"), more="bound")
        return type("Model", (), {verb.value: method})()
    function = written(parameters, calls)
    return offering(verb, _decorated(shape, function))


def _decorated(shape: str, function: Method) -> Any:
    if shape.startswith("partial"):
        arguments: tuple[Any, ...] = ("bound",) if shape == "partial" else ()
        more = {"partial keyword": {"more": "bound"}, "partial meta": {"meta": "bound"}}.get(shape, {})
        return functools.partial(function, *arguments, **more)
    if shape.startswith("passing on"):
        wrapper = passing_on(function, [])
        return functools.wraps(function)(wrapper) if shape.endswith("wraps") else wrapper
    if shape == "narrowed with wraps":
        return functools.wraps(function)(lambda X, names: function(X, names))  # noqa: N803
    if shape == "lying signature":
        function.__signature__ = inspect.signature(lambda X, names, *, meta: None)  # type: ignore[attr-defined]  # noqa: N803
    return function


def without_self(calls: list[Any]) -> list[Any]:
    return [{name: value for name, value in call.items() if name not in ("self", "cls")} for call in calls]


@given(
    parameters=signatures(),
    shape=st.sampled_from(SHAPES),
    verb=st.sampled_from([Verb.PREDICT, Verb.TRANSFORM_INPUT, Verb.TRANSFORM_OUTPUT, Verb.ROUTE, Verb.AGGREGATE]),
)
def test_every_signature_is_called_as_by_the_stock_wrapper(parameters: str, shape: str, verb: Verb) -> None:
    """Whatever the signature, the user's code is given the arguments that seldon-core 1.17.1 gives it, or none."""
    stock = pytest.importorskip("seldon_core.user_model", reason="no wheels for this Python")
    calls: list[Any] = []
    model = shaped(shape, parameters, calls, verb)
    more = {} if verb is Verb.AGGREGATE else {"meta": META}
    try:
        getattr(stock, f"client_{verb.value}")(model, "X", ["n"], **more)
    except TypeError:
        assert not calls
    wanted = without_self(calls)
    component = Component(model, "Model")
    for _ in range(2):  # the first call may decide something for those that follow
        calls.clear()
        try:
            component.call(verb, "X", ["n"], META)
        except RequestError:
            assert not calls
        assert without_self(calls) == wanted


@given(parameters=signatures(), shape=st.sampled_from(SHAPES))
def test_feedback_of_every_signature_is_called_as_by_the_stock_wrapper(parameters: str, shape: str) -> None:
    """What the stock wrapper can call is called alike; of what it cannot, only a call without routing is made."""
    stock = pytest.importorskip("seldon_core.user_model", reason="no wheels for this Python")
    calls: list[Any] = []
    model = shaped(shape, parameters, calls, Verb.SEND_FEEDBACK)
    feedback = Feedback(Message(PayloadKind.NDARRAY, "X", ["n"]), Message(PayloadKind.NDARRAY, "T"), 0.5, {})
    try:
        stock.client_send_feedback(model, "X", ["n"], 0.5, "T", routing=3)
    except TypeError:
        assert not calls
    wanted = without_self(calls)
    calls.clear()
    try:
        Component(model, "Model").feedback(feedback, 3)
    except RequestError:
        assert not calls
    if wanted:
        assert without_self(calls) == wanted
    else:
        assert all(3 not in call.values() for call in without_self(calls))


@given(parameters=signatures(), shape=st.sampled_from(SHAPES[:9]))
def test_a_sentence_is_given_exactly_for_those_that_take_no_call(parameters: str, shape: str) -> None:
    """A method without a decorator that hides its signature gets the sentence if, and only if, calling it fails."""
    calls: list[Any] = []
    model = shaped(shape, parameters, calls, Verb.PREDICT)
    told = list(uncallable(model))
    try:
        Component(model, "Model").call(Verb.PREDICT, "X", ["n"], META)
    except RequestError:
        assert told
    else:
        assert not told
