"""Components that import seldon-core: its base class, response, exception and blueprint."""

from typing import Any

import flask
from describing import describe, key
from seldon_core.flask_utils import SeldonMicroserviceException
from seldon_core.user_model import SeldonComponent, SeldonNotImplementedError, SeldonResponse


class Bare(SeldonComponent):  # type: ignore[misc]  # seldon_core ships no types
    """A SeldonComponent that overrides nothing."""


class Full(SeldonComponent):  # type: ignore[misc]  # seldon_core ships no types
    """A SeldonComponent that overrides everything."""

    def __init__(self, **parameters: Any) -> None:
        super().__init__(**parameters)
        self._loads = 0

    def load(self) -> None:
        self._loads += 1

    def predict(self, X: Any, names: Any, meta: Any = None) -> Any:
        return {"X": describe(X), "meta": describe(meta), "loads": self._loads}

    def transform_input(self, X: Any, names: Any, meta: Any = None) -> Any:
        return X

    def transform_output(self, X: Any, names: Any, meta: Any = None) -> Any:
        return X

    def route(self, X: Any, names: Any, meta: Any = None) -> Any:
        return 1

    def aggregate(self, Xs: Any, names: Any) -> Any:
        return Xs[-1]

    def send_feedback(self, X: Any, names: Any, reward: Any, truth: Any, routing: Any = None) -> Any:
        return [[reward]]

    def class_names(self) -> Any:
        return ["x", "y"]

    def tags(self) -> Any:
        return {"full": True}

    def metrics(self) -> Any:
        return [{"type": "COUNTER", "key": "full", "value": 2}]

    def health_status(self) -> Any:
        return "full health"

    def init_metadata(self) -> Any:
        return {"name": "full", "versions": ["1"]}


class RawNotImplemented(SeldonComponent):  # type: ignore[misc]  # seldon_core ships no types
    """A component whose raw method raises SeldonNotImplementedError."""

    def predict_raw(self, message: Any) -> Any:
        raise SeldonNotImplementedError("not this way")

    def predict(self, X: Any, names: Any, meta: Any = None) -> Any:
        return X * 2


class Raises:
    """Raises seldon-core's exception as the request's key says."""

    def _raise(self, X: Any, names: Any) -> Any:
        made: dict[str, Any] = {
            "default": lambda: SeldonMicroserviceException("refused"),
            "403": lambda: SeldonMicroserviceException("forbidden", status_code=403),
            "503": lambda: SeldonMicroserviceException("later", status_code=503, reason="MY_REASON"),
            "418": lambda: SeldonMicroserviceException("tea", status_code=418, payload={"pot": 1}, reason="TEAPOT"),
            "unicode": lambda: SeldonMicroserviceException("ünï"),
            "empty": lambda: SeldonMicroserviceException(""),
            "not-implemented": lambda: SeldonNotImplementedError("not for this"),
        }
        raise made[key(X, names)]()

    def predict(self, X: Any, names: Any) -> Any:
        return self._raise(X, names)

    def transform_input(self, X: Any, names: Any) -> Any:
        return self._raise(X, names)

    def transform_output(self, X: Any, names: Any) -> Any:
        return self._raise(X, names)

    def route(self, X: Any, names: Any) -> Any:
        return self._raise(X, names)


class Responds:
    """``SeldonResponse`` from each method, with tags and metrics of the call beside those of the class."""

    def _response(self, data: Any, names: Any) -> Any:
        word = key(data, names) if isinstance(data, str) or names else "all"
        metric = {"type": "GAUGE", "key": "runtime", "value": 42}
        return {
            "all": lambda: SeldonResponse([[1, 2]], tags={"runtime": 1, "shared": "runtime"}, metrics=[metric]),
            "plain": lambda: SeldonResponse([[1, 2]]),
            "tags": lambda: SeldonResponse("text", tags={"runtime": 1}),
            "dict": lambda: SeldonResponse({"a": 1}, metrics=[metric]),
            "bad-metric": lambda: SeldonResponse([[1]], metrics=[{"type": "SUM", "key": "a", "value": 1}]),
            "bad-value": lambda: SeldonResponse(None),
        }[word]()

    def predict(self, X: Any, names: Any) -> Any:
        return self._response(X, names)

    def transform_input(self, X: Any, names: Any) -> Any:
        return self._response(X, names)

    def transform_output(self, X: Any, names: Any) -> Any:
        return self._response(X, names)

    def route(self, X: Any, names: Any) -> Any:
        return SeldonResponse(1, tags={"runtime": 1}, metrics=[{"type": "COUNTER", "key": "r", "value": 1}])

    def aggregate(self, Xs: Any, names: Any) -> Any:
        return SeldonResponse(Xs[0], tags={"runtime": 1})

    def send_feedback(self, X: Any, names: Any, reward: Any, truth: Any, routing: Any = None) -> Any:
        return SeldonResponse([[1.0]], tags={"runtime": 1})

    def tags(self) -> Any:
        return {"static": 1, "shared": "static"}

    def metrics(self) -> Any:
        return [{"type": "COUNTER", "key": "static", "value": 1}]


class AppError(Exception):
    def __init__(self, message: str, app_code: int) -> None:
        super().__init__(message)
        self.app_code = app_code


class Handler:
    """A component whose blueprint answers its own exception."""

    model_error_handler = flask.Blueprint("error_handlers", __name__)

    @staticmethod
    @model_error_handler.app_errorhandler(AppError)
    def handle(error: AppError) -> Any:
        answer = flask.jsonify({"status": {"app_code": error.app_code, "info": str(error), "code": 402}})
        answer.status_code = 402
        return answer

    def predict(self, X: Any, names: Any) -> Any:
        if X == "own":
            raise AppError("mine", 1402)
        if X == "seldon":
            raise SeldonMicroserviceException("theirs", status_code=409)
        raise ValueError("nobody's")
