"""Hostile HTTP/2: each case ends its stream or connection with the right code, within a bound on memory."""

import asyncio
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import hpack
import pytest

from scorekit.serve.http2 import connection as http2
from scorekit.serve.http2 import frames, streams
from scorekit.serve.http2.frames import PREFACE, frame
from scorekit.serve.http2.frames import ErrorCode as Code
from scorekit.serve.limits.memory import Budget
from scorekit.serve.limits.open_connections import ClientTimeouts
from scorekit.settings.limits import MAX_HELD_BYTES
from scorekit.testing import ManualLoop

from .kinds import KINDS
from .recorder import Transport

MEGABYTE = 1 << 20
POST = b"\x83\x86\x84"  # :method POST, :scheme http, :path /
CALM = Code.ENHANCE_YOUR_CALM


class Loop(ManualLoop):
    def call_later(self, delay: float, callback: Any) -> None:
        pass


@pytest.fixture(autouse=True)
def loop() -> Iterator[Loop]:
    made = Loop()
    patch = pytest.MonkeyPatch()
    patch.setattr(http2, "get_running_loop", lambda: made)
    patch.setattr(asyncio, "get_running_loop", lambda: made)
    yield made
    patch.undo()


class Answering(streams.StreamListener):
    """Answers every whole request with ``answer`` and keeps no bodies."""

    def __init__(self, stream: streams.Stream, answer: bytes | None) -> None:
        self.stream, self.answer, self.lost = stream, answer, False

    def ended(self) -> None:
        if self.answer is not None:
            self.stream.start(((b":status", b"200"),))
            self.stream.send(self.answer)
            self.stream.finish(((b"grpc-status", b"0"),))

    def gone(self) -> None:
        self.lost = True


@dataclass
class Peer:
    """One connection whose preface and settings have been sent, and what it answers."""

    answer: bytes | None = b"ok"
    budget: Budget | None = None
    transport: Transport = field(default_factory=Transport)
    heads: list[dict[bytes, bytes]] = field(default_factory=list)
    exchanges: list[Answering] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.connection = http2.Http2Connection(self._handle, set(), budget=self.budget)
        self.connection.connection_made(self.transport)  # type: ignore[arg-type]  # as much of one as is needed
        self.send(PREFACE + frame(frames.SETTINGS, 0, 0))
        self.transport.written.clear()

    def _handle(self, stream: streams.Stream, head: dict[bytes, bytes]) -> streams.StreamListener:
        self.heads.append(head)
        self.exchanges.append(Answering(stream, self.answer))
        return self.exchanges[-1]

    def send(self, data: bytes, by: int = 65_536) -> "Peer":
        for at in range(0, len(data), by):
            if not self.transport.closed:
                self.connection.data_received(data[at : at + by])
        return self

    def endings(self) -> tuple[Code | None, dict[int, Code]]:
        """Return the code of its GOAWAY, if any, and of each stream that it has reset."""
        away, reset, at, text = None, {}, 0, bytes(self.transport.written)
        while at < len(text):
            high, low, kind, _, number = frames.frame_head.unpack_from(text, at)
            payload = text[at + 9 : at + 9 + (high << 8 | low)]
            at += 9 + len(payload)
            if kind == frames.GOAWAY:
                away = Code(int.from_bytes(payload[4:8], "big"))
            elif kind == frames.RST_STREAM:
                reset[number] = Code(int.from_bytes(payload, "big"))
        return away, reset


@dataclass(frozen=True)
class Case:
    kind: str
    name: str
    sent: bytes
    away: Code | None = None
    reset: Code | None = None
    """Of a stream, where only that ends."""


def number(value: int) -> bytes:
    return value.to_bytes(4, "big")


def opened(end: bool, *numbers: int) -> bytes:
    flags = frames.END_HEADERS | (frames.END_STREAM if end else 0)
    return b"".join(frame(frames.HEADERS, flags, each, POST) for each in numbers)


def block(*fields: tuple[bytes, bytes]) -> bytes:
    return POST + hpack.Encoder().encode(fields, huffman=False)


_RESETS, _FLOODS, _HEADS, _RULES, _CLOSED = (
    next(kind for kind in KINDS if kind.startswith(f"HTTP/2: {start}"))
    for start in ("streams that the client", "floods", "header blocks", "frames too long", "DATA for closed")
)
ODD = range(1, 2001, 2)

