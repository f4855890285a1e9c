"""HTTP/1.1 through a real socket: every request is answered once and in order, however it is framed."""

import json
import re
import socket
import struct
import time
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scorekit.serve.detect import ProtocolDetector, TooManyConnections
from scorekit.serve.http1.connection import Http1Connection
from scorekit.serve.http1.exchange import Exchange
from scorekit.serve.limits.open_connections import ClientTimeouts
from scorekit.serve.rest import refuse

from ..conftest import MAX_BODY, Wire

BODY = b'{"data":{"ndarray":[[1,2]]}}'
ANSWER = {"data": {"names": ["t:0", "t:1"], "ndarray": [[2, 4]]}, "meta": {}}


def post(body: bytes = BODY, version: bytes = b"1.1", headers: bytes = b"") -> bytes:
    return b"POST /predict HTTP/%b\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%b\r\n%b" % (
        version,
        len(body),
        headers,
        body,
    )


CHUNKED = (
    b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5\r\n" + BODY[:5] + b"\r\n%x\r\n" % (len(BODY) - 5) + BODY[5:] + b"\r\n0\r\n\r\n"
)


def test_a_connection_serves_many_requests(wire: Wire) -> None:
    """One connection serves several requests, one after the other."""
    client = wire.client()
    for _ in range(3):
        ((status, headers, body),) = client.send(post()).receive()
        assert (status, json.loads(body)) == (200, ANSWER)
        assert headers["content-type"] == "application/json"
        assert headers["server"] == "scorekit"
        assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", headers["date"])
        assert "connection" not in headers


@pytest.mark.parametrize("request_", [post(), CHUNKED], ids=["length", "chunked"])
@settings(max_examples=settings().max_examples // 4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_it_does_not_matter_how_the_bytes_arrive(wire: Wire, request_: bytes, data: st.DataObject) -> None:
    """A request means the same however it is cut into packets."""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(request_)), max_size=6)))
    client = wire.client()
    client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for start, end in zip([0, *cuts], [*cuts, len(request_)], strict=True):
        client.send(request_[start:end])
    assert json.loads(client.receive()[0][2]) == ANSWER
    client.socket.close()


def test_pipelined_requests_are_answered_in_order(wire: Wire) -> None:
    """A hundred requests sent at once are answered in their order."""
    client = wire.client()
    client.send(b"".join(post(b'{"data":{"ndarray":[[%d]]}}' % n) for n in range(100)))
    values = [json.loads(body)["data"]["ndarray"][0][0] for _, _, body in client.receive(100)]
    assert values == [2 * n for n in range(100)]


def test_a_slow_answer_holds_back_a_quick_one(start: Callable[..., Wire]) -> None:
    """Responses leave in the order of their requests even if a later one is ready first."""
    held: list[Exchange] = []
    wire = start(lambda loop: held.append)
    client = wire.client()
    client.send(b"GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n")
    while len(held) < 2:
        pass
    wire.call(lambda: held[1].respond(200, b"second"))
    wire.call(lambda: held[0].respond(200, b"first"))
    assert [body for _, _, body in client.receive(2)] == [b"first", b"second"]


