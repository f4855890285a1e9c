"""Models with ``tags`` and ``metrics``."""

from typing import Any

from describing import key

Metric = dict[str, Any]


def metrics() -> list[Metric]:
    return [
        {"type": "COUNTER", "key": "mycounter", "value": 1},
        {"type": "GAUGE", "key": "mygauge", "value": 100.5},
        {"type": "TIMER", "key": "mytimer", "value": 20},
    ]


class Methods:
    """All six methods, each as simple as possible."""

    def predict(self, X: Any, names: Any) -> Any:
        return X

    def transform_input(self, X: Any, names: Any) -> Any:
        return X

    def transform_output(self, X: Any, names: Any) -> Any:
        return X

    def route(self, X: Any, names: Any) -> Any:
        return 1

    def aggregate(self, Xs: Any, names: Any) -> Any:
        return Xs[0]

    def send_feedback(self, X: Any, names: Any, reward: Any, truth: Any, routing: Any = None) -> Any:
        return [[1.0, 2.0]]


class Tags(Methods):
    def tags(self) -> Any:
        return {"mytag": 1, "shared": "own", "nested": {"a": [1, None]}}


class Metrics(Methods):
    def metrics(self) -> Any:
        return metrics()


class TagsAndMetrics(Tags, Metrics):
    pass


class MetricWithTags(Methods):
    def metrics(self) -> Any:
        return [{"type": "GAUGE", "key": "tagged", "value": 1, "tags": {"mine": "yes"}}]


class EmptyHooks(Methods):
    def tags(self) -> Any:
        return {}

    def metrics(self) -> Any:
        return []


class HooksOf:
    """``tags()`` and ``metrics()`` return, or raise, what the last request's key says."""

    def __init__(self) -> None:
        self._key = ""

    def predict(self, X: Any, names: Any) -> Any:
        self._key = key(X, names)
        return [[1, 2]]

    def tags(self) -> Any:
        if self._key == "tags-raise":
            raise ValueError("no tags today")
        return {"tags-none": None, "tags-list": ["a"], "tags-string": "a"}.get(self._key, {"t": self._key})

    def metrics(self) -> Any:
        if self._key == "metrics-raise":
            raise ValueError("no metrics today")
        good = {"type": "COUNTER", "key": "c", "value": 1}
        cases: dict[str, Any] = {
            "metrics-none": None,
            "metrics-dict": good,
            "metrics-of-string": ["a"],
            "metrics-without-type": [{"key": "c", "value": 1}],
            "metrics-without-key": [{"type": "COUNTER", "value": 1}],
            "metrics-without-value": [{"type": "COUNTER", "key": "c"}],
            "metrics-bad-type": [{"type": "SUM", "key": "c", "value": 1}],
            "metrics-lower-type": [{"type": "counter", "key": "c", "value": 1}],
            "metrics-string-value": [{"type": "COUNTER", "key": "c", "value": "1"}],
            "metrics-none-value": [{"type": "COUNTER", "key": "c", "value": None}],
            "metrics-second-bad": [good, {"type": "SUM", "key": "c", "value": 1}],
            "metrics-extra-member": [{**good, "note": "kept"}],
            "metrics-true-value": [{**good, "value": True}],
            "metrics-empty-tags": [{**good, "tags": {}}],
        }
        return cases.get(self._key, [good])
