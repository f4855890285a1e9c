"""The counts of several workers are added, and outlive the worker that made them."""

import orjson

from scorekit.message import Verb
from scorekit.metrics.exposition import exposition, from_plain, plain
from scorekit.metrics.merge import MergedMetrics
from scorekit.metrics.registry import Metrics
from scorekit.serve.workers.channel import ChannelReader, frame


def counted(requests: int, gauge: float, worker_id: str | None = None) -> Metrics:
    metrics = Metrics({"deployment_name": "d"}, worker_id)
    for _ in range(requests):
        metrics.request("predictions", "post", "200", 0.01)
        metrics.record(Verb.PREDICT, [{"type": "COUNTER", "key": "mine", "value": 1}])
    metrics.record(Verb.PREDICT, [{"type": "GAUGE", "key": "theirs", "value": gauge}])
    return metrics


def test_counts_survive_their_worker_and_its_present_does_not() -> None:
    """After a worker has ended its requests still count, its gauge stays, and its connections are gone."""
    merged = MergedMetrics()
    for pid, requests in ((1, 3), (2, 4)):
        families = counted(requests, pid).families({"scorekit_connections": 5})
        merged.update(pid, from_plain(orjson.loads(orjson.dumps(plain(families)))))
    text = merged.text().decode()
    assert 'seldon_api_executor_server_requests_seconds_count{code="200",deployment_name="d"' in text
    assert 'service="predictions"} 7.0' in text
    assert 'scorekit_connections{deployment_name="d"} 10.0' in text
    merged.worker_ended(1)
    text = merged.text().decode()
    assert 'service="predictions"} 7.0' in text
    assert 'mine_total{deployment_name="d",method="predict"} 7.0' in text
    assert 'theirs{deployment_name="d",method="predict"} 2.0' in text
    assert 'scorekit_connections{deployment_name="d"} 5.0' in text
    merged.update(3, counted(1, 9).families({}))
    assert 'service="predictions"} 8.0' in merged.text().decode()


def test_series_that_name_their_worker_end_with_it() -> None:
    """With worker ids a worker's series are dropped when it ends, so that reloads add none; a user's own tag stays."""
    merged, pages = MergedMetrics(), []
    for pid in (1, 2, 3, 4):
        metrics = counted(pid, pid, str(pid))
        merged.update(pid, metrics.families({"scorekit_connections": 5}))
        merged.worker_ended(pid - 1)
        pages.append(merged.text().decode())
    assert 'mine_total{deployment_name="d",method="predict",worker_id="4"} 4.0' in pages[-1]
    assert 'worker_id="3"' not in pages[-1]
    assert len({page.count("\n") for page in pages}) == 1
    merged.worker_ended(4)
    assert merged.text() == b""
    tagged = Metrics({"deployment_name": "d"})
    tagged.record(Verb.PREDICT, [{"type": "COUNTER", "key": "mine", "value": 2, "tags": {"worker_id": "mine"}}])
    merged.update(5, tagged.families())
    merged.worker_ended(5)
    assert 'mine_total{deployment_name="d",method="predict",worker_id="mine"} 2.0' in merged.text().decode()


def test_what_is_told_as_plain_data_is_what_was_counted() -> None:
    """Counters, gauges and histograms survive the way to another process, NaN and infinity among them."""
    metrics = counted(2, float("nan"))
    metrics.record(Verb.PREDICT, [{"type": "TIMER", "key": "t", "value": 12.5}])
    metrics.record(Verb.PREDICT, [{"type": "GAUGE", "key": "far", "value": float("inf")}])
    families = metrics.families({"scorekit_connections": 1})
    again = from_plain(orjson.loads(orjson.dumps(plain(families))))
    assert exposition(again) == exposition(families)


def test_frames_are_cut_wherever_the_bytes_are() -> None:
    """Frames are read the same whether they come byte by byte or three in one piece."""
    data = frame(b"S", b"{}") + frame(b"A") + frame(b"T", b"x" * 300)
    expected = [(b"S", b"{}"), (b"A", b""), (b"T", b"x" * 300)]
    frames = ChannelReader()
    assert list(frames.feed(data)) == expected
    assert [each for at in range(len(data)) for each in frames.feed(data[at : at + 1])] == expected
