"""What a class offers is found out once: raw methods by form, keywords by signature, and error handlers."""

from typing import Any

import pytest

from scorekit.errors import BadMetric, BadRequest, ComponentError, DeclaredError, HandledError
from scorekit.message import Feedback, Form, Message, PayloadKind, Verb
from scorekit.model.component import NOT_OFFERED, Component
from scorekit.model.methods import hook
from scorekit.user_model import (
    SeldonMicroserviceException,
    SeldonNotImplementedError,
    SeldonResponse,
    create_counter,
    create_gauge,
    create_timer,
)


class Every:
    """A component with every method, each of which answers its own name."""

    def __getattr__(self, name: str) -> Any:
        if name.endswith(("_rest", "_grpc", "_raw")):
            return lambda *arguments: name
        raise AttributeError(name)


@pytest.mark.parametrize(
    ("verb", "raw"),
    [
        (Verb.PREDICT, {Form.JSON: "predict_rest", Form.PROTO: "predict_grpc"}),
        (Verb.ROUTE, {Form.JSON: "route_rest", Form.PROTO: "route_rest"}),
        (Verb.SEND_FEEDBACK, {Form.TEXT: "send_feedback_rest", Form.PROTO: "send_feedback_grpc"}),
        (Verb.HEALTH_STATUS, {Form.JSON: "health_status_raw"}),
    ],
)
def test_deprecated_names_come_first(verb: Verb, raw: dict[Form, str]) -> None:
    """Raw methods are tried in the stock wrapper's order, which differs between predict, feedback and other verbs."""
    assert {form: method() for form, method in hook(Every(), verb).raw.items()} == raw


def test_a_raw_method_may_say_that_it_is_not_there() -> None:
    """If a raw method raises SeldonNotImplementedError, the method that is given rows is called."""

    class Model:
        def predict_raw(self, request: Any) -> Any:
            raise SeldonNotImplementedError("no")

    component = Component(Model(), "Model")
    assert component.call_raw(Verb.PREDICT, Form.JSON, {}) is NOT_OFFERED
    assert Form.PROTO in component.hooks[Verb.PREDICT].raw
    assert Form.JSON not in component.hooks[Verb.ROUTE].raw


def test_a_method_may_say_that_it_is_not_there() -> None:
    """A predict or transform that raises SeldonNotImplementedError counts as missing; for a route it is the answer."""

    class Model:
        def predict(self, X: Any, names: Any) -> Any:  # noqa: N803
            raise SeldonNotImplementedError("no")

        transform_input = route = predict

    component = Component(Model(), "Model")
    assert component.predict([1], []).payload == []
    assert component.call(Verb.TRANSFORM_INPUT, [1], []).payload == [1]
    with pytest.raises(DeclaredError, match="no"):
        component.call(Verb.ROUTE, [1], [])


def test_a_response_brings_tags_and_metrics_of_its_call() -> None:
    """Our SeldonResponse is read as seldon-core's: its tags win, its metrics come last, and they are checked."""

    class Model:
        metric: Any = create_gauge("g", 2.5, {"a": "b"})

        def predict(self, X: Any, names: Any) -> Any:  # noqa: N803
            return SeldonResponse(X, tags={"shared": "call"}, metrics=[self.metric])

        def tags(self) -> Any:
            return {"shared": "class", "own": 1}

        def metrics(self) -> Any:
            return [create_counter("c", 1), create_timer("t", 3)]

    model = Model()
    said = Component(model, "Model").predict([1], [])
    assert said.payload == [1]
    assert said.tags == {"shared": "call", "own": 1}
    assert [metric["key"] for metric in said.metrics] == ["c", "t", "g"]
    assert said.metrics[2]["tags"] == {"a": "b", "method": "predict"}
    assert model.metric["tags"] == {"a": "b"}, "the model's own object is left alone"
    for broken in ({"key": "g"}, {"key": "g", "type": "SUM", "value": 1}, {"key": "g", "type": "GAUGE", "value": "1"}):
        model.metric = broken
        with pytest.raises(BadMetric, match="Bad metric created during request: "):
            Component(model, "Model").predict([1], [])


def test_a_metric_needs_a_number() -> None:
    """The create_… functions refuse a value that is not a number."""
    for create in (create_counter, create_gauge, create_timer):
        with pytest.raises(TypeError):
            create("k", "1")  # type: ignore[arg-type]


