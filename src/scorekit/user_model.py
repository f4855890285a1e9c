"""What a component's code may import, for those that do not have seldon-core installed.

The names and the meaning are those of ``seldon_core.user_model``, ``.flask_utils`` and ``.metrics`` (1.17.1). The
server takes seldon-core's own as well: it goes by their names, so that neither package needs the other.
"""

from typing import Any

Metric = dict[str, Any]


class SeldonMicroserviceException(Exception):
    """Raised by a model that refuses a request on purpose: callers get ``message``, ``status_code`` and ``reason``."""

    def __init__(
        self,
        message: str,
        status_code: int | None = None,
        payload: Any = None,
        reason: str = "MICROSERVICE_BAD_DATA",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status_code = 400 if status_code is None else status_code
        self.payload = payload
        self.reason = reason


class SeldonNotImplementedError(SeldonMicroserviceException):
    """Raised by a method that counts as not there."""


class SeldonResponse:
    """A method's answer with tags and metrics of this one call beside it."""

    def __init__(self, data: Any, tags: dict[str, Any] | None = None, metrics: list[Metric] | None = None) -> None:
        self.data = data
        self.tags = tags or {}
        self.metrics = metrics or []

    def __repr__(self) -> str:
        return f"SeldonResponse({self.data!r}, tags={self.tags!r}, metrics={self.metrics!r})"


def create_counter(key: str, value: float, tags: dict[str, str] | None = None) -> Metric:
    """A metric whose values are added up. Raises ``TypeError`` for a value that is no number."""
    return _metric("COUNTER", key, value, tags)


def create_gauge(key: str, value: float, tags: dict[str, str] | None = None) -> Metric:
    """A metric whose last value counts. Raises ``TypeError`` for a value that is no number."""
    return _metric("GAUGE", key, value, tags)


def create_timer(key: str, value: float, tags: dict[str, str] | None = None) -> Metric:
    """A duration in milliseconds. Raises ``TypeError`` for a value that is no number."""
    return _metric("TIMER", key, value, tags)


def _metric(kind: str, key: str, value: float, tags: dict[str, str] | None) -> Metric:
    value + 1  # a number is what can be added to
    metric: Metric = {"key": key, "type": kind, "value": value}
    return metric if tags is None else {**metric, "tags": tags}