CASES = [
    Case(_RESETS, "rapid", b"".join(opened(False, n) + frame(frames.RST_STREAM, 0, n, number(8)) for n in ODD), CALM),
    Case(_RESETS, "made", b"".join(opened(False, n) + frame(frames.WINDOW_UPDATE, 0, n, number(0)) for n in ODD), CALM),
    Case(_RESETS, "made-by-lies", b"".join(
        frame(frames.HEADERS, 4, n, block((b"content-length", b"5"))) + frame(frames.DATA, 1, n, b"x") for n in ODD
    ), CALM),
    Case(_FLOODS, "ping", frame(frames.PING, 0, 0, b"x" * 8) * 5001, CALM),
    Case(_FLOODS, "ping-answers", frame(frames.PING, frames.ACK, 0, b"x" * 8) * 5001, CALM),
    Case(_FLOODS, "settings", frame(frames.SETTINGS, 0, 0) * 5001, CALM),
    Case(_FLOODS, "settings-answers", frame(frames.SETTINGS, frames.ACK, 0) * 5001, CALM),
    Case(_FLOODS, "long-settings", frame(frames.SETTINGS, 0, 0, b"\0\4\0\0\0\1" * 2730) * 3, CALM),
    Case(_FLOODS, "priority", frame(frames.PRIORITY, 0, 1, b"\0\0\0\3\0") * 5001, CALM),
    Case(_FLOODS, "windows", frame(frames.WINDOW_UPDATE, 0, 0, number(1)) * 5001, CALM),
    Case(_FLOODS, "windows-of-a-stream", opened(False, 1) + frame(frames.WINDOW_UPDATE, 0, 1, number(1)) * 5001, CALM),
    Case(_FLOODS, "empty-data", opened(False, 1) + frame(frames.DATA, 0, 1) * 5001, CALM),
    Case(_FLOODS, "padding-only", opened(False, 1) + frame(frames.DATA, 8, 1, b"\x01\0") * 5001, CALM),
    Case(_FLOODS, "unknown", frame(0xEE, 0, 0) * 5001, CALM),
    Case(_FLOODS, "goaway", frame(frames.GOAWAY, 0, 0, b"\0" * 8) * 5001, CALM),
    Case(_HEADS, "empty-continuation", frame(frames.HEADERS, 0, 1) + frame(frames.CONTINUATION, 0, 1), CALM),
    Case(_HEADS, "tiny-parts", frame(frames.HEADERS, 0, 1) + frame(frames.CONTINUATION, 0, 1, b"\x82") * 99, CALM),
    Case(_HEADS, "endless", frame(frames.HEADERS, 0, 1) + frame(frames.CONTINUATION, 0, 1, b"\x82" * 16_000) * 5, CALM),
    Case(_HEADS, "table-bomb", frame(
        frames.HEADERS, 5, 1, POST + b"\x40\x01a\x7f\xa1\x1e" + b"x" * 4000 + b"\xbe" * 12_000
    ), CALM),
    Case(_HEADS, "many", frame(frames.HEADERS, 5, 1, block(*[(b"a%d" % n, b"b") for n in range(101)])), reset=CALM),
    Case(_HEADS, "huge-number", frame(frames.HEADERS, 5, 1, POST + b"\xff" * 50), Code.COMPRESSION_ERROR),
    Case(_HEADS, "no-such-entry", frame(frames.HEADERS, 5, 1, POST + b"\xff\x7f"), Code.COMPRESSION_ERROR),
    Case(_HEADS, "table-too-large", frame(frames.HEADERS, 5, 1, b"\x3f\xe1\xff\x03" + POST), Code.COMPRESSION_ERROR),
    Case(_HEADS, "table-sizes", frame(frames.HEADERS, 5, 1, b"\x20" * 3 + POST), Code.COMPRESSION_ERROR),
    Case(_HEADS, "broken-huffman", frame(frames.HEADERS, 5, 1, POST + b"\x00\x81\xff\x81\xff"), Code.COMPRESSION_ERROR),
    Case(_RULES, "long-frame", frame(frames.DATA, 0, 1, b"x" * 16_385), Code.FRAME_SIZE_ERROR),
    Case(_RULES, "padding-lies", opened(False, 1) + frame(frames.DATA, 8, 1, b"\xff"), Code.PROTOCOL_ERROR),
    Case(_RULES, "padding-of-head-lies", frame(frames.HEADERS, 12, 1, b"\xff" + POST), Code.PROTOCOL_ERROR),
    Case(_RULES, "window-overflow", frame(frames.WINDOW_UPDATE, 0, 0, number(2**31 - 1)), Code.FLOW_CONTROL_ERROR),
    Case(
        _RULES,
        "stream-window-overflow",
        opened(False, 1) + frame(frames.WINDOW_UPDATE, 0, 1, number(2**31 - 1)),
        reset=Code.FLOW_CONTROL_ERROR,
    ),
    Case(_RULES, "initial-window", frame(frames.SETTINGS, 0, 0, b"\0\4\xff\xff\xff\xff"), Code.FLOW_CONTROL_ERROR),
    Case(_RULES, "frame-size-setting", frame(frames.SETTINGS, 0, 0, b"\0\5\0\0\0\1"), Code.PROTOCOL_ERROR),
    Case(_RULES, "push", frame(frames.PUSH_PROMISE, 4, 1, number(2) + POST), Code.PROTOCOL_ERROR),
    Case(_RULES, "even-stream", opened(True, 2), Code.PROTOCOL_ERROR),
    Case(_RULES, "interrupted-head", frame(frames.HEADERS, 0, 1, POST) + frame(frames.PING, 0, 0, b"x" * 8), Code(1)),
    Case(_RULES, "two-lengths", frame(
        frames.HEADERS, 5, 1, POST + b"\x0f\x0d\x011" + b"\x0f\x0d\x012"), reset=Code.PROTOCOL_ERROR),
    *(
        Case(_RULES, f"two-{name.decode()}", frame(
            frames.HEADERS, 5, 1, block((name, b"a"), (name, b"b"))), reset=Code.PROTOCOL_ERROR)
        for name in (b"x-api-key", b"authorization", b"content-type")
    ),
    Case(_RULES, "coding", frame(
        frames.HEADERS, 5, 1, block((b"transfer-encoding", b"chunked"))), reset=Code.PROTOCOL_ERROR),
    Case(_RULES, "line-in-value", frame(frames.HEADERS, 5, 1, block((b"a", b"b\r\nc: d"))), reset=Code.PROTOCOL_ERROR),
    Case(_RULES, "colon-in-name", frame(frames.HEADERS, 5, 1, block((b"a:b", b"c"))), reset=Code.PROTOCOL_ERROR),
    Case(_RULES, "late-pseudo", frame(frames.HEADERS, 5, 1, block((b"a", b"b"), (b":path", b"/"))), reset=Code(1)),
    Case(_CLOSED, "never-opened", frame(frames.DATA, 0, 1, b"x"), Code.PROTOCOL_ERROR),
    Case(_CLOSED, "answered", opened(True, 1) + frame(frames.DATA, 0, 1, b"x"), Code.STREAM_CLOSED),
    Case(_CLOSED, "taken-back", opened(False, 1) + frame(frames.RST_STREAM, 0, 1, number(8)) + frame(
        frames.DATA, 0, 1, b"x"), Code.STREAM_CLOSED),
    Case(_CLOSED, "reused", opened(True, 1) + opened(True, 1), Code.STREAM_CLOSED),
    Case(_CLOSED, "too-long", frame(frames.HEADERS, 4, 1, block((b"content-length", b"1"))) + frame(
        frames.DATA, 0, 1, b"xy"), reset=Code.PROTOCOL_ERROR),
    Case(_CLOSED, "too-short", frame(frames.HEADERS, 4, 1, block((b"content-length", b"3"))) + frame(
        frames.DATA, 1, 1, b"xy"), reset=Code.PROTOCOL_ERROR),
    Case(_CLOSED, "trailers-twice", opened(False, 1) + opened(True, 1) + opened(True, 1), Code(1), reset=Code(1)),
]  # fmt: skip


