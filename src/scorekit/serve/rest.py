"""The REST routes of a Seldon Core v1 component (seldon-core 1.17.1), and the one table from errors to statuses."""

import logging
import urllib.parse
from collections.abc import Callable
from typing import Any

from ..codec import json
from ..errors import (
    BadAnswer,
    BadRequest,
    ComponentError,
    DeadlineExceeded,
    DeclaredError,
    HeadTooLarge,
    MethodNotAllowed,
    NotFound,
    Overloaded,
    PayloadTooLarge,
    RequestError,
)
from ..message import Kind, Message, Verb
from ..service import Service
from .http import TEXT, Exchange

log = logging.getLogger(__name__)

STATUS: dict[type[RequestError], tuple[int, str]] = {
    BadRequest: (400, "MICROSERVICE_BAD_DATA"),
    NotFound: (404, "MICROSERVICE_INTERNAL_ERROR"),
    MethodNotAllowed: (405, "MICROSERVICE_INTERNAL_ERROR"),
    PayloadTooLarge: (413, "MICROSERVICE_BAD_DATA"),
    HeadTooLarge: (431, "MICROSERVICE_BAD_DATA"),
    BadAnswer: (400, "MICROSERVICE_BAD_DATA"),  # the stock wrapper's choice, though the model is to blame
    ComponentError: (500, "MICROSERVICE_INTERNAL_ERROR"),
    Overloaded: (503, "MICROSERVICE_INTERNAL_ERROR"),
    DeadlineExceeded: (504, "MICROSERVICE_INTERNAL_ERROR"),
}
"""HTTP status and ``reason`` for each error that can be answered."""

_HEALTHY = json.encode(Message(Kind.STR, "healthy"))


class RestCaller:
    """An exchange as the service sees it: someone who waits for a message."""

    __slots__ = ("_exchange",)

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    @property
    def abandoned(self) -> bool:
        return self._exchange.abandoned

    def answer(self, message: Message) -> None:
        self._respond(200, json.encode, message)

    def answer_raw(self, value: Any) -> None:
        # The status that a raw answer declares is the HTTP status too (of /predict and its aliases).
        declared = value.get("status") if isinstance(value, dict) else None
        code = declared.get("code") if isinstance(declared, dict) else None
        self._respond(code if type(code) is int and 200 <= code <= 599 else 200, json.encode_value, value)

    def _respond(self, status: int, encode: Callable[[Any], bytes], value: Any) -> None:
        try:
            body = encode(value)
        except RequestError as error:
            refuse(self._exchange, error)
        else:
            self._exchange.respond(status, body)

    def fail(self, error: RequestError) -> None:
        refuse(self._exchange, error)


def refuse(exchange: Exchange, error: RequestError) -> None:
    """Answer ``exchange`` with the stock error envelope and the status of ``error``."""
    status, reason = (error.status, error.reason) if isinstance(error, DeclaredError) else STATUS[type(error)]
    headers = b""
    if isinstance(error, MethodNotAllowed):
        headers = f"Allow: {', '.join(error.allowed)}\r\n".encode()
    exchange.respond(status, json.encode_error(str(error), reason), headers=headers)


class JsonRequest:
    """A parsed JSON value as the service takes it."""

    __slots__ = ("_document_bytes", "raw")

    def __init__(self, value: Any, document_bytes: int) -> None:
        self.raw = value
        self._document_bytes = document_bytes

    def message(self) -> Message:
        return json.from_value(self.raw, self._document_bytes)

    def messages(self) -> list[Message]:
        return json.messages_from_value(self.raw)


class Rest:
    """The routes over one service. Calling it handles one exchange."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._ready = True
        both = ("GET", "HEAD", "POST")
        predict = self._asking(Verb.PREDICT)
        health = (("GET", "HEAD"), self._status)
        self._routes: dict[bytes, tuple[tuple[str, ...], Callable[[Exchange], None]]] = {
            b"/predict": (both, predict),
            b"/api/v0.1/predictions": (("POST",), predict),
            b"/api/v1.0/predictions": (("POST",), predict),
            b"/transform-input": (both, self._asking(Verb.TRANSFORM_INPUT)),
            b"/transform-output": (both, self._asking(Verb.TRANSFORM_OUTPUT)),
            b"/route": (both, self._asking(Verb.ROUTE)),
            b"/aggregate": (both, self._asking(Verb.AGGREGATE)),
            b"/health/ping": (("GET", "HEAD"), self._ping),
            b"/health/status": health,
            b"/api/v1.0/health/status": health,
        }

    def __call__(self, exchange: Exchange) -> None:
        try:
            route = self._routes.get(exchange.path)
            if route is None:
                raise NotFound(f"404 Not Found: no route {_shown(exchange.path)}")
            methods, handle = route
            if exchange.method not in methods:
                raise MethodNotAllowed(
                    f"405 Method Not Allowed: {_shown(exchange.path)} takes {', '.join(methods)}", methods
                )
            handle(exchange)
        except RequestError as error:
            refuse(exchange, error)
        except Exception:
            # The outermost handler: whatever went wrong is ours, and the caller must not wait for ever.
            log.exception("rest.failed path=%s", _shown(exchange.path))
            exchange.respond(500, json.encode_error("internal error", "MICROSERVICE_INTERNAL_ERROR"))

    @property
    def ready(self) -> bool:
        """Whether new requests are wanted."""
        return self._ready

    def stop_being_ready(self) -> None:
        """Answer health checks with 503 from now on."""
        self._ready = False

    def _asking(self, verb: Verb) -> Callable[[Exchange], None]:
        ask = self._service.ask

        def handle(exchange: Exchange) -> None:
            ask(verb, read(exchange), RestCaller(exchange))

        return handle

    def _ping(self, exchange: Exchange) -> None:
        exchange.respond(200, b"pong", TEXT)

    def _status(self, exchange: Exchange) -> None:
        if not self._ready:
            raise Overloaded("this server is shutting down")
        exchange.respond(200, _HEALTHY)


def read(exchange: Exchange) -> JsonRequest:
    """The JSON of a request, wherever it stands: form field ``json``, query ``?json=``, or a JSON body.

    That is the stock wrapper's order. Raises ``BadRequest``.
    """
    mimetype = exchange.content_type.partition(";")[0].strip().lower()
    if mimetype == "application/x-www-form-urlencoded":
        text = _field(exchange.body)
        if text:
            return JsonRequest(json.parse(text), len(text))
    if exchange.query:
        text = _field(exchange.query)
        if text:
            return JsonRequest(json.parse(text), len(text))
    if mimetype == "application/json" or (mimetype.startswith("application/") and mimetype.endswith("+json")):
        return JsonRequest(json.parse(exchange.body), len(exchange.body))
    sent = repr(mimetype) if mimetype else "no content type"
    raise BadRequest(f"Can't find JSON in data: send Content-Type: application/json; this request has {sent}")


def _field(encoded: bytes) -> str:
    """The field ``json`` of a urlencoded form or query, or ``""``."""
    try:
        fields = urllib.parse.parse_qs(encoded.decode(), errors="strict")
    except ValueError as error:
        raise BadRequest("the form or query is not UTF-8 text in percent-encoding") from error
    return fields.get("json", [""])[0]


def _shown(path: bytes) -> str:
    """A path as it may stand in a log or an answer: printable and short."""
    return ascii(path[:200].decode("latin-1"))[1:-1]
