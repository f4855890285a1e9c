"""gRPC's status codes, and the one table from errors to them."""

from urllib.parse import quote

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
from ..http2.header_fields import Fields

OK = 0
CANCELLED = 1
UNKNOWN_SERVICE = 5
INTERNAL = 13
UNAVAILABLE = 14

STATUS: dict[type[RequestError], int] = {
    BadRequest: 3,  # INVALID_ARGUMENT
    NotFound: 12,  # UNIMPLEMENTED, which is what gRPC calls a method that is not there
    MethodNotAllowed: 12,
    PayloadTooLarge: 8,  # RESOURCE_EXHAUSTED, as every gRPC library answers
    HeadTooLarge: 8,
    RequestTimeout: 4,
    BadAnswer: INTERNAL,
    ComponentError: INTERNAL,  # the stock wrapper answers UNKNOWN, to everything
    HandledError: INTERNAL,
    UnwritableAnswer: INTERNAL,
    BadMetric: INTERNAL,
    BadMetadata: INTERNAL,
    NotOffered: 12,
    Unauthenticated: 16,
    UnsupportedEncoding: 12,  # as every gRPC library answers a compression that it does not know
    Overloaded: 8,
    DeadlineExceeded: 4,
}
"""The code for each error that can be answered."""

# What may stand in a grpc-message as it is: printable ASCII but the percent sign.
_PLAIN = "".join(chr(code) for code in range(0x20, 0x7F) if code != 0x25)

# Clients limit the size of all trailers together, to 8 kB by default.
_MAX_MESSAGE = 4000


# As Go's library prints them, which made the dashboards.
_NAMES = (
    *("OK", "Canceled", "Unknown", "InvalidArgument", "DeadlineExceeded", "NotFound", "AlreadyExists"),
    *("PermissionDenied", "ResourceExhausted", "FailedPrecondition", "Aborted", "OutOfRange", "Unimplemented"),
    *("Internal", "Unavailable", "DataLoss", "Unauthenticated"),
)


def name(fields: Fields) -> str:
    """What metrics call the status in trailers of :func:`trailers`."""
    return _NAMES[int(fields[0][1])]


def trailers(code: int, message: str = "") -> Fields:
    """The trailers that end a call."""
    fields = [(b"grpc-status", b"%d" % code)]
    if message:
        text = quote(message[:_MAX_MESSAGE].encode(errors="replace"), safe=_PLAIN)
        if len(text) > _MAX_MESSAGE:
            text = text[:_MAX_MESSAGE]
            text = text[: text.rindex("%")] if "%" in text[-2:] else text
        fields.append((b"grpc-message", text.encode()))
    return tuple(fields)


# What a SeldonMicroserviceException's HTTP status is in gRPC's words (as grpc-gateway and google.rpc.Code pair them).
_DECLARED = {400: 3, 401: 16, 403: 7, 404: 5, 409: 10, 412: 9, 429: 8, 499: 1, 501: 12, 503: 14, 504: 4}


def of(error: RequestError) -> Fields:
    """The trailers that answer ``error``."""
    if isinstance(error, DeclaredError):
        code = _DECLARED.get(error.status, 3 if error.status < 500 else INTERNAL)
    else:
        code = STATUS[type(error)]
    return trailers(code, str(error))