@pytest.mark.parametrize("case", [pytest.param(each, id=f"{each.kind[8:24]}-{each.name}") for each in CASES])
@pytest.mark.parametrize("by", [65_536, 13], ids=["by 64 kB", "by 13"])
def test_every_case_ends_with_its_code(case: Case, by: int) -> None:
    """The stream or the connection ends with the code that says why, in little memory."""
    peer = Peer()
    tracemalloc.start()
    peer.send(case.sent, by)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    away, reset = peer.endings()
    if case.reset is None:
        assert away == case.away
    else:
        assert set(reset.values()) == {case.reset}
        if case.away is None:
            peer.transport.written.clear()
            peer.send(opened(True, 999))
            assert peer.endings() == (None, {})
            assert peer.connection.open_requests == 0
    assert peak < 2 * MEGABYTE


def test_requests_that_pile_up_on_one_connection_are_reset() -> None:
    """Of 128 streams that send 4 MB each and never end, 64 MB are held and the rest are reset."""
    peer = Peer()
    chunk = frame(frames.DATA, 0, 1, b"x" * 16_000)[9:]
    for stream in range(1, 257, 2):
        peer.send(opened(False, stream))
    for _ in range(32):
        for stream in range(1, 257, 2):
            if stream in peer.connection.streams:
                peer.send(frame(frames.DATA, 0, stream, chunk))
        assert peer.connection._memory.held <= MAX_HELD_BYTES
    for _ in range(250):
        for stream in list(peer.connection.streams):
            peer.send(frame(frames.DATA, 0, stream, chunk))
        assert peer.connection._memory.held <= MAX_HELD_BYTES
    away, reset = peer.endings()
    assert away is None
    assert set(reset.values()) == {CALM}
    assert sum(exchange.lost for exchange in peer.exchanges) == len(reset) > 100
    peer.connection.connection_lost(None)
    assert peer.connection._memory.held == 0


