"""Metric families, and the text in which Prometheus reads them (format 0.0.4).

Written by hand for two reasons: prometheus_client declares each name with one set of labels, but the tags of a
component decide the labels of its metrics; and its histogram costs more for each request than everything else that is
measured here.
"""

import math
import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"

Labels = tuple[tuple[str, str], ...]
"""Names and values, in alphabetical order of the names."""


@dataclass(slots=True)
class Number:
    """The value of a counter or a gauge. For a gauge, ``set_at`` decides which of two processes' values is newer."""

    value: float = 0.0
    set_at: float = 0.0


class Histogram:
    """Counts of observations by bucket, whose upper bounds are inclusive, and the sum of their values."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """Count one observation of ``value``."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value


Series = Number | Histogram


@dataclass(slots=True)
class Family:
    """All series of one name. ``kind`` is ``counter``, ``gauge`` or ``histogram``."""

    kind: str
    help: str = ""
    series: dict[Labels, Series] = field(default_factory=dict)
    momentary: bool = False
    """Whether a gauge describes a process as it is now, so that the values of several processes are added."""


Families = dict[str, Family]
"""Metric families by name."""


def merge(parts: Iterable[Families]) -> Families:
    """Return the families of several processes as one: counts are added, and of a gauge the newest value counts.

    Momentary gauges are added as well. A family whose kind differs from that of the first of its name is left out.
    """
    whole: Families = {}
    for part in parts:
        for name, family in part.items():
            into = whole.setdefault(name, Family(family.kind, family.help, momentary=family.momentary))
            if into.kind == family.kind:
                for labels, series in family.series.items():
                    _add(into, labels, series)
    return whole


def exposition(families: Mapping[str, Family]) -> bytes:
    """Return the text of ``families``, empty if there are none."""
    lines: list[str] = []
    for name, family in families.items():
        lines += [f"# HELP {name} {family.help}", f"# TYPE {name} {family.kind}"]
        for labels, series in family.series.items():
            if isinstance(series, Number):
                lines.append(f"{name}{_braces(labels)} {_number(series.value)}")
            else:
                lines += _histogram(name, labels, series)
    return "".join(f"{line}\n" for line in lines).encode()


def plain(families: Families) -> list[Any]:
    """Return ``families`` as a JSON value, for another process.

    Numbers are texts in it, because JSON has neither NaN nor infinities.
    """
    return [
        [name, family.kind, family.help, family.momentary, [_plain(*each) for each in family.series.items()]]
        for name, family in families.items()
    ]


def from_plain(value: Iterable[Any]) -> Families:
    """Return the families of a value of :func:`plain`."""
    families: Families = {}
    for name, kind, text, momentary, listed in value:
        family = families[name] = Family(kind, text, momentary=momentary)
        for labels, *numbers in listed:
            key = tuple((label, each) for label, each in labels)
            if len(numbers) == 2:
                family.series[key] = Number(*(float(number) for number in numbers))
                continue
            bounds, counts, total = numbers
            histogram = family.series[key] = Histogram(bounds)
            histogram.counts, histogram.sum = counts, float(total)
    return families


def _plain(labels: Labels, series: Series) -> list[Any]:
    if isinstance(series, Number):
        return [labels, repr(series.value), repr(series.set_at)]
    return [labels, series.bounds, series.counts, repr(series.sum)]


def name_of(text: str) -> str:
    """Return ``text`` as the name of a metric or a label: characters that a name cannot have become underscores."""
    name = re.sub(r"[^a-zA-Z0-9_]", "_", text)
    return f"_{name}" if not name or name[0].isdigit() else name


def _add(family: Family, labels: Labels, series: Series) -> None:
    into = family.series.get(labels)
    if isinstance(series, Number):
        if not isinstance(into, Number):
            family.series[labels] = Number(series.value, series.set_at)
        elif family.kind == "counter" or family.momentary:
            into.value += series.value
        elif series.set_at >= into.set_at:
            into.value, into.set_at = series.value, series.set_at
        return
    if not isinstance(into, Histogram):
        into = family.series[labels] = Histogram(series.bounds)
    into.counts = [one + other for one, other in zip(into.counts, series.counts, strict=True)]
    into.sum += series.sum


def _histogram(name: str, labels: Labels, series: Histogram) -> Iterable[str]:
    total = 0
    for bound, count in zip([*series.bounds, math.inf], series.counts, strict=True):
        total += count
        yield f"{name}_bucket{_braces((*labels, ('le', _number(bound))))} {_number(total)}"
    yield f"{name}_count{_braces(labels)} {_number(total)}"
    yield f"{name}_sum{_braces(labels)} {_number(series.sum)}"


def _braces(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in sorted(labels)) + "}"


def _escaped(value: str) -> str:
    value = value.encode(errors="replace").decode()
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return repr(float(value))
