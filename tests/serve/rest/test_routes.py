"""The REST routes and their statuses."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from scorekit import errors
from scorekit.inference.service import Service
from scorekit.model.component import Component
from scorekit.serve.rest import STATUS, RestRoutes

from ..conftest import Wire

BODY = '{"data":{"ndarray":[[1,2]]}}'
ANSWER = {"data": {"names": ["t:0", "t:1"], "ndarray": [[2, 4]]}, "meta": {}}


def ask(
    wire: Wire, method: str, target: str, body: str = "", content_type: str = "application/json"
) -> tuple[int, dict[str, str], Any]:
    kind = f"Content-Type: {content_type}\r\n" if content_type else ""
    raw = body.encode()
    client = wire.client()
    client.send(f"{method} {target} HTTP/1.1\r\nHost: x\r\n{kind}Content-Length: {len(raw)}\r\n\r\n".encode() + raw)
    ((status, headers, text),) = client.receive()
    return status, headers, json.loads(text) if headers["content-type"] == "application/json" else text.decode()


def test_every_error_has_its_status() -> None:
    """The table from errors to statuses has every error, except those that bring a status of their own."""

    def leaves(family: type[errors.RequestError]) -> set[type[errors.RequestError]]:
        below = family.__subclasses__()
        return set().union(*(leaves(each) for each in below)) if below else {family}

    assert set(STATUS) | {errors.DeclaredError, errors.HandledError} == leaves(errors.RequestError)


@pytest.mark.parametrize("path", ["/predict", "/api/v0.1/predictions", "/api/v1.0/predictions"])
def test_predict_answers_on_each_of_its_paths(wire: Wire, path: str) -> None:
    """The stock path and its aliases answer a JSON body."""
    status, _, answer = ask(wire, "POST", path, BODY)
    assert (status, answer) == (200, ANSWER)


@pytest.mark.parametrize(
    ("target", "body", "content_type"),
    [
        ("/predict", BODY, "application/json; charset=utf-8"),
        ("/predict", BODY, "APPLICATION/JSON"),
        ("/predict", BODY, "application/vnd.seldon+json"),
        ("/predict", urlencode({"json": BODY, "isDefault": "true"}), "application/x-www-form-urlencoded"),
        ("/predict?json=" + quote(BODY), "", ""),
        ("/predict?json=" + quote(BODY), '{"strData":"loses"}', "application/json"),
        (
            "/predict?json=" + quote('{"strData":"loses"}'),
            urlencode({"json": BODY}),
            "application/x-www-form-urlencoded",
        ),
        ("/predict?json=", BODY, "application/json"),
        ("/predict", "json=" + BODY, "application/x-www-form-urlencoded"),
    ],
)
def test_the_request_is_found_in_each_of_its_places(wire: Wire, target: str, body: str, content_type: str) -> None:
    """The JSON is taken from a form before the query before the body, as in the stock wrapper."""
    status, _, answer = ask(wire, "POST", target, body, content_type)
    assert (status, answer) == (200, ANSWER)


def test_a_form_may_hold_plain_utf_8(wire: Wire) -> None:
    """Text in a form that is not percent-encoded is read as UTF-8."""
    status, _, answer = ask(wire, "POST", "/predict", 'json={"strData":"é"}', "application/x-www-form-urlencoded")
    assert (status, answer["strData"]) == (200, "é")


def test_predict_answers_a_get_with_a_query(wire: Wire) -> None:
    """`GET /predict?json=…` is a prediction, as in the stock wrapper."""
    assert ask(wire, "GET", "/predict?json=" + quote(BODY))[::2] == (200, ANSWER)


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (BODY, "", "Can't find JSON in data: send Content-Type: application/json; this request has no content type"),
        (BODY, "text/plain", "this request has 'text/plain'"),
        (BODY, "application/x-www-form-urlencoded", "this request has 'application/x-www-form-urlencoded'"),
        ("", "application/json", "Can't find JSON in data"),
        ("{", "application/json", "Can't find JSON in data"),
        ("json=%ff%fe", "application/x-www-form-urlencoded", "not UTF-8"),
        ('{"data":{"tensor":{"shape":[2],"values":[1]}}}', "application/json", "at $.data.tensor.shape"),
    ],
)
def test_a_bad_request_learns_what_to_send(wire: Wire, body: str, content_type: str, expected: str) -> None:
    """A bad request gets a 400 in the stock envelope, with what was expected and where."""
    status, _, answer = ask(wire, "POST", "/predict", body, content_type)
    assert status == 400
    assert expected in answer["status"]["info"]
    assert {**answer["status"], "info": ""} == {"code": -1, "info": "", "reason": "MICROSERVICE_BAD_DATA", "status": 1}


def test_a_failing_model_gets_a_500_without_details(wire: Wire) -> None:
    """The exception of a model goes to the log; the answer has only a reference to it."""
    status, _, answer = ask(wire, "POST", "/predict", '{"strData":"fail"}')
    assert (status, answer["status"]["reason"]) == (500, "MICROSERVICE_INTERNAL_ERROR")
    assert "secret" not in json.dumps(answer)


def test_an_unknown_path_is_404(wire: Wire) -> None:
    """An unknown path gets a 404, not the stock wrapper's 500."""
    status, _, answer = ask(wire, "POST", "/nope/%0d", BODY)
    assert (status, answer["status"]["info"]) == (404, "404 Not Found: no route /nope/%0d")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/api/v1.0/predictions", "POST"),
        ("DELETE", "/predict", "GET, HEAD, POST"),
        ("POST", "/health/ping", "GET, HEAD"),
    ],
)
def test_a_wrong_method_is_405_with_the_right_ones(wire: Wire, method: str, path: str, allowed: str) -> None:
    """A wrong method gets a 405 with an Allow header, not the stock wrapper's 500."""
    status, headers, _ = ask(wire, method, path)
    assert (status, headers["allow"]) == (405, allowed)