def test_only_the_first_response_counts(start: Callable[..., Wire]) -> None:
    """An exchange that is answered twice sends one response."""

    def handler(exchange: Exchange) -> None:
        exchange.respond(200, b"one")
        exchange.respond(200, b"two")

    client = start(lambda loop: handler).client()
    client.send(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert client.rest().endswith(b"\r\n\r\none")


@pytest.mark.parametrize(
    ("request_", "closes"),
    [
        (post(headers=b"Connection: close\r\n"), True),
        (post(version=b"1.0"), True),
        (post(version=b"1.0", headers=b"Connection: keep-alive\r\n"), False),
    ],
)
def test_the_connection_ends_when_the_client_wants_it(wire: Wire, request_: bytes, closes: bool) -> None:
    """`Connection: close` and HTTP/1.0 end the connection after the response; an HTTP/1.0 keep-alive is confirmed."""
    client = wire.client().send(request_)
    ((status, headers, _),) = client.receive()
    assert status == 200
    assert headers["connection"] == ("close" if closes else "keep-alive")
    if closes:
        assert client.rest() == b""


def test_a_client_that_half_closes_is_still_answered(wire: Wire) -> None:
    """A client that ends its side after the request, as nc does, still gets its response."""
    client = wire.client().send(post())
    client.socket.shutdown(socket.SHUT_WR)
    ((status, _, body),) = client.receive()
    assert (status, json.loads(body)) == (200, ANSWER)
    assert client.rest() == b""


def test_head_has_a_length_and_no_body(wire: Wire) -> None:
    """HEAD is answered as GET, without the body."""
    client = wire.client().send(b"HEAD /health/ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    text = client.rest()
    assert b"Content-Length: 4\r\n" in text
    assert text.endswith(b"\r\n\r\n")


def test_expect_100_continue_is_answered(wire: Wire) -> None:
    """`Expect: 100-continue`, which curl sends before large bodies, is answered before the body."""
    head, body = post(headers=b"Expect: 100-continue\r\n").split(b"\r\n\r\n")
    client = wire.client().send(head + b"\r\n\r\n")
    assert client.socket.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert client.send(body).receive()[0][0] == 200


@pytest.mark.parametrize(
    ("garbage", "status"),
    [
        (b"\x00\x01\x02\x03\r\n\r\n", 400),
        (b"NONSENSE\r\n\r\n", 400),
        (b"CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", 400),
        (b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n12", 400),
        (b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY + 1), 413),
        (b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999999999999999\r\n\r\n", 413),
        (b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: %b99999999\r\n\r\n" % (b"0" * 5000), 413),
    ],
)
def test_a_malformed_request_is_refused_and_closed(wire: Wire, garbage: bytes, status: int) -> None:
    """A malformed request gets one error in the stock envelope, and the connection is closed."""
    client = wire.client().send(garbage)
    text = client.rest()
    assert text.startswith(b"HTTP/1.1 %d " % status), text
    assert b"Connection: close\r\n" in text
    assert json.loads(text.split(b"\r\n\r\n")[1])["status"]["code"] == -1


def test_an_offered_upgrade_is_ignored(wire: Wire) -> None:
    """A client that offers h2c, as Java's does on its first request, is served over HTTP/1.1."""
    offer = post(headers=b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAA\r\n")
    client = wire.client().send(offer + post())
    assert [status for status, _, _ in client.receive(2)] == [200, 200]
    assert client.send(post()).receive()[0][0] == 200


def test_a_chunked_body_over_the_limit_is_refused(wire: Wire) -> None:
    """The limit on bodies holds for bodies without a Content-Length."""
    client = wire.client().send(b"POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    for _ in range(MAX_BODY // 0x10000 + 10):
        client.send(chunk)
    assert client.rest().startswith(b"HTTP/1.1 413 ")


def test_a_client_that_sends_all_before_it_reads_gets_its_refusal(wire: Wire) -> None:
    """A client that sends all of a body twice as large as the limit still receives the 413."""
    client = wire.client().send(post(b" " * (2 * MAX_BODY)))
    assert client.rest().startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"a" * 400_000,
        b"GET / HTTP/1.1\r\nA: " + b"a" * 400_000,
        b"GET / HTTP/1.1\r\n" + b"A: a\r\n" * 100_000,
    ],
    ids=["target", "header", "headers"],
)
def test_a_head_without_end_is_refused(wire: Wire, head: bytes) -> None:
    """Request line and headers have a limit, however they are cut into packets."""
    client = wire.client()
    for start in range(0, len(head), 10_000):
        client.send(head[start : start + 10_000])
    assert client.rest().startswith(b"HTTP/1.1 431 ")


def test_a_request_cut_short_gets_a_400(wire: Wire) -> None:
    """A client that half-closes in the middle of a request gets a 400."""
    client = wire.client().send(post()[:-3])
    client.socket.shutdown(socket.SHUT_WR)
    assert client.rest().startswith(b"HTTP/1.1 400 ")


def test_an_absolute_target_is_a_path_too(wire: Wire) -> None:
    """`POST http://host/predict`, the form that proxies are sent, is the same as `POST /predict`."""
    client = wire.client().send(post().replace(b"/predict", b"http://x/predict", 1))
    assert client.receive()[0][0] == 200


def test_an_error_between_pipelined_requests_keeps_their_order(wire: Wire) -> None:
    """Requests before a malformed one are answered before the refusal."""
    text = wire.client().send(post() + post() + b"NONSENSE\r\n\r\n").rest()
    assert re.findall(rb"HTTP/1.1 (\d+)", text) == [b"200", b"200", b"400"]


def test_a_client_that_disappears_harms_nobody(wire: Wire) -> None:
    """After connections have been reset, the next client is served."""
    for _ in range(20):
        client = wire.client().send(post())
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.socket.close()
    assert wire.client().send(post()).receive()[0][0] == 200


def test_a_client_that_does_not_read_is_not_read_from(wire: Wire) -> None:
    """The server stops reading while a client does not read its responses, and loses nothing."""
    client = wire.client()
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    body = b'{"strData":"%b"}' % (b"x" * 200_000)
    client.socket.settimeout(1)
    sent, data = 0, post(body) * 300
    try:
        while sent < len(data):
            sent += client.socket.send(data[sent : sent + 65536])
    except TimeoutError:
        pass
    assert sent < len(data), "the server took 60 MB while nobody read its answers"
    client.socket.settimeout(10)
    complete = sent // len(post(body))
    received = client.receive(complete)
    assert [status for status, _, _ in received] == [200] * complete


def test_a_declined_upgrade_still_ends_the_connection_if_asked(wire: Wire) -> None:
    """`Connection: close` holds even beside an offered upgrade."""
    text = wire.client().send(post(headers=b"Connection: close, Upgrade\r\nUpgrade: h2c\r\n")).rest()
    assert text.startswith(b"HTTP/1.1 200 ")


def on_each(wire: Wire, step: str) -> None:
    for connection in [*wire.fleet]:
        getattr(connection, step)()


def test_drain_answers_what_is_open_and_tells_the_client(start: Callable[..., Wire]) -> None:
    """A drain answers open and half-received requests with `Connection: close`, and closes quiet connections."""
    held: list[Exchange] = []
    wire = start(lambda loop: held.append)
    idle, waiting, sending = wire.client(), wire.client(), wire.client()
    waiting.send(post())
    sending.send(post()[:-5])
    while len(held) < 1 or len(wire.fleet) < 3:
        pass
    for step in ("drain", "close_if_quiet"):
        wire.call(partial(on_each, wire, step))
    assert idle.rest() == b""
    sending.send(post()[-5:])
    while len(held) < 2:
        pass
    for exchange in held:
        wire.call(partial(exchange.respond, 200, b"late"))
    for client in (waiting, sending):
        ((status, headers, body),) = client.receive()
        assert (status, headers["connection"], body) == (200, "close", b"late")
        assert client.rest() == b""


def test_drain_cuts_off_what_takes_too_long(start: Callable[..., Wire]) -> None:
    """A connection that is still open after the grace period is closed."""
    held: list[Exchange] = []
    wire = start(lambda loop: held.append)
    client = wire.client().send(post())
    while not held:
        pass
    wire.drain(0.1)
    assert client.rest() == b""


KNOWN_HEAD = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


def doubling(x: int) -> bytes:
    body = b'{"data":{"ndarray":[[%d]]}}' % x
    return KNOWN_HEAD % len(body) + body


def test_a_head_that_comes_again_is_read_once_and_means_the_same(wire: Wire) -> None:
    """Requests whose head is remembered get their own answers, with others between them and however they are cut."""
    client = wire.client()
    sent = [doubling(1), doubling(2), doubling(13), doubling(4), doubling(5)]
    answers = []
    for each in sent:
        answers += client.send(each).receive()
    for cut in (1, 30, 90, len(doubling(6)) - 1):
        client.send(doubling(6)[:cut])
        time.sleep(0.02)
        answers += client.send(doubling(6)[cut:]).receive()
    answers += client.send(doubling(7) + doubling(8)).receive(2)
    answers += client.send(b"GET /health/ping HTTP/1.1\r\nHost: x\r\n\r\n").receive()
    answers += client.send(doubling(9)).receive()
    got = [body if body == b"pong" else json.loads(body)["data"]["ndarray"][0][0] for _, _, body in answers]
    assert got == [2, 4, 26, 8, 10, 12, 12, 12, 12, 14, 16, b"pong", 18]


def test_a_known_head_does_not_outlive_the_end_of_the_connection(wire: Wire) -> None:
    """A remembered head is not used after `Connection: close` or in a drain."""
    client = wire.client()
    client.send(doubling(1)).receive()
    client.send(doubling(1)).receive()
    closing = doubling(1).replace(b"Host: x\r\n", b"Host: x\r\nConnection: close\r\n")
    [(_, headers, _)] = client.send(closing + doubling(1)).receive()
    assert headers["connection"] == "close"
    assert client.rest() == b""
    other = wire.client()
    other.send(doubling(1)).receive()
    other.send(doubling(1)).receive()

    def drain_all() -> None:
        for connection in list(wire.fleet):
            connection.drain()

    wire.call(drain_all)
    [(_, headers, _)] = other.send(doubling(1)).receive()
    assert headers["connection"] == "close"


@pytest.mark.parametrize(
    "head",
    [
        b"POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n",
        b"POST /predict HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Type: application/json\r\n"
        b"Content-Length: 26\r\n\r\n",
        b"POST /predict HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\nContent-Type: application/json\r\n"
        b"Content-Length: 26\r\n\r\n",
        b"POST /predict HTTP/1.1\r\nHost: x\r\nPad: " + b"x" * 5000 + b"\r\nContent-Type: application/json\r\n"
        b"Content-Length: 26\r\n\r\n",
    ],
    ids=["chunked", "expecting", "1.0", "long"],
)
def test_requests_not_framed_by_length_alone_are_parsed_each_time(wire: Wire, head: bytes) -> None:
    """Requests with chunks, expectations, HTTP/1.0 or long heads are parsed each time."""
    body = b'{"data":{"ndarray":[[1]]}}'
    assert len(body) == 26
    client = wire.client()
    for _ in range(3):
        sent = b"1a\r\n%b\r\n0\r\n\r\n" % body if b"chunked" in head else body
        client.send(head)
        if b"Expect" in head:
            time.sleep(0.02)
            assert client.receive()[0][0] == 100
        [(status, _, answer)] = client.send(sent).receive()
        assert status == 200
        assert json.loads(answer)["data"]["ndarray"] == [[2]]


@pytest.mark.parametrize("size", [30_000, 65_000, 200_000, 1_000_000])
def test_the_limit_of_heads_does_not_apply_to_bodies(wire: Wire, size: int) -> None:
    """A request that arrives in one piece longer than the limit of heads is answered."""
    connection = Http1Connection(wire._handler, refuse, set(), MAX_BODY)
    written: list[bytes] = []

    class Sink:
        write = staticmethod(written.append)

    body = json.dumps({"data": {"ndarray": [[1.5] * (size // 5)]}}).encode()
    request = KNOWN_HEAD % len(body) + body

    def feed() -> None:
        connection.connection_made(Sink())  # type: ignore[arg-type]  # as much of one as is needed
        for _ in range(3):
            connection.data_received(request)

    wire.call(feed)
    while len(written) < 3:
        time.sleep(0.01)
    assert [each[:15] for each in written] == [b"HTTP/1.1 200 OK"] * 3


class Line:
    """A transport that records what is written."""

    def __init__(self) -> None:
        self.written, self.closed = b"", False

    def write(self, data: bytes) -> None:
        self.written += data

    def can_write_eof(self) -> bool:
        return False

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def get_write_buffer_size(self) -> int:
        return 0


QUICK = ClientTimeouts(head_s=10, body_s=30, idle_s=60)


def timed(wire: Wire, *steps: tuple[float, bytes]) -> Line:
    """Feed a connection with bytes at given times, with a look at each time."""
    line = Line()
    connection = Http1Connection(wire._handler, refuse, set(), MAX_BODY)

    def run() -> None:
        connection.connection_made(line)  # type: ignore[arg-type]  # as much of one as is needed
        for now, data in steps:
            if data:
                connection.data_received(data)
            connection.check_time(now, QUICK)

    wire.call(run)
    return line


@pytest.mark.parametrize(
    ("steps", "status"),
    [
        ([(0, b"POST /pre"), (9, b""), (11, b"")], b"408"),
        ([(at, b"POST /predict"[at : at + 1]) for at in range(12)], b"408"),  # a byte a second: a head has one time
        ([(0, KNOWN_HEAD % 90_000), (29, b"1"), (31, b"2")], b"408"),
        ([(0, KNOWN_HEAD % 90_000), *((29 * at, b"x" * 7300) for at in range(1, 9))], b""),
        ([(0, KNOWN_HEAD % 90_000), (29, b"x" * 7300), (58, b"x"), (61, b"")], b"408"),
        ([(0, b"GET /health/ping HTTP/1.1\r\nHost: x\r\n\r\n"), (59, b"")], b"200"),
    ],
    ids=["half a head", "a trickling head", "a trickling body", "a slow body", "a stalled body", "idle"],
)
def test_clients_have_time_limits(wire: Wire, steps: list[tuple[float, bytes]], status: bytes) -> None:
    """A head that takes 10 s, or 30 s with less than 7200 bytes of a body, get a 408 and end the connection."""
    line = timed(wire, *steps)
    assert line.written[9:12] == status
    assert (b"Connection: close" in line.written) == (status == b"408")


def test_a_client_that_is_quiet_between_requests_is_closed_in_silence(wire: Wire) -> None:
    """A client that is idle for too long between requests is disconnected without a response."""
    line = timed(wire, (0, b"GET /health/ping HTTP/1.1\r\nHost: x\r\n\r\n"), (30, b""), (61, b""))
    assert line.closed
    assert line.written.count(b"HTTP/1.1") == 1


def test_many_requests_that_are_each_quick_are_not_one_slow_head(wire: Wire) -> None:
    """A connection that is within another head at each look is not slow."""
    request = b"GET /health/ping HTTP/1.1\r\nHost: x\r\n\r\n"
    steps = [(float(at), request[5:] * (at > 0) + request[:5]) for at in range(20)]
    line = timed(wire, *steps)
    assert line.written.count(b"200 OK") == 19
    assert not line.closed


def test_too_many_headers_are_refused(wire: Wire) -> None:
    """A hundred headers are accepted; more get a 431."""
    for count, status in ((90, 200), (100, 431)):
        head = b"GET /health/ping HTTP/1.1\r\nHost: x\r\n" + b"a: b\r\n" * count + b"\r\n"
        assert wire.client().send(head).receive()[0][0] == status


def test_a_connection_above_the_limit_gets_a_503() -> None:
    """A connection above the limit gets a 503 with Retry-After and is closed."""
    line = Line()
    TooManyConnections().connection_made(line)  # type: ignore[arg-type]  # as much of one as is needed
    assert line.written.startswith(b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n")
    assert line.closed


def test_a_silent_connection_is_closed(wire: Wire) -> None:
    """A new connection has the idle timeout before its first byte, and the head timeout after half a preface."""
    for said, closed_after in ((b"", 61), (b"PRI * HT", 11)):
        line = Line()
        detect = ProtocolDetector(lambda: None, lambda: None, set())

        def run(
            line: Line = line, detect: ProtocolDetector = detect, said: bytes = said, until: float = closed_after
        ) -> None:
            detect.connection_made(line)  # type: ignore[arg-type]  # as above
            detect._since = 0.0
            if said:
                detect.data_received(said)
            detect.check_time(until - 2, QUICK)
            assert not line.closed
            detect.check_time(until, QUICK)

        wire.call(run)
        assert line.closed
