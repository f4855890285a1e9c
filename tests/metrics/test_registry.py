"""The metrics that Prometheus reads: the stock wrapper's series, and the server's own."""

import itertools
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorekit.message import Verb
from scorekit.metrics import registry as module
from scorekit.metrics.exposition import Families, Family, Histogram, Number, exposition, merge, name_of
from scorekit.metrics.registry import REQUESTS, TIMER_BOUNDS_S, Metrics, component_labels

GOLDEN = Path(__file__).parents[1] / "golden" / "metrics.txt"
LABELS = component_labels(
    deployment="dep",
    predictor="pred",
    predictor_version="v7",
    model="classifier",
    image="reg:5000/image:0.1",
    unset="NOT_IMPLEMENTED",
)
COUNTER = {"type": "COUNTER", "key": "c", "value": 1}

# The grammar of the text format: a name, labels whose values are quoted and escaped, a number.
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(\\[\\"n]|[^\\"\n])*"'
LINE = re.compile(rf"[a-zA-Z_:][a-zA-Z0-9_:]*(\{{{LABEL}(,{LABEL})*\}})? (NaN|[+-]Inf|[-+0-9.e]+)")


def samples(text: bytes) -> set[str]:
    """Returns the lines that are not comments, each of which must follow the format's grammar."""
    lines = {line for line in text.decode().split("\n") if line and not line.startswith("#")}
    assert not [line for line in lines if not LINE.fullmatch(line)]
    return lines


def counted(*told: Any, labels: dict[str, str] | None = None) -> set[str]:
    """Returns the samples of a component's metrics."""
    made = Metrics(labels or {})
    made.record(Verb.PREDICT, told)
    return {line for line in samples(made.text()) if not line.startswith("scorekit_")}


def test_the_series_are_the_stock_wrappers() -> None:
    """Every sample that seldon-core 1.17.1 printed for the same calls is printed, with its labels and its value."""
    own = [
        {"type": "COUNTER", "key": "mycounter", "value": 1},
        {"type": "GAUGE", "key": "mygauge", "value": 100.5},
        {"type": "TIMER", "key": "mytimer", "value": 20},
    ]
    made = Metrics(LABELS)
    for _ in range(2):
        made.record(Verb.PREDICT, own)
    made.feedback(0.5)
    made.record(Verb.SEND_FEEDBACK, own)
    made.record(Verb.TRANSFORM_INPUT, own)
    recorded = samples(GOLDEN.read_bytes())
    assert len(recorded) > 150
    assert {line for line in samples(made.text()) if not line.startswith("scorekit_")} == recorded


def test_a_counters_own_suffix_is_not_doubled() -> None:
    """The counters c and c_total have one name."""
    assert counted(COUNTER, {**COUNTER, "key": "c_total", "value": 2}) == {'c_total{method="predict"} 3.0'}


def test_tags_are_labels_and_fixed_labels_win() -> None:
    """Each set of tags is its own series, and a tag cannot replace the label of the model."""
    told = [{**COUNTER, "tags": {"a": "x", "model_name": "forged", "method": "m"}}, {**COUNTER, "tags": {"a": "y"}}]
    lines = counted(*told, labels={"model_name": "mine"})
    assert lines == {
        'c_total{a="x",method="predict",model_name="mine"} 1.0',
        'c_total{a="y",method="predict",model_name="mine"} 1.0',
    }


def test_what_no_name_may_have_is_an_underscore() -> None:
    """Names that would break the page are replaced, and values are escaped."""
    told = {**COUNTER, "key": "my counter-1", "tags": {"1 a": 'quote " back \\ line \n'}}
    assert counted(told) == {r'my_counter_1_total{_1_a="quote \" back \\ line \n",method="predict"} 1.0'}
    assert name_of("") == "_"


@pytest.mark.parametrize(
    "told", [None, 3, {}, {**COUNTER, "type": "SUM"}, {**COUNTER, "value": "x"}, {**COUNTER, "value": [1]}]
)
def test_what_is_no_metric_is_left(told: Any) -> None:
    """An invalid metric of a raw method is logged, and the others count."""
    assert counted(told, COUNTER) == {'c_total{method="predict"} 1.0'}


