"""The answer to a request, given what the model returned, and the way of each verb through the service."""

import time
from typing import Any

import numpy as np
import pytest

from scorekit.errors import BadAnswer, BadRequest, ComponentError, DeadlineExceeded, Overloaded, RequestError
from scorekit.inference.answers import answer_meta, joined, package
from scorekit.inference.executor import Executor
from scorekit.inference.service import Service
from scorekit.message import Form, Message, PayloadKind, Prediction, Verb
from scorekit.model.component import Component
from scorekit.testing import ManualLoop


class Caller:
    abandoned = False
    deadline = float("inf")

    def __init__(self) -> None:
        self.outcomes: list[Any] = []

    def answer(self, message: Message) -> None:
        self.outcomes.append(message)

    def answer_raw(self, value: Any) -> None:
        self.outcomes.append(("raw", value))

    def fail(self, error: RequestError) -> None:
        self.outcomes.append(error)


class Asked:
    """A request that needs no decoding."""

    form = Form.JSON

    def __init__(self, *messages: Message) -> None:
        self.raw = {"raw": len(messages)}
        self._messages = list(messages)

    def message(self) -> Message:
        return self._messages[0]

    def messages(self) -> list[Message]:
        return self._messages

    def take_metrics(self, answer: Any, verb: Verb, include: bool) -> list[Any]:
        return []


def ask(served: Service, message: Message, caller: Caller, verb: Verb = Verb.PREDICT) -> None:
    served.ask(verb, Asked(message), caller)


def asked(kind: PayloadKind, payload: Any = None, **more: Any) -> Message:
    return Message(kind, np.array([[1.0, 2.0]]) if payload is None else payload, **more)


ARRAY = np.array([[1.0, 2.0]])

# Returned value, kind asked, kind answered: the returned type decides, the request only an array's form (1.17.1).
FORMS = [
    (ARRAY, PayloadKind.TENSOR, PayloadKind.TENSOR),
    (ARRAY, PayloadKind.NDARRAY, PayloadKind.NDARRAY),
    (ARRAY, PayloadKind.STR, PayloadKind.TENSOR),
    (ARRAY, PayloadKind.JSON, PayloadKind.TENSOR),
    ([[1, 2]], PayloadKind.TENSOR, PayloadKind.TENSOR),
    ([[1, 2]], PayloadKind.JSON, PayloadKind.TENSOR),
    ([[1, "a"]], PayloadKind.TENSOR, PayloadKind.NDARRAY),
    (np.array([True]), PayloadKind.TENSOR, PayloadKind.NDARRAY),
    (np.array(["a"]), PayloadKind.BIN, PayloadKind.NDARRAY),
    ({"a": 1}, PayloadKind.TENSOR, PayloadKind.JSON),
    ("text", PayloadKind.TENSOR, PayloadKind.STR),
    (b"\x01", PayloadKind.TENSOR, PayloadKind.BIN),
    (bytearray(b"\x01"), PayloadKind.STR, PayloadKind.BIN),
]


@pytest.mark.parametrize(("returned", "sent", "answered"), FORMS, ids=repr)
def test_the_returned_type_decides_the_kind(returned: Any, sent: PayloadKind, answered: PayloadKind) -> None:
    """A dict, bytes, a str and an array have their own keys; only the form of a numeric array follows the request."""
    assert package(asked(sent), Prediction(returned), {}).kind is answered


def test_lists_are_echoed_untouched_in_ndarray_form() -> None:
    """A list that the model returns is sent unchanged: integers stay integers beside floats."""
    assert package(asked(PayloadKind.NDARRAY), Prediction([[1, 2.5]]), {}).payload == [[1, 2.5]]


@pytest.mark.parametrize("returned", [None, 1, 1.5, (1, 2), np.float64(1.0), {1, 2}])
def test_what_has_no_form_is_refused(returned: Any) -> None:
    """Numbers, tuples, None and numpy scalars are refused in the stock wrapper's words."""
    with pytest.raises(BadAnswer, match=r"Unknown data type returned as payload \(must be list or np array\):"):
        package(asked(PayloadKind.NDARRAY), Prediction(returned), {})


