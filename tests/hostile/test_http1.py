"""Hostile HTTP/1.1: each case gets its answer, ends its connection and stays within a bound on memory."""

import asyncio
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import httptools
import pytest

from scorekit.serve.detect import TooManyConnections
from scorekit.serve.http1.connection import Http1Connection
from scorekit.serve.http1.exchange import Exchange
from scorekit.serve.limits.memory import Budget
from scorekit.serve.limits.open_connections import ClientTimeouts, OpenConnections
from scorekit.serve.rest import refuse
from scorekit.serve.workers.metrics_page import MetricsPage

from . import http1
from .http1 import CHUNKED, END, GET, HEAD
from .recorder import MAX_BODY, Seen, Transport, of

MEGABYTE = 1 << 20
PARSER = httptools.HttpRequestParser


class NoTimers:
    def call_later(self, delay: float, callback: Callable[[], None]) -> None:
        pass


@pytest.fixture(autouse=True)
def no_timers() -> Iterator[None]:
    patch = pytest.MonkeyPatch()
    patch.setattr(asyncio, "get_running_loop", NoTimers)
    yield
    patch.undo()


class Line:
    """One connection on a transport of the test's own. Its requests are answered at once, or never if ``holds``."""

    def __init__(
        self, holds: bool = False, takes: bool = True, budget: Budget | None = None, answer: bytes = b"ok\n"
    ) -> None:
        self.seen: list[Seen] = []
        self.held: list[Exchange] = []
        self.transport = Transport(takes)
        self._answer = None if holds else answer
        self.connection = Http1Connection(self._handle, refuse, set(), MAX_BODY, budget=budget)
        self.connection.connection_made(self.transport)  # type: ignore[arg-type]  # as much of one as is needed

    def _handle(self, exchange: Exchange) -> None:
        self.seen.append(of(exchange))
        if self._answer is None:
            self.held.append(exchange)
        else:
            exchange.respond(200, self._answer)

    def send(self, data: bytes, by: int = 65_536) -> "Line":
        for at in range(0, len(data), by):
            if not self.transport.paused:
                self.connection.data_received(data[at : at + by])
        return self

    def looked_at(self, *seconds: float) -> "Line":
        for now in seconds:
            self.connection.check_time(now, ClientTimeouts())
        return self


every_case = pytest.mark.parametrize(
    "case", [pytest.param(each, id=f"{each.kind[:20]}-{each.name}") for each in http1.CASES]
)


@every_case
@pytest.mark.parametrize("by", [65_536, 250_000, 7], ids=["by 64 kB", "by 250 kB", "by 7"])
def test_every_case_has_its_answer_however_it_is_cut(case: http1.Case, by: int) -> None:
    """Each case gets its status, ends the connection, and shows the handler no request that it should not see."""
    tracemalloc.start()
    line = Line().send(case.sent, by)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert line.transport.statuses()[-1:] == [case.status]
    assert len(line.seen) == case.seen
    assert line.connection._closing == (case.status != 200)
    assert (b"Connection: close\r\n" in line.transport.written) == (case.status != 200)
    assert peak < 2 * MEGABYTE
    line.send(GET)
    assert len(line.seen) == case.seen + (case.status == 200)


@pytest.mark.parametrize("name", http1.HARMLESS)
def test_unusual_but_valid_requests_are_read(name: str) -> None:
    """Rare forms that the standard allows are read as one request, and the next request is read too."""
    line = Line().send(http1.HARMLESS[name] + GET)
    assert [path for _, path, _ in line.seen] == [line.seen[0][1], b"/q"]
    assert line.transport.statuses() == [200, 200]


def test_a_body_of_tiny_chunks_is_what_was_sent() -> None:
    """A body of tiny chunks arrives complete and in order, and takes no more memory than its bytes."""
    body = bytes(range(256)) * 300
    sent = CHUNKED + b"".join(b"2\r\n%b\r\n" % body[at : at + 2] for at in range(0, len(body), 2)) + END
    tracemalloc.start()
    line = Line().send(sent)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert line.seen == [("POST", b"/p", body)]
    assert peak < 6 * len(body)


def test_a_client_that_does_not_read_is_cut_off() -> None:
    """A client that reads less than 7200 bytes of its answer in 30 s is disconnected."""
    line = Line(takes=False, answer=b"x" * 100_000).send(GET)
    line.looked_at(0, 29)
    assert not line.transport.aborted
    line.looked_at(31)
    assert line.transport.aborted


def test_a_client_that_reads_slowly_but_steadily_is_left_alone() -> None:
    """A client that reads at the minimum rate gets its whole answer."""
    line = Line(takes=False, answer=b"x" * 100_000).send(GET)
    for now in range(0, 300, 10):
        line.looked_at(now)
        del line.transport.written[:3000]
    assert not line.transport.aborted


def test_a_worker_holds_a_bounded_number_of_request_bytes() -> None:
    """Bodies above the budget get a 503, and the budget is given back when requests are answered or clients go."""
    budget = Budget(150_000)
    first, second, third = (Line(holds=True, budget=budget) for _ in range(3))
    first.send(HEAD + b"Content-Length: 90000\r\n\r\n" + b"x" * 90_000)
    assert budget.held == 90_000
    second.send(HEAD + b"Content-Length: 90000\r\n\r\n")
    third.send(CHUNKED + b"15f90\r\n" + b"x" * 90_000)
    assert [line.transport.statuses() for line in (first, second, third)] == [[], [503], [503]]
    assert b"Retry-After: 1\r\n" in second.transport.written
    first.held[0].respond(200, b"ok")
    assert budget.held == 0
    other = Line(holds=True, budget=budget).send(HEAD + b"Content-Length: 90000\r\n\r\n" + b"x" * 80_000)
    assert budget.held == 80_000
    other.connection.connection_lost(None)
    assert budget.held == 0


