"""A component's own metrics: objects ``{"key", "type", "value"[, "tags"]}`` (seldon-core 1.17.1)."""

import json
from typing import Any

from ..errors import BadMetric
from ..message import Verb, labelled

TYPES = frozenset({"COUNTER", "GAUGE", "TIMER"})

Metric = dict[str, Any]


def checked(metrics: Any, verb: Verb) -> list[Metric]:
    """Return ``metrics`` as the answer to ``verb`` carries them.

    Raises ``BadMetric``, with the stock wrapper's words, if they are not a list of metrics.
    """
    if type(metrics) is not list or not all(map(_is_metric, metrics)):
        try:
            shown = json.dumps(metrics)
        except (TypeError, ValueError):
            shown = repr(metrics)
        raise BadMetric(f"Bad metric created during request: {shown[:500]}")
    return labelled(metrics, verb)


def _is_metric(metric: Any) -> bool:
    if not isinstance(metric, dict) or not {"key", "type", "value"} <= metric.keys() or metric["type"] not in TYPES:
        return False
    try:
        metric["value"] + 1
    except Exception:  # noqa: BLE001  the value is the user's own object
        return False
    return not isinstance(metric["value"], list | str)
