"""The README's chart shows the figures of the last benchmark."""

import json
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results"


@pytest.fixture
def chart(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import chart

    return chart


def test_the_committed_chart_is_drawn_from_the_committed_figures(chart: ModuleType) -> None:
    """Drawing bench.json again gives the committed file, byte for byte."""
    drawn = chart.requests_chart(json.loads((RESULTS / "bench.json").read_text()))
    assert drawn == (RESULTS / "requests.svg").read_text()


def test_bars_are_as_long_as_the_figures_say(chart: ModuleType) -> None:
    """The fastest server comes first, half the speed is half the length, and nginx is left out."""
    case = {name: {"requests_per_s": speed} for name, speed in (("a", 50.0), ("nginx", 900.0), ("b<", 100.0))}
    root = ElementTree.fromstring(chart.requests_chart({"cases": {chart.CASE: case}}))  # noqa: S314  our own text
    lengths = [float(each.attrib["width"]) for each in root if each.tag.endswith("rect")]
    texts = [each.text for each in root if each.tag.endswith("text")][1:]
    assert lengths == [chart.BAR, chart.BAR / 2]
    assert texts == ["b<", "100", "a", "50"]
