"""The errors that scorekit raises on purpose: one small family, split by whose fault it is.

Errors know no HTTP or gRPC status. Each transport owns one table from error class to status
(``serve.rest.status.STATUS``, ``serve.grpc.status.STATUS``), and a test fails if an error is missing from either; the
docstrings here repeat them in the order REST, gRPC. ``str(error)`` is never empty and is written for the person who
reads it: it says where in the input the fault is and, where there is something to do, what to do next.
"""

from typing import NamedTuple


class ScorekitError(Exception):
    """Base of every error that this package raises on purpose. Raises ``ValueError`` if ``message`` is empty."""

    def __init__(self, message: str) -> None:
        if not message:
            raise ValueError("an error needs a message")
        super().__init__(message)


class RequestError(ScorekitError):
    """Base of the errors that answer a request."""


# -- The caller's fault ---------------------------------------------------------------------------------------------


class BadRequest(RequestError):
    """The request is malformed: 400, INVALID_ARGUMENT. ``path`` is a JSON path such as ``$.data.tensor.shape``."""

    def __init__(self, message: str, path: str = "") -> None:
        self.sentence = message
        self.path = path
        super().__init__(f"{message} at {path}" if path else message)


class NotFound(RequestError):
    """The server has no such route: 404, UNIMPLEMENTED."""


class MethodNotAllowed(RequestError):
    """The route does not take this method; ``allowed`` lists those that it takes: 405, UNIMPLEMENTED."""

    def __init__(self, message: str, allowed: tuple[str, ...]) -> None:
        self.allowed = allowed
        super().__init__(message)


class NotOffered(RequestError):
    """The method is part of the protocol, but only a graph has it, not a single model: 404, UNIMPLEMENTED."""


class PayloadTooLarge(RequestError):
    """The request is larger than the server accepts: 413, RESOURCE_EXHAUSTED."""


class HeadTooLarge(RequestError):
    """The request line and headers are longer than the server accepts: 431, RESOURCE_EXHAUSTED."""


class RequestTimeout(RequestError):
    """The client has not sent its request in time: 408, DEADLINE_EXCEEDED."""


class Unauthenticated(RequestError):
    """The request has no valid API key: 401, UNAUTHENTICATED."""


class UnsupportedEncoding(RequestError):
    """The body is in an encoding that this server does not read, such as a compressed one: 415, UNIMPLEMENTED."""


# -- The model's fault ----------------------------------------------------------------------------------------------


class ComponentError(RequestError):
    """The user's model raised: 500, INTERNAL.

    The exception that it raised is ``__cause__`` and is logged under ``reference``. ``exposed`` is the text that
    callers get instead of the reference, if the operator allows it.
    """

    def __init__(self, message: str, reference: str, exposed: str | None = None) -> None:
        self.reference = reference
        super().__init__(exposed or f"{message}; the server's log has the details under {reference}")


class DeclaredError(RequestError):
    """The user's model refused on purpose, by a SeldonMicroserviceException: its own ``status``, gRPC's nearest code.

    This is the one error that carries an HTTP status, because the status is part of what the model said.
    """

    def __init__(self, message: str, status: int, reason: str) -> None:
        self.status = status
        self.reason = reason
        super().__init__(message or "the model refused this request")


class HandledError(RequestError):
    """The class's own error handler answered for what the model raised: its own answer over REST, INTERNAL."""

    def __init__(self, message: str, status: int, body: bytes, content_type: str) -> None:
        self.status = status
        self.body = body
        self.content_type = content_type
        super().__init__(message)


class BadAnswer(RequestError):
    """The model returned a value that Seldon's protocol has no form for: 400 (as seldon-core 1.17.1), INTERNAL."""


class UnwritableAnswer(RequestError):
    """The model returned a value that the encoding of the answer cannot hold: 500, INTERNAL."""


class BadMetric(RequestError):
    """The model's metrics are not valid by the protocol: 500, INTERNAL."""


class BadMetadata(RequestError):
    """The model's metadata are not valid by the protocol: 500, INTERNAL."""


# -- Nobody's fault: the server is busy -----------------------------------------------------------------------------


class Overloaded(RequestError):
    """The server has too many requests waiting, or shuts down; a retry can succeed: 503, RESOURCE_EXHAUSTED."""


class DeadlineExceeded(RequestError):
    """The time that the caller waits for an answer is over: 504, DEADLINE_EXCEEDED."""


# -- The operator's fault, or the author's of an app: these end a command, never a request --------------------------


class SetupError(ScorekitError):
    """The operator's input is wrong: a flag, a variable, a component that does not load, a port that is in use."""


class RenderError(ScorekitError):
    """A ksonnet app or one of its components does not render. ``where`` is its component, file and line, if known."""

    def __init__(self, message: str, where: str = "") -> None:
        self.where = where
        super().__init__(f"{where}: {message}" if where else message)


class ClusterError(ScorekitError):
    """The Kubernetes API refused a request, with its ``status``, ``reason`` and ``causes`` (the fields at fault).

    ``status`` is 0 if the API did not answer at all.
    """

    def __init__(self, message: str, status: int = 0, reason: str = "", causes: tuple["Cause", ...] = ()) -> None:
        self.status = status
        self.reason = reason
        self.causes = causes
        super().__init__(message)


class Cause(NamedTuple):
    """A field that the Kubernetes API objects to."""

    reason: str
    field: str
    message: str