@pytest.mark.parametrize(
    ("returned", "class_names", "names"),
    [
        (ARRAY, None, ["t:0", "t:1"]),
        (ARRAY, ["a", "b"], ["a", "b"]),
        (ARRAY, ["a"], ["a"]),
        (ARRAY[0], ["a", "b"], []),
        ([[1, 2, 3]], None, ["t:0", "t:1", "t:2"]),
        (np.zeros((1, 2, 3)), None, ["t:0", "t:1"]),
        ([], None, []),
    ],
)
def test_names_of_the_answer(returned: Any, class_names: Any, names: list[str]) -> None:
    """Arrays of two dimensions or more have the class's names, or t:0 and so on; others have none."""
    assert package(asked(PayloadKind.NDARRAY), Prediction(returned, class_names), {}).names == names


def test_meta_flows_as_in_the_stock_wrapper() -> None:
    """Tags, metrics, requestPath and puid are passed on, other keys are not; our tags and their paths win."""
    sent = {
        "puid": "p",
        "tags": {"a": 1, "b": 1},
        "metrics": [{"key": "theirs"}],
        "requestPath": {"other": "image:1", "node": "theirs"},
        "routing": {"x": 1},
        "unknown": 1,
    }
    prediction = Prediction([1], tags={"b": 2}, metrics=[{"key": "ours"}])
    assert answer_meta(sent, prediction, {"node": "ours"}) == {
        "puid": "p",
        "tags": {"a": 1, "b": 2},
        "metrics": [{"key": "theirs"}, {"key": "ours"}],
        "requestPath": {"node": "theirs", "other": "image:1"},
    }
    assert answer_meta(None, Prediction([1]), {}) == {}


def test_the_requests_meta_is_not_changed() -> None:
    """The meta that the model was given is not changed when the answer's meta is made."""
    sent = {"tags": {"a": 1}, "metrics": []}
    answer_meta(sent, Prediction([1], tags={"b": 2}, metrics=[{}]), {})
    assert sent == {"tags": {"a": 1}, "metrics": []}


class Doubling:
    """A model that counts its calls."""

    def __init__(self) -> None:
        self.calls = 0

    def predict(self, X: Any, names: Any) -> Any:  # noqa: N803
        self.calls += 1
        return X * 2


def service(model: object, loop: ManualLoop, max_batch_rows: int | None = 10) -> Service:
    # The executor's clock stands still: no call is ever slow.
    return Service(
        Component(model, "Model"), loop, max_batch_rows=max_batch_rows, executor=Executor(loop, clock=lambda: 0.0)
    )


def test_concurrent_arrays_are_one_call_of_the_model() -> None:
    """Two requests of one turn are answered by one call, each in its own form."""
    model, loop, callers = Doubling(), ManualLoop(), [Caller(), Caller()]
    served = service(model, loop)
    ask(served, asked(PayloadKind.TENSOR), callers[0])
    ask(served, asked(PayloadKind.NDARRAY, meta={"puid": "p"}), callers[1])
    loop.run_once()
    assert model.calls == 1
    assert [caller.outcomes[0].kind for caller in callers] == [PayloadKind.TENSOR, PayloadKind.NDARRAY]
    assert callers[1].outcomes[0].meta == {"puid": "p"}


def test_batching_is_off_unless_asked_for() -> None:
    """Without a batch size each request is its own call, answered before predict returns."""
    model, caller = Doubling(), Caller()
    ask(service(model, ManualLoop(), None), asked(PayloadKind.TENSOR), caller)
    assert caller.outcomes[0].payload.tolist() == [[2.0, 4.0]]


def test_a_component_that_could_tell_is_never_batched() -> None:
    """Requests are called one by one for a class with tags() or metrics(), and for one that is given their meta."""

    class Tagging(Doubling):
        def tags(self) -> dict[str, int]:
            return {"calls": self.calls}

    class Meta(Doubling):
        def predict(self, X: Any, names: Any, meta: Any = None) -> Any:  # noqa: N803
            return super().predict(X, names)

    for model, meta in ((Tagging(), None), (Meta(), {"puid": "p"})):
        loop = ManualLoop()
        served = service(model, loop)
        for _ in range(2):
            ask(served, asked(PayloadKind.TENSOR, meta=meta), Caller())
        loop.run_once()
        assert model.calls == 2