def test_unread_answers_are_dropped_above_the_limit() -> None:
    """With closed windows and 128 answers of 2 MB, 64 MB wait and the other streams are reset."""
    peer = Peer(answer=b"x" * (2 * MEGABYTE))
    peer.send(frame(frames.SETTINGS, 0, 0, b"\0\4\0\0\0\0"))
    for stream in range(1, 257, 2):
        peer.send(opened(True, stream))
        assert peer.connection.unsent <= MAX_HELD_BYTES
    assert set(peer.endings()[1].values()) == {CALM}
    assert peer.connection.open_requests == 32
    for stream in list(peer.connection.streams):
        peer.send(frame(frames.RST_STREAM, 0, stream, number(8)))
    assert peer.connection.unsent == 0


def test_one_large_answer_is_sent_whatever_its_size() -> None:
    """The limit applies to answers that pile up, not to a single one."""
    peer = Peer(answer=b"x" * (MAX_HELD_BYTES + 1))
    peer.send(opened(True, 1))
    assert peer.endings() == (None, {})
    assert peer.connection.open_requests == 1


def test_answers_do_not_leave_for_a_client_that_does_not_read() -> None:
    """If a client opens large windows but does not read, its answers wait where they are counted."""
    peer = Peer(answer=b"x" * MEGABYTE)
    peer.send(frame(frames.SETTINGS, 0, 0, b"\0\4\x7f\xff\xff\xff"))
    peer.send(frame(frames.WINDOW_UPDATE, 0, 0, number(2**31 - 1 - 65_535)))
    peer.connection.pause_writing()
    assert peer.transport.paused
    peer.transport.written.clear()
    peer.send(opened(True, 1, 3))
    assert len(peer.transport.written) < 1000
    assert peer.connection.unsent == 2 * MEGABYTE
    peer.connection.resume_writing()
    for _ in range(3):
        peer.connection._write()
    assert len(peer.transport.written) > 2 * MEGABYTE
    assert peer.connection.unsent == 0


def test_a_window_of_one_byte_sends_one_byte() -> None:
    """Tiny windows cause no more frames than the client has asked for."""
    peer = Peer(answer=b"x" * 1000)
    peer.send(frame(frames.SETTINGS, 0, 0, b"\0\4\0\0\0\1"))
    peer.send(opened(True, 1))
    assert peer.connection.sent_frames == 1
    peer.send(frame(frames.WINDOW_UPDATE, 0, 1, number(1)) * 10)
    assert peer.connection.sent_bytes == 11


def test_unread_answers_end_the_connection() -> None:
    """A client that reads nothing for 30 s is disconnected, whatever else it sends."""
    peer = Peer(answer=b"x" * 1000)
    peer.send(frame(frames.SETTINGS, 0, 0, b"\0\4\0\0\0\0") + opened(True, 1))
    for now in range(0, 50, 10):
        peer.send(frame(frames.PING, 0, 0, b"x" * 8))
        peer.connection.check_time(now, ClientTimeouts())
    assert peer.endings()[0] is CALM
    assert peer.transport.closed


def test_a_stream_that_stops_in_the_middle_is_reset_and_others_are_not() -> None:
    """A stream that sends less than 7200 bytes in 30 s is reset, whatever pings its client sends; others go on."""
    peer = Peer()
    peer.send(opened(False, 1, 3))
    for now in range(0, 50, 10):
        peer.send(frame(frames.PING, 0, 0, b"x" * 8) + frame(frames.DATA, 0, 3, b"x" * 8000))
        peer.connection.check_time(now, ClientTimeouts())
    peer.connection._write()
    assert peer.endings() == (None, {1: CALM})
    assert list(peer.connection.streams) == [3]