def test_a_client_that_pipelines_large_bodies_is_not_read_from() -> None:
    """A connection is not read from while a few large requests on it wait for their answers."""
    line = Line(holds=True)
    one = HEAD + b"Content-Length: 90000\r\n\r\n" + b"x" * 90_000
    line.send(one * 100)
    assert line.transport.paused
    assert len(line.seen) < 20


OFFER = GET[:-2] + b"Connection: upgrade\r\nUpgrade: h2c\r\n\r\n"


def test_many_offers_of_another_protocol_are_declined_one_by_one() -> None:
    """Thousands of requests that offer another protocol, in one piece, are answered like any others."""
    line = Line().send(OFFER * 3000, by=250_000)
    assert line.transport.statuses() == [200] * 3000


@pytest.mark.parametrize("offers", [1, 2, 50])
@pytest.mark.parametrize("bad", [b"GET / HTTP/1.1\r\n\r\n", b"\0", b"GET /q HTTP/3.0\r\nHost: x\r\n\r\n"])
def test_an_error_behind_a_declined_offer_is_answered(offers: int, bad: bytes) -> None:
    """A bad request behind some that offer another protocol gets its 400."""
    line = Line().send(OFFER * offers + bad)
    assert line.transport.statuses() == [200] * offers + [400]
    assert line.connection._closing


def test_what_follows_a_declined_offer_is_not_copied() -> None:
    """What follows a request that offers another protocol is parsed where it is: a copy each time is quadratic."""
    fed: list[bytes | memoryview] = []

    class Parser:
        def __init__(self, reader: object) -> None:
            self._parser = PARSER(reader)

        def feed_data(self, data: bytes | memoryview) -> None:
            fed.append(data)
            self._parser.feed_data(data)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._parser, name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(httptools, "HttpRequestParser", Parser)
        Line().send(OFFER * 1000, by=250_000)
    assert sum(len(data) for data in fed if isinstance(data, bytes)) <= 2 * 1000 * len(OFFER)


def test_answers_to_pipelined_requests_are_made_as_they_are_read() -> None:
    """Of thousands of requests in one piece, no more are answered than the client reads; the rest follow in order."""
    line = Line(takes=False, answer=b"x" * 7000)
    line.connection.pause_writing()
    line.connection.data_received(b"".join(GET.replace(b"/q", b"/%d" % each) for each in range(5000)))
    assert line.seen == []
    assert line.transport.paused
    line.connection.resume_writing()
    assert [path for _, path, _ in line.seen] == [b"/%d" % each for each in range(5000)]
    assert not line.transport.paused


def test_only_a_few_pipelined_requests_are_under_way() -> None:
    """Of thousands of requests in one piece 33 at most reach the model at a time; each answer lets the next follow."""
    line = Line(holds=True).send(GET * 5000, by=250_000)
    assert len(line.held) == 32
    assert line.transport.paused
    for answered in range(5000):
        assert answered < len(line.held) <= 33 + answered
        line.held[answered].respond(200, b"ok\n")
    assert line.transport.statuses() == [200] * 5000
    assert not line.transport.paused


@pytest.mark.parametrize("drained", [False, True], ids=["asked", "drained"])
def test_nothing_runs_behind_the_last_answer_of_a_connection(drained: bool) -> None:
    """A request behind one that ends the connection, by its own header or by a drain, never reaches the model."""
    line = Line(holds=True).send(GET if drained else GET[:-2] + b"Connection: close\r\n\r\n")
    if drained:
        line.connection.drain()
    line.send(GET + HEAD + b"Content-Length: 90000\r\n\r\n" + b"x" * 90_000)
    assert len(line.seen) == 1
    line.held[0].respond(200, b"ok\n")
    assert line.transport.statuses() == [200]
    assert line.transport.closed


def test_deferred_requests_are_dropped_with_their_connection() -> None:
    """Requests that wait for their turn do not run any more when their client has gone."""
    line = Line(holds=True).send(GET * 100)
    line.connection.connection_lost(None)
    for exchange in line.held:
        exchange.respond(200, b"ok")
    assert len(line.held) == 32


def test_the_metrics_page_has_a_limit_of_connections() -> None:
    """Of 101 connections to the metrics page the last gets a 503."""
    page = MetricsPage("/metrics", lambda answer: None)
    scrapers: OpenConnections = set()
    transports = [Transport() for _ in range(101)]
    for each in transports:
        page.connection(scrapers).connection_made(each)  # type: ignore[arg-type]  # as above
    assert [each.statuses() for each in transports] == [[]] * 100 + [[503]]


def test_a_connection_above_the_limit_is_closed_at_once() -> None:
    """A connection above the limit gets a 503 and is closed."""
    transport = Transport()
    TooManyConnections().connection_made(transport)  # type: ignore[arg-type]  # as above
    assert transport.statuses() == [503]
    assert transport.closed


@pytest.mark.parametrize("sent", [b"GET /q", HEAD + b"Content-Length: 90000\r\n\r\n" + b"x" * 7000])
def test_a_client_that_does_not_finish_its_request_gets_a_408(sent: bytes) -> None:
    """A head that takes more than 10 s, or a body below 7200 bytes in 30 s, gets a 408."""
    line = Line().send(sent).looked_at(0, 9)
    assert line.transport.statuses() == []
    assert line.looked_at(11, 31).transport.statuses() == [408]


def test_an_idle_connection_is_closed() -> None:
    """A connection is closed without a word 620 s after its last answer."""
    line = Line().send(GET).looked_at(0, 619)
    assert not line.transport.closed
    assert line.looked_at(621).transport.closed
    assert line.transport.statuses() == [200]
