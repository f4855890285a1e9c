"""What the code of a component may import, if seldon-core is not installed.

Names and meaning are those of ``seldon_core.user_model``, ``.flask_utils`` and ``.metrics`` (1.17.1). The server
accepts seldon-core's own classes as well: it compares their names, so that neither package needs the other.
"""

from typing import Any

Metric = dict[str, Any]


class SeldonMicroserviceException(Exception):
    """A model raises it to refuse a request on purpose: callers get its ``message``, ``status_code`` and ``reason``."""

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
    """A method raises it to be treated as if the class did not have it."""


class SeldonResponse:
    """A method's answer, with the tags and metrics of this one call."""

    def __init__(self, data: Any, tags: dict[str, Any] | None = None, metrics: list[Metric] | None = None) -> None:
        self.data = data
        self.tags = tags or {}
        self.metrics = metrics or []

    def __repr__(self) -> str:
        return f"SeldonResponse({self.data!r}, tags={self.tags!r}, metrics={self.metrics!r})"


def create_counter(key: str, value: float, tags: dict[str, str] | None = None) -> Metric:
    """Return a metric whose values are added up. Raises ``TypeError`` for a value that is not a number."""
    return _metric("COUNTER", key, value, tags)


def create_gauge(key: str, value: float, tags: dict[str, str] | None = None) -> Metric:
    """Return a metric whose last value counts. Raises ``TypeError`` for a value that is not a number."""
    return _metric("GAUGE", key, value, tags)


def create_timer(key: str, value: float, tags: dict[str, str] | None = None) -> Metric:
    """Return a duration in milliseconds. Raises ``TypeError`` for a value that is not a number."""
    return _metric("TIMER", key, value, tags)


def _metric(kind: str, key: str, value: float, tags: dict[str, str] | None) -> Metric:
    value + 1  # raises TypeError for what is not a number, as the stock wrapper decides it
    metric: Metric = {"key": key, "type": kind, "value": value}
    return metric if tags is None else {**metric, "tags": tags}