@pytest.mark.parametrize("begun", [frame(frames.HEADERS, 0, 1, POST), opened(True, 1)[:5]], ids=["block", "frame"])
def test_a_head_that_does_not_end_ends_the_connection(begun: bytes) -> None:
    """A header block must end within 10 s of its first frame, and a frame within 10 s of its first byte."""
    peer = Peer().send(begun)
    for now in (0, 9):
        peer.connection.check_time(now, ClientTimeouts())
    assert peer.endings()[0] is None
    peer.connection.check_time(11, ClientTimeouts())
    assert peer.endings()[0] is CALM


def test_half_a_request_ends_with_its_connection() -> None:
    """When a client closes its side, requests that are half sent are dropped, and those that are whole are answered."""
    peer = Peer(answer=None).send(opened(False, 1) + opened(True, 3) + opened(False, 5))
    assert peer.connection.eof_received()
    assert [exchange.lost for exchange in peer.exchanges] == [True, False, True]
    assert list(peer.connection.streams) == [3]
    peer.exchanges[1].stream.start(((b":status", b"200"),), end=True)
    peer.connection._write()
    assert peer.transport.closed


def test_a_connection_with_half_a_request_only_is_closed_at_its_end() -> None:
    """A connection whose only request is half sent ends when its client closes its side."""
    peer = Peer().send(opened(False, 1))
    assert not peer.connection.eof_received()
    assert peer.connection.open_requests == 0


def test_an_answer_that_no_window_will_let_out_ends_with_its_connection() -> None:
    """An answer that waits for a window is dropped when its client closes its side, now or before it was ready."""
    peer = Peer(answer=None).send(frame(frames.SETTINGS, 0, 0, b"\0\4\0\0\0\0") + opened(True, 1, 3))
    peer.exchanges[0].stream.send(b"x")
    assert peer.connection.eof_received()
    assert list(peer.connection.streams) == [3]
    peer.exchanges[1].stream.send(b"x")
    peer.connection.check_time(0, ClientTimeouts())
    assert peer.transport.closed


def test_a_connection_that_is_closing_can_be_checked_again() -> None:
    """Half a frame head ends the connection after 10 s, and the checks after that neither write nor raise."""
    peer = Peer().send(b"\0\0\x10\0\0")
    for now in (0, 11, 12, 13):
        peer.connection.check_time(now, ClientTimeouts())
    assert peer.endings()[0] is CALM
    assert peer.transport.ended


def test_a_client_that_does_not_read_why_it_is_refused_is_cut_off() -> None:
    """A connection that is closing is aborted if its client has read nothing for 30 s."""
    peer = Peer(transport=Transport(takes=False)).send(b"\0\0\x10\0\0")
    for now in (0, 11, 31, 62):
        peer.connection.check_time(now, ClientTimeouts())
    assert peer.transport.aborted


def test_many_changes_of_the_table_are_refused_undecoded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A header block of 60 kB of table size updates is refused before the decoder takes them one by one."""
    updates: list[int] = []

    def update(decoder: hpack.Decoder, data: memoryview) -> int:
        updates.append(len(data))
        return 1

    monkeypatch.setattr(hpack.Decoder, "_update_encoding_context", update)
    parts = frame(frames.HEADERS, 1, 1, b"\x20" * 15_000) + frame(frames.CONTINUATION, 0, 1, b"\x20" * 15_000) * 2
    peer = Peer().send(parts + frame(frames.CONTINUATION, 4, 1, b"\x20" * 15_000))
    assert peer.endings()[0] is Code.COMPRESSION_ERROR
    assert updates == []


def test_a_worker_holds_a_bounded_number_of_call_bytes() -> None:
    """Streams above the worker's budget are refused unprocessed, and the budget is given back."""
    budget = Budget(500_000)
    first, second = Peer(budget=budget), Peer(budget=budget)
    for peer in (first, second):
        peer.send(opened(False, 1))
        peer.send(frame(frames.DATA, 0, 1, b"x" * 16_000) * 20)
    assert budget.held == 320_000
    assert second.endings() == (None, {1: Code.REFUSED_STREAM})
    first.connection.connection_lost(None)
    assert budget.held == 0


def test_the_kind_of_each_case_is_documented() -> None:
    """The kind of each case is a row of the table in the documentation."""
    assert {case.kind for case in CASES} <= set(KINDS)
