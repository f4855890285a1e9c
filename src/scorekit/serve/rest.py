"""The REST routes of a Seldon Core v1 component (seldon-core 1.17.1), and the one table from errors to statuses."""

import logging
import urllib.parse
from collections.abc import Callable

from ..codec import json
from ..errors import (
    BadAnswer,
    BadRequest,
    ComponentError,
    DeadlineExceeded,
    HeadTooLarge,
    MethodNotAllowed,
    NotFound,
    Overloaded,
    PayloadTooLarge,
    RequestError,
)
from ..message import Kind, Message
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
        try:
            body = json.encode(message)
        except RequestError as error:
            refuse(self._exchange, error)
        else:
            self._exchange.respond(200, body)

    def fail(self, error: RequestError) -> None:
        refuse(self._exchange, error)


def refuse(exchange: Exchange, error: RequestError) -> None:
    """Answer ``exchange`` with the stock error envelope and the status of ``error``."""
    status, reason = STATUS[type(error)]
    headers = b""
    if isinstance(error, MethodNotAllowed):
        headers = f"Allow: {', '.join(error.allowed)}\r\n".encode()
    exchange.respond(status, json.encode_error(str(error), reason), headers=headers)


class Rest:
    """The routes over one service. Calling it handles one exchange."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._ready = True
        predict = (("GET", "HEAD", "POST"), self._predict)
        predict_alias = (("POST",), self._predict)
        health = (("GET", "HEAD"), self._status)
        self._routes: dict[bytes, tuple[tuple[str, ...], Callable[[Exchange], None]]] = {
            b"/predict": predict,
            b"/api/v0.1/predictions": predict_alias,
            b"/api/v1.0/predictions": predict_alias,
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

    def _predict(self, exchange: Exchange) -> None:
        self._service.predict(read(exchange), RestCaller(exchange))

    def _ping(self, exchange: Exchange) -> None:
        exchange.respond(200, b"pong", TEXT)

    def _status(self, exchange: Exchange) -> None:
        if not self._ready:
            raise Overloaded("this server is shutting down")
        exchange.respond(200, _HEALTHY)


def read(exchange: Exchange) -> Message:
    """The message of a request, wherever it stands: form field ``json``, query ``?json=``, or a JSON body.

    That is the stock wrapper's order. Raises ``BadRequest``.
    """
    mimetype = exchange.content_type.partition(";")[0].strip().lower()
    if mimetype == "application/x-www-form-urlencoded":
        text = _field(exchange.body)
        if text:
            return json.decode(text)
    if exchange.query:
        text = _field(exchange.query)
        if text:
            return json.decode(text)
    if mimetype == "application/json" or (mimetype.startswith("application/") and mimetype.endswith("+json")):
        return json.decode(exchange.body)
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
