"""The REST routes of a Seldon Core v1 component (seldon-core 1.17.1), and the one table from errors to statuses."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ...codec import json, proto
from ...contract import openapi
from ...errors import (
    BadAnswer,
    BadMetadata,
    BadMetric,
    BadRequest,
    ComponentError,
    DeadlineExceeded,
    DeclaredError,
    HandledError,
    HeadTooLarge,
    MethodNotAllowed,
    NotFound,
    NotOffered,
    Overloaded,
    PayloadTooLarge,
    RequestError,
    RequestTimeout,
    Unauthenticated,
    UnsupportedEncoding,
    UnwritableAnswer,
)
from ...inference.service import Service
from ...message import Message, Verb
from ..http1.exchange import HTML, Exchange
from ..observe.references import internal_error_text, new_reference, printable
from .requests import JsonRequest, ProtoFeedback, UnreadRequest, find, read

log = logging.getLogger(__name__)

STATUS: dict[type[RequestError], tuple[int, str]] = {
    BadRequest: (400, "MICROSERVICE_BAD_DATA"),
    NotFound: (404, "MICROSERVICE_INTERNAL_ERROR"),
    MethodNotAllowed: (405, "MICROSERVICE_INTERNAL_ERROR"),
    PayloadTooLarge: (413, "MICROSERVICE_BAD_DATA"),
    HeadTooLarge: (431, "MICROSERVICE_BAD_DATA"),
    RequestTimeout: (408, "MICROSERVICE_BAD_DATA"),
    Unauthenticated: (401, "MICROSERVICE_BAD_DATA"),
    UnsupportedEncoding: (415, "MICROSERVICE_BAD_DATA"),
    BadAnswer: (400, "MICROSERVICE_BAD_DATA"),  # the stock wrapper's choice, though the model is to blame
    ComponentError: (500, "MICROSERVICE_INTERNAL_ERROR"),
    UnwritableAnswer: (500, "MICROSERVICE_INTERNAL_ERROR"),
    BadMetric: (500, "MICROSERVICE_BAD_METRIC"),
    BadMetadata: (500, "MICROSERVICE_BAD_METADATA"),
    NotOffered: (404, "MICROSERVICE_INTERNAL_ERROR"),
    Overloaded: (503, "MICROSERVICE_INTERNAL_ERROR"),
    DeadlineExceeded: (504, "MICROSERVICE_INTERNAL_ERROR"),
}
"""HTTP status and ``reason`` for each error that can be answered."""

_PREFLIGHT = b"Access-Control-Allow-Methods: DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT\r\n"


@dataclass(frozen=True, slots=True)
class RestOptions:
    """How requests are read and answers written, where ours and the stock wrapper's ways differ.

    ``stock`` is for clients that depend on its ways: NaN and Infinity stand bare in JSON, and what is no route or no
    method of one is a 500. ``origins`` is whose pages may read answers: one origin, ``*`` for all, or none.
    """

    stock: bool = False
    origins: str = ""
    timeout_s: float = float("inf")
    """How long a request may wait whose own headers say nothing of it."""

    def allow(self, exchange: Exchange) -> None:
        """Put the CORS headers of the answer in place, as the stock wrapper has them."""
        if exchange.head.origin and self.origins in ("*", exchange.head.origin.decode("latin-1")):
            exchange.response_headers += b"Access-Control-Allow-Origin: %b\r\nVary: Origin\r\n" % exchange.head.origin
        else:
            exchange.response_headers += f"Access-Control-Allow-Origin: {self.origins}\r\n".encode("latin-1", "replace")

    def preflight(self, exchange: Exchange, methods: tuple[str, ...]) -> bytes:
        """The header lines that tell a page what it may ask."""
        allow = f"Allow: {', '.join((*methods, 'OPTIONS'))}\r\n".encode()
        return _PREFLIGHT + allow if exchange.head.origin else allow

    def refuse(self, exchange: Exchange, error: RequestError) -> None:
        """:func:`refuse`, in this manner."""
        refuse(exchange, error, self.stock)


class RestCaller:
    """An exchange as the service sees it: someone who waits for a message."""

    __slots__ = ("_exchange", "_manners", "deadline")

    def __init__(self, exchange: Exchange, manners: RestOptions) -> None:
        self._exchange = exchange
        self._manners = manners
        self.deadline = exchange.started + (exchange.head.timeout_s or manners.timeout_s)

    @property
    def abandoned(self) -> bool:
        return self._exchange.connection.lost

    def answer(self, message: Message) -> None:
        try:
            body = json.encode(message, self._manners.stock)
        except RequestError as error:
            self.fail(error)
        else:
            self._exchange.respond(200, body)

    def answer_raw(self, value: Any) -> None:
        self._respond(200, json.encode_value, value, self._manners.stock)

    def _respond(self, status: int, encode: Callable[..., bytes], *value: Any) -> None:
        try:
            body = encode(*value)
        except RequestError as error:
            self.fail(error)
        else:
            self._exchange.respond(status, body)

    def fail(self, error: RequestError) -> None:
        self._manners.refuse(self._exchange, error)


class PredictCaller(RestCaller):
    """The status that a raw answer declares is the HTTP status too, of predictions only (seldon-core 1.17.1)."""

    def answer_raw(self, value: Any) -> None:
        declared = value.get("status") if isinstance(value, dict) else None
        code = str(declared.get("code", "")) if isinstance(declared, dict) else ""
        status = int(code) if len(code) == 3 and code.isascii() and code.isdigit() and "200" <= code <= "599" else 200
        self._respond(status, json.encode_value, value, self._manners.stock)


class PassedThroughCaller(PredictCaller):
    """A raw answer is sent as it is, if it is bytes or text."""

    def answer_raw(self, value: Any) -> None:
        if isinstance(value, bytes | str):
            self._respond(200, bytes if isinstance(value, bytes) else str.encode, value)
        else:
            super().answer_raw(value)


class FeedbackCaller(RestCaller):
    """Answers to feedback are made as protocol buffers, whatever carries them: numbers are floats, nothing is empty."""

    def answer(self, message: Message) -> None:
        self._respond(200, lambda value: json.encode_value(proto.to_json(proto.encode(value))), message)

    def answer_raw(self, value: Any) -> None:
        self._respond(200, lambda value: json.encode_value(proto.to_json(proto.write(value))), value)


def refuse(exchange: Exchange, error: RequestError, stock: bool = False) -> None:
    """Answer ``exchange`` with the stock error envelope and the status of ``error``."""
    if isinstance(error, HandledError):
        exchange.respond(error.status, error.body, error.content_type.encode("latin-1", "replace"))
        return
    if isinstance(error, ComponentError):
        exchange.reference = error.reference
        if exchange.head.trace is not None:
            log.error("rest.failed id=%s trace_id=%s", error.reference, exchange.head.trace.trace_id)
    status, reason = (error.status, error.reason) if isinstance(error, DeclaredError) else STATUS[type(error)]
    headers = b""
    if stock and isinstance(error, NotFound | MethodNotAllowed):
        status = 500
    elif isinstance(error, MethodNotAllowed):
        headers = f"Allow: {', '.join(error.allowed)}\r\n".encode()
    elif isinstance(error, Overloaded):
        headers = b"Retry-After: 1\r\n"
    exchange.respond(status, json.encode_error(str(error), reason), headers=headers)


class RestRoutes:
    """The routes over one service. Calling it handles one exchange.

    ``metadata`` are the model's; ``None`` where it has none that can be shown. With ``payload_passthrough`` a raw
    predict is given, and gives, the body as it is. ``document`` is the OpenAPI one of the model.
    """

    def __init__(
        self,
        service: Service,
        metadata: Mapping[str, Any] | None = None,
        payload_passthrough: bool = False,
        manners: RestOptions | None = None,
        document: Mapping[str, Any] | None = None,
    ) -> None:
        self._manners = manners or RestOptions()
        self._service = service
        self._metadata = None if metadata is None else json.encode_value(metadata)
        self._document = json.encode_value(document or openapi.document("model"))
        self._unready = ""
        both, get, post = ("GET", "HEAD", "POST"), ("GET", "HEAD"), ("POST",)
        predict = self._passing_through if payload_passthrough else self._asking(Verb.PREDICT, PredictCaller)
        self._routes: dict[bytes, tuple[tuple[str, ...], Callable[[Exchange], None], str]] = {
            b"/predict": (both, predict, "predictions"),
            b"/api/v0.1/predictions": (post, predict, "predictions"),
            b"/api/v1.0/predictions": (post, predict, "predictions"),
            b"/send-feedback": (both, self._feedback, "feedback"),
            b"/api/v0.1/feedback": (post, self._feedback, "feedback"),
            b"/api/v1.0/feedback": (post, self._feedback, "feedback"),
            b"/transform-input": (both, self._asking(Verb.TRANSFORM_INPUT), "transform-input"),
            b"/transform-output": (both, self._asking(Verb.TRANSFORM_OUTPUT), "transform-output"),
            b"/route": (both, self._asking(Verb.ROUTE), "route"),
            b"/aggregate": (both, self._asking(Verb.AGGREGATE), "aggregate"),
            b"/health/ping": (get, self._ping, "status"),
            b"/health/status": (get, self._status, "status"),
            b"/api/v1.0/health/status": (get, self._status, "status"),
            b"/metadata": (get, self._describe, "metadata"),
            b"/api/v1.0/metadata": (get, self._describe, "metadata"),
            b"/seldon.json": (get, lambda exchange: exchange.respond(200, self._document), "metadata"),
        }

    def __call__(self, exchange: Exchange) -> None:
        if self._manners.origins:
            self._manners.allow(exchange)
        try:
            route = self._routes.get(exchange.head.path)
            if route is None:
                raise NotFound(f"404 Not Found: no route {printable(exchange.head.path)}")
            methods, handle, exchange.service = route
            if exchange.head.method not in methods:
                if exchange.head.method == "OPTIONS" and self._manners.origins:
                    exchange.respond(200, b"", HTML, self._manners.preflight(exchange, methods))
                    return
                raise MethodNotAllowed(
                    f"405 Method Not Allowed: {printable(exchange.head.path)} takes {', '.join(methods)}", methods
                )
            handle(exchange)
        except RequestError as error:
            self._manners.refuse(exchange, error)
        except Exception:
            # The outermost handler: whatever went wrong is ours, and the caller must not wait for ever.
            exchange.reference = reference = new_reference()
            log.exception("rest.failed id=%s path=%s", reference, printable(exchange.head.path))
            exchange.respond(500, json.encode_error(internal_error_text(reference), "MICROSERVICE_INTERNAL_ERROR"))

    def be_ready(self) -> None:
        """Answer health checks with what the component says of itself."""
        self._unready = ""

    def stop_being_ready(self, why: str = "this server is shutting down") -> None:
        """Answer health checks with 503 from now on."""
        self._unready = why

    def _asking(self, verb: Verb, caller: type[RestCaller] = RestCaller) -> Callable[[Exchange], None]:
        ask, manners = self._service.ask, self._manners
        bare_nan = manners.stock

        def handle(exchange: Exchange) -> None:
            waiting = caller(exchange, manners)
            ask(verb, read(exchange, bare_nan), waiting)

        return handle

    def _passing_through(self, exchange: Exchange) -> None:
        text = find(exchange)
        request = UnreadRequest(text) if isinstance(text, bytes | str) else JsonRequest(text, len(exchange.body))
        self._service.ask(Verb.PREDICT, request, PassedThroughCaller(exchange, self._manners))

    def _feedback(self, exchange: Exchange) -> None:
        feedback = ProtoFeedback(proto.feedback_from_json(read(exchange, self._manners.stock).raw))
        self._service.tell(feedback, FeedbackCaller(exchange, self._manners))

    def _ping(self, exchange: Exchange) -> None:
        exchange.respond(200, b"pong", HTML)

    def _status(self, exchange: Exchange) -> None:
        if self._unready:
            raise Overloaded(self._unready)
        self._service.health(RestCaller(exchange, self._manners))

    def _describe(self, exchange: Exchange) -> None:
        if self._metadata is None:
            raise BadMetadata("Model metadata unavailable")
        exchange.respond(200, self._metadata)