def test_a_refusal_has_its_words_and_status() -> None:
    """Our SeldonMicroserviceException works as seldon-core's: message, status and reason reach the caller."""

    class Model:
        def predict(self, X: Any, names: Any) -> Any:  # noqa: N803
            raise SeldonMicroserviceException("too small", status_code=422, reason="SMALL")

    with pytest.raises(DeclaredError, match="too small") as refused:
        Component(Model(), "Model").predict([1], [])
    assert (refused.value.status, refused.value.reason) == (422, "SMALL")
    assert SeldonMicroserviceException("x").status_code == 400


def test_errors_are_exposed_only_if_asked() -> None:
    """With EXPOSE_ERRORS callers read what the model raised, as with the stock wrapper."""

    class Model:
        def predict(self, X: Any, names: Any) -> Any:  # noqa: N803
            raise ValueError("the cause")

    with pytest.raises(ComponentError) as hidden:
        Component(Model(), "Model").predict([1], [])
    with pytest.raises(ComponentError) as exposed:
        Component(Model(), "Model", expose_errors=True).predict([1], [])
    assert "the cause" not in str(hidden.value)
    assert str(exposed.value) == "the cause"


class Failing:
    """A component that raises what its request says, with a function as its error handler."""

    def predict(self, X: Any, names: Any) -> Any:  # noqa: N803
        raise X

    @staticmethod
    def model_error_handler(error: BaseException) -> Any:
        if isinstance(error, KeyError):
            return 418, {"key": error.args[0]}
        if isinstance(error, OSError):
            raise RuntimeError("the handler fails, too")  # noqa: TRY004  what it raises does not matter
        return None


def test_an_error_handler_may_be_a_function() -> None:
    """The handler's answer is sent; an exception that it leaves, or fails on, is answered as without a handler."""
    component = Component(Failing(), "Failing")
    with pytest.raises(HandledError) as handled:
        component.predict(KeyError("k"), [])
    assert (handled.value.status, handled.value.body) == (418, b'{"key": "k"}\n')
    for left in (ValueError("x"), OSError("y")):
        with pytest.raises(ComponentError):
            component.predict(left, [])


def test_an_error_handler_may_be_a_blueprint() -> None:
    """A Flask blueprint's handlers answer for their classes, except Exception, as with the stock wrapper."""
    flask = pytest.importorskip("flask", reason="comes with seldon-core 1.17.1 only")
    blueprint = flask.Blueprint("errors", __name__)
    blueprint.app_errorhandler(KeyError)(lambda error: ({"key": error.args[0]}, 418))
    blueprint.app_errorhandler(Exception)(lambda error: ("never", 200))
    model = Failing()
    model.model_error_handler = blueprint  # type: ignore[method-assign]
    component = Component(model, "Failing")
    with pytest.raises(HandledError) as handled:
        component.predict(KeyError("k"), [])
    assert (handled.value.status, handled.value.content_type) == (418, "application/json")
    assert b'"key"' in handled.value.body
    for left in (ValueError("x"), SystemExit(1)):
        with pytest.raises(ComponentError):
            component.predict(left, [])
    with pytest.raises(DeclaredError):
        component.predict(SeldonMicroserviceException("mine"), [])


def test_feedback_is_handed_on_with_or_without_routing() -> None:
    """A method that takes routing is given it; None, or a class without the method, answers an empty list."""
    told = Feedback(Message(PayloadKind.NDARRAY, [1]), Message(PayloadKind.NDARRAY, [2]), 0.5, {"0": 3})

    class New:
        def send_feedback(self, features: Any, names: Any, reward: float, truth: Any, routing: int | None) -> Any:
            return [features, reward, truth, routing]

    class Old:
        def send_feedback(self, features: Any, names: Any, reward: float, truth: Any) -> None:
            return None

    assert Component(New(), "New").feedback(told, 3).payload == [[1], 0.5, [2], 3]
    assert Component(Old(), "Old").feedback(told, 3).payload == []
    assert Component(object(), "None").feedback(told, 3).payload == []


def test_health_is_what_the_class_says() -> None:
    """A component answers its health_status(); without one it is healthy."""

    class Model:
        def health_status(self) -> Any:
            return [0.5]

    assert Component(Model(), "Model").health().payload == [0.5]
    assert Component(object(), "None").health().payload == "healthy"
    with pytest.raises(BadRequest, match="Route not defined"):
        Component(Model(), "Model").call(Verb.ROUTE, [], [])
