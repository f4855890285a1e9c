"""The REST routes of a Seldon Core v1 component (seldon-core 1.17.1)."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ...codec import json, proto
from ...contract import openapi
from ...errors import BadMetadata, MethodNotAllowed, NotFound, Overloaded, RequestError
from ...inference import Service
from ...message import Message, Verb
from ..feedback import ProtoFeedback
from ..http1.exchange import HTML, Exchange
from ..observe.references import internal_error_text, new_reference, printable
from .requests import JsonRequest, UnreadRequest, find, read
from .status import refuse

log = logging.getLogger(__name__)

_PREFLIGHT = b"Access-Control-Allow-Methods: DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT\r\n"


@dataclass(frozen=True, slots=True)
class RestOptions:
    """What an operator can choose about reading requests and writing answers."""

    stock: bool = False
    """Do as the stock wrapper does where this server differs: NaN and Infinity are valid in JSON, and an unknown route
    or method gets a 500."""
    origins: str = ""
    """Which web pages may read answers (CORS): those of one origin, of all (``*``), or none."""
    timeout_s: float = float("inf")
    """The deadline, in seconds after its arrival, of a request whose own headers name none."""

    def allow(self, exchange: Exchange) -> None:
        """Add the CORS headers to the answer, as the stock wrapper has them."""
        if exchange.head.origin and self.origins in ("*", exchange.head.origin.decode("latin-1")):
            exchange.response_headers += b"Access-Control-Allow-Origin: %b\r\nVary: Origin\r\n" % exchange.head.origin
        else:
            exchange.response_headers += f"Access-Control-Allow-Origin: {self.origins}\r\n".encode("latin-1", "replace")

    def preflight(self, exchange: Exchange, methods: tuple[str, ...]) -> bytes:
        """Return the header lines that answer a browser's OPTIONS request before a cross-origin one."""
        allow = f"Allow: {', '.join((*methods, 'OPTIONS'))}\r\n".encode()
        return _PREFLIGHT + allow if exchange.head.origin else allow

    def refuse(self, exchange: Exchange, error: RequestError) -> None:
        """Answer ``exchange`` with ``error``: see :func:`~scorekit.serve.rest.status.refuse`."""
        refuse(exchange, error, self.stock)


class RestCaller:
    """Answers an exchange with what the service made of its request."""

    __slots__ = ("_exchange", "_options", "deadline")

    def __init__(self, exchange: Exchange, options: RestOptions) -> None:
        self._exchange = exchange
        self._options = options
        self.deadline = exchange.started + (exchange.head.timeout_s or options.timeout_s)

    @property
    def abandoned(self) -> bool:
        return self._exchange.connection.lost

    def answer(self, message: Message) -> None:
        try:
            body = json.encode(message, self._options.stock)
        except RequestError as error:
            self.fail(error)
        else:
            self._exchange.respond(200, body)

    def answer_raw(self, value: Any) -> None:
        self._respond(200, json.encode_value, value, self._options.stock)

    def _respond(self, status: int, encode: Callable[..., bytes], *value: Any) -> None:
        try:
            body = encode(*value)
        except RequestError as error:
            self.fail(error)
        else:
            self._exchange.respond(status, body)

    def fail(self, error: RequestError) -> None:
        self._options.refuse(self._exchange, error)


class PredictCaller(RestCaller):
    """Uses the status code that a raw answer declares as the HTTP status: of predictions only (seldon-core 1.17.1)."""

    def answer_raw(self, value: Any) -> None:
        declared = value.get("status") if isinstance(value, dict) else None
        code = str(declared.get("code", "")) if isinstance(declared, dict) else ""
        status = int(code) if len(code) == 3 and code.isascii() and code.isdigit() and "200" <= code <= "599" else 200
        self._respond(status, json.encode_value, value, self._options.stock)


class PassedThroughCaller(PredictCaller):
    """Sends a raw answer as it is if it is bytes or text."""

    def answer_raw(self, value: Any) -> None:
        if isinstance(value, bytes | str):
            self._respond(200, bytes if isinstance(value, bytes) else str.encode, value)
        else:
            super().answer_raw(value)


class FeedbackCaller(RestCaller):
    """Encodes answers to feedback by way of protocol buffers: numbers become floats, empty fields are left out.

    The stock wrapper answers feedback so over both transports (seldon-core 1.17.1).
    """

    def answer(self, message: Message) -> None:
        self._respond(200, lambda value: json.encode_value(proto.to_json(proto.encode(value))), message)

    def answer_raw(self, value: Any) -> None:
        self._respond(200, lambda value: json.encode_value(proto.to_json(proto.write(value))), value)


