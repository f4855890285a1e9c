"""The one table from errors to HTTP statuses, and the stock wrapper's error envelope (seldon-core 1.17.1)."""

import logging

from ...codec import json
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
from ..http1.exchange import Exchange

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
"""HTTP status and the envelope's ``reason`` for each error, except those that bring a status of their own."""


def refuse(exchange: Exchange, error: RequestError, stock: bool = False) -> None:
    """Answer ``exchange`` with the stock error envelope and the status of ``error``.

    With ``stock`` an unknown route or method gets the stock wrapper's 500 instead of 404 or 405.
    """
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
        headers = f"Allow: {', '.join(error.allowed)}\r\n".encode()  # RFC 9110 §15.5.6
    elif isinstance(error, Overloaded):
        headers = b"Retry-After: 1\r\n"
    exchange.respond(status, json.encode_error(str(error), reason), headers=headers)
