"""The one error family, split by whose fault it is.

Domain errors know no HTTP or gRPC status: each transport owns one table from error class to code
(``serve.rest.STATUS``). ``str(error)`` is never empty and is written to be shown to a person: it says where
in the input the fault is and, where there is something to do, what to do next.
"""

from typing import NamedTuple


class ScorekitError(Exception):
    """Base of every error this package raises on purpose."""

    def __init__(self, message: str) -> None:
        if not message:
            raise ValueError("an error without a sentence helps nobody")
        super().__init__(message)


class RequestError(ScorekitError):
    """Base of what can be answered to a caller instead of a prediction."""


class BadRequest(RequestError):
    """The caller sent something that cannot be a request. ``path`` is a JSON path such as ``$.data.tensor.shape``."""

    def __init__(self, message: str, path: str = "") -> None:
        self.sentence = message
        self.path = path
        super().__init__(f"{message} at {path}" if path else message)


class NotFound(RequestError):
    """No such route."""


class MethodNotAllowed(RequestError):
    """The route exists but not for this method. ``allowed`` lists the methods that do."""

    def __init__(self, message: str, allowed: tuple[str, ...]) -> None:
        self.allowed = allowed
        super().__init__(message)


class PayloadTooLarge(RequestError):
    """The request is larger than the server accepts."""


class BadAnswer(RequestError):
    """The model returned a value that Seldon's protocol has no form for."""


class UnwritableAnswer(RequestError):
    """The model returned a value of a right type that holds what the wire's encoding cannot."""


class BadMetric(RequestError):
    """The model's metrics are not what the protocol takes for metrics."""


class BadMetadata(RequestError):
    """The model's metadata are not what the protocol takes for metadata."""


class NotOffered(RequestError):
    """The protocol has this method, but for graphs, not for a model."""


class HeadTooLarge(RequestError):
    """The request's line and headers are longer than the server reads."""


class TooSlow(RequestError):
    """The client has not sent its request in the time that it has for it."""


class Unauthenticated(RequestError):
    """The caller has not said who it is in a way that this server accepts."""


class NotTaken(RequestError):
    """The body is in a form that this server does not read, such as a compressed one."""


class ComponentError(RequestError):
    """The user's model raised. What it raised is ``__cause__`` and goes to the log, under ``reference``.

    ``exposed`` is what callers are told instead, where the operator has said that they may be.
    """

    def __init__(self, message: str, reference: str, exposed: str | None = None) -> None:
        self.reference = reference
        super().__init__(exposed or f"{message}; the server's log tells why, under {reference}")


class DeclaredError(RequestError):
    """The user's model refused on purpose, in its own words: a SeldonMicroserviceException.

    The one error that carries an HTTP status: it is part of what the model said.
    """

    def __init__(self, message: str, status: int, reason: str) -> None:
        self.status = status
        self.reason = reason
        super().__init__(message or "the model refused this request")


class HandledError(RequestError):
    """The user's own error handler answered for what the model raised; the answer is sent as it is, over REST."""

    def __init__(self, message: str, status: int, body: bytes, content_type: str) -> None:
        self.status = status
        self.body = body
        self.content_type = content_type
        super().__init__(message)


class Overloaded(RequestError):
    """The server holds as many requests as it may, or is shutting down; trying again later can help."""


class DeadlineExceeded(RequestError):
    """The caller waits no longer than it said, and that time is over."""


class SetupError(ScorekitError):
    """The operator's input is wrong: a flag, a variable, a component that does not load, a port that is taken."""


class RenderError(ScorekitError):
    """A ksonnet app or one of its components does not render. ``where`` names component, file and line as known."""

    def __init__(self, message: str, where: str = "") -> None:
        self.where = where
        super().__init__(f"{where}: {message}" if where else message)


class ClusterError(ScorekitError):
    """The Kubernetes API refused a request. ``status`` and ``reason`` are its own, ``causes`` what it says of fields.

    ``status`` is 0 where nothing answered at all.
    """

    def __init__(self, message: str, status: int = 0, reason: str = "", causes: tuple["Cause", ...] = ()) -> None:
        self.status = status
        self.reason = reason
        self.causes = causes
        super().__init__(message)


class Cause(NamedTuple):
    """One field that the Kubernetes API objects to."""

    reason: str
    field: str
    message: str