def test_text_and_bytes_are_never_batched() -> None:
    """Only arrays have rows to merge."""
    caller = Caller()
    ask(service(Doubling(), ManualLoop()), asked(PayloadKind.STR, "ab"), caller)
    assert caller.outcomes[0].payload == "abab"


def test_a_failing_model_is_logged_once_and_told_safely(caplog: pytest.LogCaptureFixture) -> None:
    """The cause is logged under the reference that the caller was given."""

    class Failing:
        def predict(self, X: Any, names: Any) -> Any:  # noqa: N803
            raise ValueError("the secret")

    caller = Caller()
    ask(service(Failing(), ManualLoop(), None), asked(PayloadKind.TENSOR), caller)
    (error,) = caller.outcomes
    assert isinstance(error, ComponentError)
    assert "the secret" not in str(error)
    (record,) = caplog.records
    assert error.reference in record.getMessage()
    assert "the secret" in caplog.text


class Hostile:
    """A value that raises whenever it is inspected, as a torch tensor that requires grad does."""

    def __array__(self, *arguments: Any, **keywords: Any) -> Any:
        raise RuntimeError("not here")

    def __str__(self) -> str:
        raise RuntimeError("not here either")


@pytest.mark.parametrize("returned", [[Hostile()], Hostile()], ids=["list", "value"])
def test_an_answer_that_cannot_be_looked_at_fails_its_own_request_only(returned: Any) -> None:
    """If inspecting a returned value raises, that caller gets an error, and the other requests are answered."""

    class Model:
        def predict(self, X: Any, names: Any) -> Any:  # noqa: N803
            return returned if X.shape[1] == 1 else X

    loop, bad, good = ManualLoop(), Caller(), Caller()
    served = service(Model(), loop)
    ask(served, asked(PayloadKind.NDARRAY, np.array([[1.0]])), bad)
    ask(served, asked(PayloadKind.NDARRAY), good)
    loop.run_once()
    assert isinstance(bad.outcomes[0], ComponentError)
    assert good.outcomes[0].payload.tolist() == [[1.0, 2.0]]


def test_batching_that_cannot_be_is_not_claimed() -> None:
    """A service whose component has hooks says that it does not merge requests."""

    class Tagging(Doubling):
        def tags(self) -> dict[str, int]:
            return {}

    assert not service(Tagging(), ManualLoop()).batching
    assert service(Doubling(), ManualLoop()).batching


class Graph:
    """A component with every verb."""

    def transform_input(self, X: Any, names: Any) -> Any:  # noqa: N803
        return X + 1

    def route(self, X: Any, names: Any) -> Any:  # noqa: N803
        return int(X[0][0])

    def aggregate(self, X: Any, names: Any) -> Any:  # noqa: N803
        return np.array(X).sum(axis=0)

    def predict_raw(self, request: Any) -> Any:
        return {"got": request}


def test_each_verb_calls_its_method() -> None:
    """Transform, route and aggregate call the class's methods; a missing transform returns its input."""
    served, caller = service(Graph(), ManualLoop(), None), Caller()
    ask(served, asked(PayloadKind.TENSOR), caller, Verb.TRANSFORM_INPUT)
    ask(served, asked(PayloadKind.TENSOR), caller, Verb.TRANSFORM_OUTPUT)
    ask(served, asked(PayloadKind.NDARRAY, meta={"puid": "p", "tags": {"a": 1}}), caller, Verb.ROUTE)
    served.ask(Verb.AGGREGATE, Asked(asked(PayloadKind.NDARRAY), asked(PayloadKind.TENSOR)), caller)
    payloads = [np.asarray(outcome.payload).tolist() for outcome in caller.outcomes]
    assert payloads == [[[2.0, 3.0]], [[1.0, 2.0]], [[1]], [[2.0, 4.0]]]
    assert [outcome.kind for outcome in caller.outcomes] == [
        PayloadKind.TENSOR,
        PayloadKind.TENSOR,
        PayloadKind.NDARRAY,
        PayloadKind.NDARRAY,
    ]
    assert (caller.outcomes[2].names, caller.outcomes[2].meta) == (["t:0"], {"puid": "p"})


