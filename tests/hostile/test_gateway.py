"""The same bytes sent through a real Envoy and to our server alone: both must cut them into the same requests."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from . import http1
from .recorder import PREFIX, Gateway, Recorder, Seen, behind, spoken

pytestmark = pytest.mark.e2e

LAST = b"GET /end HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
TABLE = {f"{case.kind[:20]}-{case.name}": case.sent for case in http1.CASES} | http1.HARMLESS


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[Recorder, Gateway, Recorder]]:
    alone = Recorder()
    with behind() as (recorder, gateway):
        yield recorder, gateway, alone
    alone.close()


def routed(data: bytes) -> bytes:
    """Return the same bytes with paths that Envoy has a route for."""
    return data.replace(b" /", b" " + PREFIX + b"/").replace(b"://x/", b"://x" + PREFIX + b"/")


def compare(pair: tuple[Recorder, Gateway, Recorder], data: bytes) -> tuple[list[Seen], list[Seen]]:
    """Return what our server sees of ``data`` behind Envoy and alone. Fails if they disagree about where requests end.

    The only way to know that no more requests come is to wait, so a busy machine gets more time.
    """
    for quiet_s in (0.1, 1.0):
        try:
            return _compare(pair, data, quiet_s)
        except AssertionError:
            pass
    return _compare(pair, data, 5.0)


def _compare(pair: tuple[Recorder, Gateway, Recorder], data: bytes, quiet_s: float) -> tuple[list[Seen], list[Seen]]:
    recorder, gateway, alone = pair
    before, errors = gateway.forwarded(), gateway.protocol_errors()
    statuses, ended = spoken(gateway.port, data, quiet_s)
    (behind, refusals), forwarded = recorder.take(), gateway.forwarded() - before
    # A head that Envoy has sent on before it found the body broken, or too long for us, is one that we do not see end.
    assert forwarded - len(behind) in (0, 1), f"Envoy sent {forwarded} requests and we saw {behind}"
    if forwarded > len(behind):
        assert ended or max(statuses, default=0) >= 400
    for refusal in refusals:
        known = "in the middle of a request", "larger than", "the Host header is not"
        assert any(words in refusal for words in known)
    assert gateway.protocol_errors() == errors, "our answers are as many as Envoy's requests"
    statuses_alone, _ = spoken(alone.port, data, quiet_s)
    seen, _ = alone.take()
    shorter, longer = sorted((behind, seen), key=len)
    assert shorter == longer[: len(shorter)], "both cut the same requests"
    if shorter != longer:  # the stricter one has said so, or has taken what remained for unfinished
        assert ended or max(statuses if len(behind) < len(seen) else statuses_alone, default=0) >= 400
    return behind, seen


@pytest.mark.parametrize("name", TABLE)
def test_envoy_and_we_see_the_same_requests(pair: tuple[Recorder, Gateway, Recorder], name: str) -> None:
    """Behind no hostile case does the server see a request that Envoy has not sent."""
    behind, seen = compare(pair, routed(TABLE[name] + LAST))
    if name in http1.HARMLESS:
        assert behind == seen
        assert len(seen) == 2


SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
LINES = st.sampled_from(
    [
        *(b"Content-Length: 0\r\n", b"Content-Length: 5\r\n", b"Content-Length: %d\r\n" % len(SMUGGLED)),
        *(b"Content-Length : 5\r\n", b"Content-Length:5\n", b"Content-Length: 5,5\r\n", b"content-length:\t5\r\n"),
        *(
            b"Content-Length: +5\r\n",
            b"Content-Length: 05\r\n",
            b"X: y\r\n Content-Length: 5\r\n",
            b"Content_Length: 5\r\n",
        ),
        *(b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding:chunked\r\n", b"Transfer-Encoding : chunked\r\n"),
        *(b"Transfer-Encoding: xchunked\r\n", b"Transfer-Encoding:\x0bchunked\r\n", b"Transfer-Encoding: chunked\n"),
        *(
            b"Transfer-Encoding: chunked, identity\r\n",
            b"Transfer-Encoding: gzip, chunked\r\n",
            b"X: \rTransfer-Encoding: chunked\r\n",
        ),
        *(b"Transfer-Encoding\r\n : chunked\r\n", b"Transfer-Encoding: Chunked\r\n", b"Transfer_Encoding: chunked\r\n"),
        *(b"Connection: close\r\n", b"Connection: Content-Length\r\n", b"Connection: transfer-encoding\r\n"),
        *(b"Expect: 100-continue\r\n", b"Host: y\r\n", b"X: y\r\n", b"\r\n", b"\n", b"X\0: y\r\n", b": y\r\n"),
    ]
)
BODIES = st.lists(
    st.sampled_from(
        [
            *(b"0\r\n\r\n", b"5\r\nhello\r\n", b"5;a=b\r\nhello\r\n", b"5 \r\nhello\r\n", b"05\r\nhello\r\n"),
            *(b"5\nhello\r\n", b"5\r\nhello", b"0\r\nX: y\r\n\r\n", b"0\r\nContent-Length: 9\r\n\r\n", b"0\n\n"),
            *(b"hello", b"\r\n", b"0\r\n", b"-1\r\n", b"0x5\r\nhello\r\n", b"fffffffffffffffff\r\n", b"5\r\nhello\n"),
            SMUGGLED,
        ]
    ),
    max_size=4,
)
LINE = st.sampled_from(
    [b"POST /p HTTP/1.1\r\n"] * 6 + [b"GET /p HTTP/1.1\r\n", b"HEAD /p HTTP/1.1\r\n", b"POST /p HTTP/1.0\r\n"]
    + [b"POST /p HTTP/1.1\n", b"POST  /p HTTP/1.1\r\n", b"POST /p  HTTP/1.1\r\n", b"\r\nPOST /p HTTP/1.1\r\n"]
)  # fmt: skip
REQUESTS = st.builds(
    lambda line, lines, body: line + b"Host: x\r\n" + b"".join(lines) + b"\r\n" + b"".join(body),
    LINE,
    st.lists(LINES, max_size=3),
    BODIES,
)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(requests=st.lists(REQUESTS, min_size=1, max_size=3))
def test_no_mixture_of_the_tricks_is_seen_in_two_ways(
    pair: tuple[Recorder, Gateway, Recorder], requests: list[bytes]
) -> None:
    """Envoy and the server cut random mixtures of lengths, codings, spaces, line ends and chunks alike."""
    compare(pair, routed(b"".join(requests) + LAST))