def test_health(wire: Wire) -> None:
    """Liveness answers `pong`; readiness answers a SeldonMessage."""
    assert ask(wire, "GET", "/health/ping")[::2] == (200, "pong")
    for path in ("/health/status", "/api/v1.0/health/status"):
        assert ask(wire, "GET", path)[::2] == (200, {"meta": {}, "strData": "healthy"})


def test_readiness_ends_before_the_server_does(wire: Wire) -> None:
    """A server that shuts down answers health checks with 503, and predictions as before."""
    rest: Any = wire._handler
    wire.call(rest.stop_being_ready)
    assert ask(wire, "GET", "/health/status")[0] == 503
    assert ask(wire, "GET", "/health/ping")[0] == 200
    assert ask(wire, "POST", "/predict", BODY)[0] == 200


def test_the_other_verbs_answer_on_their_paths(start: Callable[..., Wire]) -> None:
    """Transforms, route and aggregate take JSON on the stock paths; aggregate takes both of its forms."""

    class Graph:
        def transform_output(self, X: Any, names: Any) -> Any:  # noqa: N803
            return X + 1

        def route(self, X: Any, names: Any) -> int:  # noqa: N803
            return 1

        def aggregate(self, X: Any, names: Any) -> Any:  # noqa: N803
            return X[0] + X[1]

    wire = start(lambda loop: RestRoutes(Service(Component(Graph(), "Graph"), loop)))
    messages = f"[{BODY},{BODY}]"
    for path, body, rows in (
        ("/transform-input", BODY, [[1, 2]]),
        ("/transform-output", BODY, [[2, 3]]),
        ("/route", BODY, [[1]]),
        ("/aggregate", messages, [[2, 4]]),
        ("/aggregate", f'{{"seldonMessages":{messages}}}', [[2, 4]]),
    ):
        status, _, answer = ask(wire, "POST", path, body)
        assert (status, answer["data"]["ndarray"]) == (200, rows)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"seldonMessages":5}', "expected a list of messages, got a number at $.seldonMessages"),
        ('{"wrong":[]}', "expected a list of messages, got null at $.seldonMessages"),
        ('[{"strData":"a"},{"strData":1}]', "expected a string, got a number at $[1].strData"),
        ("[]", "an aggregate needs at least one message at $.seldonMessages"),
    ],
)
def test_the_error_of_an_aggregate_names_the_place(wire: Wire, body: str, expected: str) -> None:
    """The error of an aggregate names the message and the place in it."""
    status, _, answer = ask(wire, "POST", "/aggregate", body)
    assert status == 400
    assert expected in answer["status"]["info"]


def test_a_raw_answer_sets_the_status_it_declares(start: Callable[..., Wire]) -> None:
    """The answer of predict_raw is sent unchanged, with the HTTP status of its status.code."""

    class Raw:
        def predict_raw(self, request: Any) -> Any:
            return {"status": {"code": 418}, "sent": request}

    wire = start(lambda loop: RestRoutes(Service(Component(Raw(), "Raw"), loop)))
    sent = '{"anything":[1]}'
    assert ask(wire, "POST", "/predict", sent)[::2] == (418, {"status": {"code": 418}, "sent": {"anything": [1]}})