def test_a_raw_method_is_given_the_request_and_answers_verbatim() -> None:
    """predict_raw is given the transport's own form, and what it returns is sent unchanged."""
    caller = Caller()
    ask(service(Graph(), ManualLoop()), asked(PayloadKind.TENSOR), caller)
    assert caller.outcomes == [("raw", {"got": {"raw": 1}})]


@pytest.mark.parametrize(
    ("verb", "told"), [(Verb.ROUTE, "Route not defined"), (Verb.AGGREGATE, "Aggregate not defined")]
)
def test_a_missing_route_or_aggregate_is_a_bad_request(verb: Verb, told: str) -> None:
    """A verb that the class does not have is refused in the stock wrapper's words."""
    caller = Caller()
    ask(service(Doubling(), ManualLoop()), asked(PayloadKind.TENSOR), caller, verb)
    assert str(caller.outcomes[0]) == told


def test_an_aggregate_merges_meta_from_left_to_right() -> None:
    """Later tags win, paths are merged, metrics are concatenated, and the puid is that of the first message."""
    first = Message(
        PayloadKind.STR, "a", [], {"puid": "1", "tags": {"x": 1, "y": 1}, "metrics": [1], "requestPath": {"a": "i"}}
    )
    second = Message(
        PayloadKind.STR, "b", [], {"puid": "2", "tags": {"y": 2}, "metrics": [2], "requestPath": {"b": "j"}}
    )
    message = joined([first, second])
    assert (message.payload, message.names) == (["a", "b"], [[], []])
    assert message.meta == {
        "puid": "1",
        "tags": {"x": 1, "y": 2},
        "metrics": [1, 2],
        "requestPath": {"a": "i", "b": "j"},
    }


def test_a_check_stands_before_the_model() -> None:
    """Rows that the check refuses never reach the model, batched or not; other verbs and raw methods have no check."""
    loop, calls = ManualLoop(), list[Any]()

    class Model:
        def predict(self, X: Any, names: Any) -> Any:  # noqa: N803
            calls.append(X)
            return X

        def transform_input(self, X: Any, names: Any) -> Any:  # noqa: N803
            return X

        def transform_output_raw(self, request: Any) -> Any:
            return request

    class Refuse:
        def __call__(self, message: Message) -> None:
            raise BadRequest("not this one", "$.data")

        def admits(self, rows: Any) -> bool:
            return False

    for max_batch_rows in (None, 10):
        served = Service(Component(Model(), "Model"), loop, max_batch_rows=max_batch_rows, check=Refuse())
        caller = Caller()
        for verb in (Verb.PREDICT, Verb.TRANSFORM_INPUT, Verb.TRANSFORM_OUTPUT):
            ask(served, asked(PayloadKind.TENSOR), caller, verb)
            loop.run_once()
        refused, transformed, raw = caller.outcomes
        assert str(refused) == "not this one at $.data"
        assert isinstance(transformed, Message)
        assert raw[0] == "raw"
    assert not calls


class Held:
    """A thread whose work is done when the test says so."""

    def __init__(self) -> None:
        self.work: list[Any] = []

    def run(self, work: Any, done: Any, /) -> None:
        self.work.append((work, done))

    def do(self) -> None:
        work, done = self.work.pop(0)
        work()
        done(0.1)


@pytest.mark.parametrize("max_batch_rows", [None, 100])
def test_what_would_wait_in_too_long_a_queue_is_refused_at_once(max_batch_rows: int | None) -> None:
    """A request beyond the limit fails before it is decoded; once those that wait are answered, there is room again."""
    loop, thread, model = ManualLoop(), Held(), Doubling()
    slow = Executor(loop, thread, clock=lambda: 0.0, mean_s=0.1)
    served = Service(Component(model, "Model"), loop, max_batch_rows=max_batch_rows, executor=slow, max_in_flight=3)
    callers = [Caller() for _ in range(6)]
    for caller in callers:
        ask(served, asked(PayloadKind.TENSOR), caller)
        loop.run_once()
    refused = [caller for caller in callers if caller.outcomes]
    assert [type(caller.outcomes[0]) for caller in refused] == [Overloaded] * 2
    while thread.work:
        thread.do()
    assert sum(isinstance(caller.outcomes[0], Message) for caller in callers) == 4
    late = Caller()
    ask(served, asked(PayloadKind.TENSOR), late)
    loop.run_once()
    thread.do()
    assert isinstance(late.outcomes[0], Message)