def test_a_name_is_of_one_kind() -> None:
    """Of a gauge and a timer with one name the first counts, because both would break the page."""
    lines = counted({"type": "GAUGE", "key": "x", "value": 1}, {"type": "TIMER", "key": "x", "value": 1})
    assert lines == {'x{method="predict"} 1.0'}


def test_series_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of series is limited, and those left out are counted."""
    monkeypatch.setattr(module, "MAX_SERIES", 10)
    made = Metrics({})
    for at in range(100):
        made.record(Verb.PREDICT, [{**COUNTER, "tags": {"id": str(at)}}])
    lines = samples(made.text())
    assert len([line for line in lines if line.startswith("c_total")]) == 10
    assert "scorekit_metric_series_dropped_total 90.0" in lines


@pytest.mark.parametrize(("reward", "counts", "lines"), [(42.0, True, 2), (0.0, True, 0), (42.0, False, 0)])
def test_rewards_are_counted_unless_another_does(reward: float, counts: bool, lines: int) -> None:
    """A reward counts once; a reward of 0 does not, nor does any if the executor counts them."""
    made = Metrics({}, count_feedback=counts)
    made.feedback(reward)
    assert len([line for line in samples(made.text()) if line.startswith("seldon_api_model_feedback")]) == lines


def test_requests_have_the_executors_name() -> None:
    """Requests have the executor's metric name, labels and buckets."""
    made = Metrics(LABELS, worker_id="7")
    for seconds in (0.005, 0.0051, 20):
        made.request("predictions", "post", "200", seconds)
    lines = samples(made.text())
    shared = 'code="200",deployment_name="dep",{}method="post",predictor_name="pred",predictor_version="v7"'
    shared += ',service="predictions",worker_id="7"'
    assert f"{REQUESTS}_bucket{{{shared.format('le=' + chr(34) + '0.005' + chr(34) + ',')}}} 1.0" in lines
    assert f"{REQUESTS}_bucket{{{shared.format('le=' + chr(34) + '+Inf' + chr(34) + ',')}}} 3.0" in lines
    assert f"{REQUESTS}_count{{{shared.format('')}}} 3.0" in lines


def test_the_servers_own() -> None:
    """The server counts rows of batches, waits and failures, and shows momentary gauges."""
    made = Metrics({})
    made.batch(3, 0.001)
    made.failure()
    lines = samples(made.text({"scorekit_connections": 2}))
    assert {"scorekit_batch_rows_sum 3.0", "scorekit_model_failures_total 1.0", "scorekit_connections 2.0"} <= lines
    assert 'scorekit_batch_rows_bucket{le="4.0"} 1.0' in lines


def test_processes_are_merged() -> None:
    """Counts and buckets are added; of a gauge the newest value counts, whichever process set it."""

    def part(count: float, gauge: float, set_at: float) -> Families:
        timer = Histogram((1.0,))
        timer.observe(count)
        return {
            "c": Family("counter", series={(): Number(count)}),
            "g": Family("gauge", series={(): Number(gauge, set_at)}),
            "t": Family("histogram", series={(): timer}),
        }

    whole = merge([part(1, 10, 2), part(2, 20, 1)])
    assert samples(exposition(whole)) == {
        *("c 3.0", "g 10.0", "t_sum 3.0", "t_count 2.0"),
        *('t_bucket{le="1.0"} 1.0', 't_bucket{le="+Inf"} 2.0'),
    }


def test_the_bounds_of_timers_are_evenly_spaced() -> None:
    """There are fifty bounds from a millisecond to half a minute, each the same factor above the one before."""
    factors = [above / below for below, above in itertools.pairwise(TIMER_BOUNDS_S)]
    assert (len(TIMER_BOUNDS_S), TIMER_BOUNDS_S[0], TIMER_BOUNDS_S[-1]) == (50, 0.001, 29.999999999999996)
    assert factors == pytest.approx([factors[0]] * 49)


@given(st.text(), st.dictionaries(st.text(), st.text(), max_size=3), st.floats())
def test_the_page_is_never_broken(key: str, tags: dict[str, str], value: float) -> None:
    """Whatever names a component gives its metrics, each line follows the grammar."""
    counted({"type": "GAUGE", "key": key, "value": value, "tags": tags})
