"""gRPC's status codes, and the one table from errors to them."""

from enum import IntEnum
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


class StatusCode(IntEnum):
    """The codes of gRPC's specification."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


# Clients decide by the code whether to try again, and by convention they do for UNAVAILABLE. So of our own errors only
# a watch that another worker can take gets it (GrpcServices.release). An overloaded server answers RESOURCE_EXHAUSTED:
# retries would add to its load (docs/design/0008). The stock wrapper answers UNKNOWN to all (seldon-core 1.17.1).
STATUS: dict[type[RequestError], StatusCode] = {
    BadRequest: StatusCode.INVALID_ARGUMENT,
    NotFound: StatusCode.UNIMPLEMENTED,  # gRPC's code for a method that does not exist
    MethodNotAllowed: StatusCode.UNIMPLEMENTED,
    PayloadTooLarge: StatusCode.RESOURCE_EXHAUSTED,  # as every gRPC library answers
    HeadTooLarge: StatusCode.RESOURCE_EXHAUSTED,
    RequestTimeout: StatusCode.DEADLINE_EXCEEDED,
    BadAnswer: StatusCode.INTERNAL,
    ComponentError: StatusCode.INTERNAL,
    HandledError: StatusCode.INTERNAL,
    UnwritableAnswer: StatusCode.INTERNAL,
    BadMetric: StatusCode.INTERNAL,
    BadMetadata: StatusCode.INTERNAL,
    NotOffered: StatusCode.UNIMPLEMENTED,
    Unauthenticated: StatusCode.UNAUTHENTICATED,
    UnsupportedEncoding: StatusCode.UNIMPLEMENTED,  # as every gRPC library answers an unknown compression
    Overloaded: StatusCode.RESOURCE_EXHAUSTED,
    DeadlineExceeded: StatusCode.DEADLINE_EXCEEDED,
}
"""The code for each error, except those that bring a status of their own."""

# A SeldonMicroserviceException brings an HTTP status. This is its nearest code, as grpc-gateway and google.rpc.Code
# pair them; others are INVALID_ARGUMENT below 500, INTERNAL above.
_DECLARED = {
    400: StatusCode.INVALID_ARGUMENT,
    401: StatusCode.UNAUTHENTICATED,
    403: StatusCode.PERMISSION_DENIED,
    404: StatusCode.NOT_FOUND,
    409: StatusCode.ABORTED,
    412: StatusCode.FAILED_PRECONDITION,
    429: StatusCode.RESOURCE_EXHAUSTED,
    499: StatusCode.CANCELLED,
    501: StatusCode.UNIMPLEMENTED,
    503: StatusCode.UNAVAILABLE,
    504: StatusCode.DEADLINE_EXCEEDED,
}

# The spelling of Go's library, which the usual dashboards expect in metrics.
_NAMES = (
    *("OK", "Canceled", "Unknown", "InvalidArgument", "DeadlineExceeded", "NotFound", "AlreadyExists"),
    *("PermissionDenied", "ResourceExhausted", "FailedPrecondition", "Aborted", "OutOfRange", "Unimplemented"),
    *("Internal", "Unavailable", "DataLoss", "Unauthenticated"),
)

# grpc-message is percent-encoded; these characters stand for themselves: printable ASCII but the percent sign.
_PLAIN = "".join(chr(code) for code in range(0x20, 0x7F) if code != 0x25)

# Clients limit the size of all trailers together, to 8 kB by default, and fail a call whose trailers are larger.
_MAX_MESSAGE = 4000


def name(trailers: Fields) -> str:
    """Return the name, in metrics, of the status in trailers that :func:`trailers` has made."""
    return _NAMES[int(trailers[0][1])]


def trailers(code: int, message: str = "") -> Fields:
    """Return the trailers that end a call. A long message is cut, but never within a percent-encoded byte."""
    fields = [(b"grpc-status", b"%d" % code)]
    if message:
        text = quote(message[:_MAX_MESSAGE].encode(errors="replace"), safe=_PLAIN)
        if len(text) > _MAX_MESSAGE:
            text = text[:_MAX_MESSAGE]
            text = text[: text.rindex("%")] if "%" in text[-2:] else text
        fields.append((b"grpc-message", text.encode()))
    return tuple(fields)


def of(error: RequestError) -> Fields:
    """Return the trailers that answer ``error``."""
    if isinstance(error, DeclaredError):
        code = _DECLARED.get(error.status, StatusCode.INVALID_ARGUMENT if error.status < 500 else StatusCode.INTERNAL)
    else:
        code = STATUS[type(error)]
    return trailers(code, str(error))
