"""Methods that see the message itself: ``_raw``, and the deprecated ``_rest`` and ``_grpc``."""

from typing import Any


def _key(message: Any) -> str:
    try:
        return str(message["strData"])
    except (KeyError, TypeError):
        return "same"


class Raw:
    """Answers from raw methods what ``strData`` says; over REST they are given dicts."""

    def _answer(self, method: str, message: Any) -> Any:
        metric = {"type": "COUNTER", "key": "raw", "value": 1}
        answers: dict[str, Any] = {
            "same": message,
            "method": {"strData": method},
            "data": {"data": {"names": ["a"], "ndarray": [[1]]}},
            "meta": {"strData": "x", "meta": {"tags": {"a": 1}, "puid": "p"}},
            "unknown-members": {"anything": {"goes": [1, 2.5]}},
            "empty": {},
            "list": [1, {"a": 2}],
            "string": "text",
            "number": 3,
            "none": None,
            "status": {"strData": "x", "status": {"code": 404, "status": 1}},
            "status-only": {"status": {"code": 400, "info": "mine", "status": 1}},
            "status-200": {"strData": "x", "status": {"code": 200, "status": 0}},
            "status-201": {"strData": "x", "status": {"code": 201}},
            "status-without-code": {"strData": "x", "status": {"info": "no code"}},
            "status-text": {"strData": "x", "status": {"code": "418"}},
            "status-none": {"strData": "x", "status": None},
            "metrics": {"strData": "x", "meta": {"metrics": [metric]}},
            "metrics-tags": {"strData": "x", "meta": {"metrics": [{**metric, "tags": {"t": "v"}}]}},
            "bytes": b"bytes",
        }
        if _key(message) == "raise":
            raise ValueError("raw failed")
        return answers[_key(message)]

    def predict_raw(self, message: Any) -> Any:
        return self._answer("predict_raw", message)

    def transform_input_raw(self, message: Any) -> Any:
        return self._answer("transform_input_raw", message)

    def transform_output_raw(self, message: Any) -> Any:
        return self._answer("transform_output_raw", message)

    def route_raw(self, message: Any) -> Any:
        return self._answer("route_raw", message)

    def aggregate_raw(self, messages: Any) -> Any:
        return {"jsonData": {"was given": messages}}

    def predict(self, X: Any, names: Any) -> Any:
        return "predict, not raw"

    def tags(self) -> Any:
        return {"never": "asked"}


class RawProto:
    """Raw methods that take and return protobuf messages, as they are given them by gRPC and for feedback."""

    def predict_raw(self, message: Any) -> Any:
        message.meta.puid = "raw"
        return message

    transform_input_raw = transform_output_raw = route_raw = predict_raw

    def aggregate_raw(self, messages: Any) -> Any:
        return messages.seldonMessages[0]

    def send_feedback_raw(self, feedback: Any) -> Any:
        answer = type(feedback.request)()
        answer.strData = f"reward {feedback.reward:g}"
        return answer


class Rest:
    """The deprecated ``_rest`` methods, beside plain ones that must not be called."""

    def predict_rest(self, message: Any) -> Any:
        return {"strData": "predict_rest", "meta": {"tags": {"given": message}}}

    def transform_input_rest(self, message: Any) -> Any:
        return {"strData": "transform_input_rest"}

    def transform_output_rest(self, message: Any) -> Any:
        return {"strData": "transform_output_rest"}

    def route_rest(self, message: Any) -> Any:
        return {"data": {"ndarray": [[1]]}}

    def aggregate_rest(self, messages: Any) -> Any:
        return {"strData": "aggregate_rest"}

    def send_feedback_rest(self, feedback: Any) -> Any:
        return {"strData": type(feedback).__name__}

    def predict(self, X: Any, names: Any) -> Any:
        return "predict"

    def predict_raw(self, message: Any) -> Any:
        return {"strData": "predict_raw"}


class RestStatus:
    def predict_rest(self, message: Any) -> Any:
        return {"strData": "x", "status": {"code": 402, "info": "pay"}}


class Grpc:
    """The deprecated ``_grpc`` methods, beside plain ones."""

    def predict_grpc(self, message: Any) -> Any:
        answer = type(message)()
        answer.strData = "predict_grpc"
        return answer

    transform_input_grpc = transform_output_grpc = route_grpc = predict_grpc

    def aggregate_grpc(self, messages: Any) -> Any:
        answer = type(messages.seldonMessages[0])()
        answer.strData = "aggregate_grpc"
        return answer

    def send_feedback_grpc(self, feedback: Any) -> Any:
        return None

    def predict(self, X: Any, names: Any) -> Any:
        return "predict"