class RestRoutes:
    """The routes of one service. A call handles one exchange.

    ``metadata`` is the model's; ``None`` if it is invalid. With ``payload_passthrough`` the body is given to a raw
    predict, and its answer is sent, without being parsed. ``document`` is the model's OpenAPI document.
    """

    def __init__(
        self,
        service: Service,
        *,
        metadata: Mapping[str, Any] | None = None,
        payload_passthrough: bool = False,
        options: RestOptions | None = None,
        document: Mapping[str, Any] | None = None,
    ) -> None:
        self._options = options or RestOptions()
        self._service = service
        self._metadata = None if metadata is None else json.encode_value(metadata)
        self._document = json.encode_value(document or openapi.document("model"))
        self._unready = ""
        # By path: methods, handler, and the service's name in metrics. Paths and methods are the stock wrapper's.
        both, get, post = ("GET", "HEAD", "POST"), ("GET", "HEAD"), ("POST",)
        predict = self._predict_unparsed if payload_passthrough else self._handler_of(Verb.PREDICT, PredictCaller)
        self._routes: dict[bytes, tuple[tuple[str, ...], Callable[[Exchange], None], str]] = {
            b"/predict": (both, predict, "predictions"),
            b"/api/v0.1/predictions": (post, predict, "predictions"),
            b"/api/v1.0/predictions": (post, predict, "predictions"),
            b"/send-feedback": (both, self._feedback, "feedback"),
            b"/api/v0.1/feedback": (post, self._feedback, "feedback"),
            b"/api/v1.0/feedback": (post, self._feedback, "feedback"),
            b"/transform-input": (both, self._handler_of(Verb.TRANSFORM_INPUT), "transform-input"),
            b"/transform-output": (both, self._handler_of(Verb.TRANSFORM_OUTPUT), "transform-output"),
            b"/route": (both, self._handler_of(Verb.ROUTE), "route"),
            b"/aggregate": (both, self._handler_of(Verb.AGGREGATE), "aggregate"),
            b"/health/ping": (get, self._ping, "status"),
            b"/health/status": (get, self._status, "status"),
            b"/api/v1.0/health/status": (get, self._status, "status"),
            b"/metadata": (get, self._show_metadata, "metadata"),
            b"/api/v1.0/metadata": (get, self._show_metadata, "metadata"),
            b"/seldon.json": (get, lambda exchange: exchange.respond(200, self._document), "metadata"),
        }

    def __call__(self, exchange: Exchange) -> None:
        if self._options.origins:
            self._options.allow(exchange)
        try:
            route = self._routes.get(exchange.head.path)
            if route is None:
                raise NotFound(f"404 Not Found: no route {printable(exchange.head.path)}")
            methods, handle, exchange.service = route
            if exchange.head.method not in methods:
                if exchange.head.method == "OPTIONS" and self._options.origins:
                    exchange.respond(200, b"", HTML, self._options.preflight(exchange, methods))
                    return
                raise MethodNotAllowed(
                    f"405 Method Not Allowed: {printable(exchange.head.path)} takes {', '.join(methods)}", methods
                )
            handle(exchange)
        except RequestError as error:
            self._options.refuse(exchange, error)
        except Exception:
            # The outermost handler: whatever went wrong is a bug of ours, and without an answer the caller would wait.
            exchange.reference = reference = new_reference()
            log.exception("rest.failed id=%s path=%s", reference, printable(exchange.head.path))
            exchange.respond(500, json.encode_error(internal_error_text(reference), "MICROSERVICE_INTERNAL_ERROR"))

    def be_ready(self) -> None:
        """Answer health checks with the component's own health."""
        self._unready = ""

    def stop_being_ready(self, why: str = "this server is shutting down") -> None:
        """Answer health checks with 503 and ``why`` from now on."""
        self._unready = why

    def _handler_of(self, verb: Verb, caller: type[RestCaller] = RestCaller) -> Callable[[Exchange], None]:
        ask, options = self._service.ask, self._options
        bare_nan = options.stock

        def handle(exchange: Exchange) -> None:
            waiting = caller(exchange, options)
            ask(verb, read(exchange, bare_nan), waiting)

        return handle

    def _predict_unparsed(self, exchange: Exchange) -> None:
        text = find(exchange)
        request = UnreadRequest(text) if isinstance(text, bytes | str) else JsonRequest(text, len(exchange.body))
        self._service.ask(Verb.PREDICT, request, PassedThroughCaller(exchange, self._options))

    def _feedback(self, exchange: Exchange) -> None:
        feedback = ProtoFeedback(proto.feedback_from_json(read(exchange, self._options.stock).raw))
        self._service.tell(feedback, FeedbackCaller(exchange, self._options))

    def _ping(self, exchange: Exchange) -> None:
        exchange.respond(200, b"pong", HTML)

    def _status(self, exchange: Exchange) -> None:
        if self._unready:
            raise Overloaded(self._unready)
        self._service.health(RestCaller(exchange, self._options))

    def _show_metadata(self, exchange: Exchange) -> None:
        if self._metadata is None:
            raise BadMetadata("Model metadata unavailable")
        exchange.respond(200, self._metadata)