def test_a_wait_that_would_be_too_long_is_refused() -> None:
    """The limit is a time: ten calls of 0.1 s that wait are one second."""
    loop, thread = ManualLoop(), Held()
    slow = Executor(loop, thread, clock=lambda: 0.0, mean_s=0.1)
    served = Service(Component(Doubling(), "Model"), loop, executor=slow, max_wait_s=0.95)
    callers = [Caller() for _ in range(15)]
    for caller in callers:
        ask(served, asked(PayloadKind.TENSOR), caller)
    assert sum(bool(caller.outcomes) for caller in callers) == 4  # one runs, ten wait


@pytest.mark.parametrize("max_batch_rows", [None, 2])
def test_those_who_have_gone_keep_no_one_out(max_batch_rows: int | None) -> None:
    """If the queue is full of requests whose callers have gone, they leave it, and the next request is taken."""
    loop, thread = ManualLoop(), Held()
    slow = Executor(loop, thread, clock=lambda: 0.0, mean_s=0.1)
    served = Service(
        Component(Doubling(), "Model"), loop, max_batch_rows=max_batch_rows, executor=slow, max_in_flight=4
    )
    callers = [Caller() for _ in range(6)]
    for caller in callers:
        ask(served, asked(PayloadKind.TENSOR), caller)
        loop.run_once()
    assert [bool(caller.outcomes) for caller in callers] == [False] * 5 + [True]
    for caller in callers[1:4]:
        caller.abandoned = True
    slow._looked_at = -1.0  # the clock stands still, and the refusal has looked already
    last = Caller()
    ask(served, asked(PayloadKind.TENSOR), last)
    loop.run_once()
    assert not last.outcomes
    while thread.work:
        thread.do()
        loop.run_once()
    assert [len(caller.outcomes) for caller in (*callers, last)] == [1, 0, 0, 0, 1, 1, 1]


def test_who_would_be_answered_too_late_is_refused_at_once() -> None:
    """Behind five calls of 0.1 s, a request with half a second left is refused, and one with a minute waits."""
    loop, thread = ManualLoop(), Held()
    slow = Executor(loop, thread, clock=lambda: 0.0, mean_s=0.1)
    served = Service(Component(Doubling(), "Model"), loop, executor=slow)
    for _ in range(6):
        ask(served, asked(PayloadKind.TENSOR), Caller())
    for left_s, outcome in ((0.5, [Overloaded]), (60.0, [])):
        caller = Caller()
        caller.deadline = time.perf_counter() + left_s
        ask(served, asked(PayloadKind.TENSOR), caller)
        assert [type(each) for each in caller.outcomes] == outcome


@pytest.mark.parametrize("max_batch_rows", [None, 100])
def test_callers_of_a_model_that_hangs_are_told(max_batch_rows: int | None) -> None:
    """The caller of the hanging call gets a deadline error, and those behind it an error that allows a retry."""
    loop, thread = ManualLoop(), Held()
    slow = Executor(loop, thread, clock=lambda: 0.0, mean_s=0.1)
    served = Service(Component(Doubling(), "Model"), loop, max_batch_rows=max_batch_rows, executor=slow)
    callers = [Caller() for _ in range(3)]
    for caller in callers:
        ask(served, asked(PayloadKind.TENSOR), caller)
        loop.run_once()
    slow.give_up()
    assert [type(caller.outcomes[0]) for caller in callers] == [DeadlineExceeded, Overloaded, Overloaded]


@pytest.mark.parametrize("verb", [Verb.PREDICT, Verb.TRANSFORM_INPUT])
def test_a_deadline_that_has_passed_is_told(verb: Verb) -> None:
    """A call whose deadline has passed when its turn comes is not made."""
    loop, model, caller = ManualLoop(), Doubling(), Caller()
    caller.deadline = 0.0
    ask(service(model, loop, None), asked(PayloadKind.TENSOR), caller, verb)
    assert isinstance(caller.outcomes[0], DeadlineExceeded)
    assert model.calls == 0
