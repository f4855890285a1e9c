"""The metrics of one process: the component's own under the stock wrapper's names, and the server's.

The component's metrics have the names, labels and buckets that seldon-core 1.17.1 gives them. Requests have those of
its executor, so that dashboards made for the executor also show a component without one.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..message import Verb
from .exposition import Families, Family, Histogram, Labels, Number, exposition, merge, name_of

log = logging.getLogger(__name__)

# fmt: off
TIMER_BOUNDS_S = (
    0.001, 0.0012341553253454693, 0.0015231393670785815, 0.0018797905611233593, 0.0023199535315445415,
    0.002863183005509725, 0.0035336125536884733, 0.004361026750842238, 0.005382184388525997,
    0.006642451525090608, 0.008197816923039709, 0.010117379411776668, 0.012486417679584786,
    0.015410178873747385, 0.019018554321561593, 0.02347185009632733, 0.028967908792092944, 0.03575089889988335,
    0.04412216226317852, 0.05445360152285871, 0.06720420230367624, 0.0829404241586763, 0.10236136616184238,
    0.12632982515827532, 0.15591062646904755, 0.19241792993472334, 0.2374736129208902, 0.2930793240153456,
    0.3617054084821892, 0.44640065608455204, 0.5509277469444613, 0.6799304127720881, 0.8391397397870157,
    1.035628778567157, 1.2781267721496807, 1.5774069623151439, 1.9467652027782552, 2.402610642206036,
    2.965194718810281, 3.65951085290597, 4.516404807273444, 5.573945044312399, 6.879113959621136,
    8.489895126924782, 10.477849282518772, 12.931293490187748, 15.959224724520412, 19.696162182151948,
    24.30812344597087, 29.999999999999996,
)
# fmt: on
"""From a millisecond to half a minute: the stock wrapper's numbers to the last digit, because they are labels."""

REQUEST_BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
_ROWS = tuple(float(2**at) for at in range(11))
_CALL_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_WAIT_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)

MAX_SERIES = 5000
"""The number of series that the component's own metrics may have: it chooses the tags, but memory is limited."""

_MAX_LABEL = 200

_OWN = ("deployment_name", "predictor_name", "predictor_version")  # the labels that the server's metrics have too

REQUESTS = "seldon_api_executor_server_requests_seconds"

_HEALTH = ("status", "/grpc.health.")  # how the names of the services begin that answer health checks


class Metrics:
    """The metrics of one process.

    Every series of the component's carries ``labels``; the server's own carry deployment_name, predictor_name and
    predictor_version of them. With ``worker_id`` each series says which process counted it, as the stock wrapper's do.
    Without ``count_feedback`` rewards are left to the executor in front (SELDON_EXECUTOR_ENABLED).
    """

    def __init__(self, labels: Mapping[str, str], worker_id: str | None = None, count_feedback: bool = True) -> None:
        who = {} if worker_id is None else {"worker_id": worker_id}
        self._fixed = {**labels, **who}
        own = {name: labels[name] for name in _OWN if name in labels}
        self._own_labels = {**own, **who}
        self._count_feedback = count_feedback
        self._user: Families = {}
        self._user_series = 0
        self._dropped = Number()
        self._requests: dict[tuple[str, str, str], Histogram] = {}
        self._rows, self._wait, self._failures = Histogram(_ROWS), Histogram(_WAIT_S), Number()
        self.calls = Histogram(_CALL_S)
        """The seconds of each call of the user's code. A batch is one call."""

    def __repr__(self) -> str:
        return f"<Metrics series={self._user_series} requests={len(self._requests)}>"

    def record(self, verb: Verb, metrics: Iterable[Any]) -> None:
        """Count the metrics that a component added to its answer to ``verb``; invalid ones are logged and left out."""
        for metric in metrics:
            try:
                self._record(verb, metric)
            except (TypeError, ValueError, KeyError, AttributeError):
                log.warning("metrics.not_counted metric=%.200r", metric)

    def feedback(self, reward: float) -> None:
        """Count a reward, unless it is 0."""
        if reward and self._count_feedback:
            for key, value in (("seldon_api_model_feedback", 1.0), ("seldon_api_model_feedback_reward", reward)):
                self._record(Verb.SEND_FEEDBACK, {"type": "COUNTER", "key": key, "value": value})

    def requests(self, service: str, method: str, code: str) -> Histogram:
        """Return the histogram in which answered requests are counted. ``service`` and ``code`` are the server's own.

        They must come from small sets, because each combination is a series.
        """
        histogram = self._requests.get((service, method, code))
        if histogram is None:
            histogram = self._requests[service, method, code] = Histogram(REQUEST_BOUNDS_S)
        return histogram

    def request(self, service: str, method: str, code: str, seconds: float) -> None:
        """Count an answered request and its seconds."""
        self.requests(service, method, code).observe(seconds)

    def batch(self, rows: int, waited_s: float) -> None:
        """Count one call of the model: its number of rows, and the seconds that the first of them has waited."""
        self._rows.observe(rows)
        self._wait.observe(waited_s)

    def failure(self) -> None:
        """Count a request on which the model failed."""
        self._failures.value += 1

    @property
    def answered(self) -> int:
        """The number of requests that have been answered, without health checks."""
        requests = self._requests.items()
        return sum(sum(histogram.counts) for (service, _, _), histogram in requests if not service.startswith(_HEALTH))

    def families(self, gauges: Mapping[str, float] | None = None) -> Families:
        """Return everything counted so far, the component's metrics first, as values that another process can merge.

        ``gauges`` are momentary gauges by name.
        """
        families = dict(self._user)
        if self._requests:
            requests = Family("histogram", "Time to answer a request, by the server's clock")
            for (service, method, code), histogram in self._requests.items():
                requests.series[self._labels({"service": service, "method": method, "code": code})] = histogram
            families[REQUESTS] = requests
        plain = self._labels({})
        families["scorekit_batch_rows"] = Family("histogram", "Rows in one call of the model", {plain: self._rows})
        families["scorekit_queue_seconds"] = Family("histogram", "Wait of a batch's first request", {plain: self._wait})
        families["scorekit_call_seconds"] = Family("histogram", "A call of the component", {plain: self.calls})
        for name, text, number in (
            ("scorekit_model_failures_total", "Requests on which the model failed", self._failures),
            ("scorekit_metric_series_dropped_total", "Series left out because there are too many", self._dropped),
        ):
            families[name] = Family("counter", text, {plain: number})
        for name, value in (gauges or {}).items():
            families[name] = Family("gauge", "", {plain: Number(value, time.time())}, momentary=True)
        return families

    def text(self, gauges: Mapping[str, float] | None = None) -> bytes:
        """Return everything counted so far, for Prometheus."""
        return exposition(merge([self.families(gauges)]))

    def _record(self, verb: Verb, metric: Mapping[str, Any]) -> None:
        kind, key, value = metric["type"], name_of(str(metric["key"])), float(metric["value"])
        tags = {name_of(str(name)): str(tag)[:_MAX_LABEL] for name, tag in (metric.get("tags") or {}).items()}
        labels = tuple(sorted({**tags, **self._fixed, "method": verb.label}.items()))
        if kind == "COUNTER":
            series = self._series(key if key.endswith("_total") else f"{key}_total", "counter", labels, Number)
            if isinstance(series, Number):
                series.value += value
        elif kind == "GAUGE":
            series = self._series(key, "gauge", labels, Number)
            if isinstance(series, Number):
                series.value, series.set_at = value, time.time()
        elif kind == "TIMER":
            series = self._series(key, "histogram", labels, lambda: Histogram(TIMER_BOUNDS_S))
            if isinstance(series, Histogram):
                series.observe(value / 1000)
        else:
            raise ValueError(kind)

    def _series(
        self, name: str, kind: str, labels: Labels, make: Callable[[], Number | Histogram]
    ) -> Number | Histogram | None:
        """The series, new or known; ``None`` if there are too many.

        Raises ``ValueError`` if the name belongs to a metric of another kind.
        """
        family = self._user.get(name)
        if family is None:
            family = self._user[name] = Family(kind)
        if family.kind != kind:
            raise ValueError(f"{name} is a {family.kind}")
        series = family.series.get(labels)
        if series is None:
            if self._user_series >= MAX_SERIES:
                if not self._dropped.value:
                    log.warning("metrics.too_many_series most=%d: tags should take few values", MAX_SERIES)
                self._dropped.value += 1
                return None
            self._user_series += 1
            series = family.series[labels] = make()
        return series

    def _labels(self, more: Mapping[str, str]) -> Labels:
        return tuple(sorted({**self._own_labels, **more}.items()))


def component_labels(
    *, deployment: str, predictor: str, predictor_version: str, model: str, image: str, unset: str
) -> dict[str, str]:
    """Return the labels of a component's metrics, the stock wrapper's, some of them under their older names as well.

    The image is split at its last colon; without a colon all of it is the version. Missing values become ``unset``.
    """
    name, _, version = image.rpartition(":")
    return {
        "deployment_name": deployment or unset,
        "model_name": model or unset,
        "model_image": name,
        "model_version": version,
        "predictor_name": predictor or unset,
        "predictor_version": predictor_version or unset,
        "seldon_deployment_name": deployment or unset,
        "image_name": name,
        "image_version": version,
    }
