"""HTTP/2's bytes, compared with the hpack library and with random frames."""

import asyncio
from typing import Any

import hpack
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scorekit.serve.http2 import connection as http2
from scorekit.serve.http2 import frames, streams
from scorekit.serve.http2.frames import PREFACE, Http2Error, frame
from scorekit.serve.http2.frames import ErrorCode as Code
from scorekit.serve.http2.header_blocks import leaves_table
from scorekit.serve.http2.header_fields import encoded, request_headers
from scorekit.serve.limits.open_connections import OpenConnections
from scorekit.settings.limits import MAX_STREAMS
from scorekit.testing import ManualLoop

NAMES = st.sampled_from([b":path", b":method", b"te", b"content-type", b"x-mine", b"grpc-timeout", b"long" * 40])
VALUES = st.sampled_from([b"POST", b"trailers", b"application/grpc", b"", b"a", b"1S", b"\xff" * 200])


@given(st.lists(st.lists(st.tuples(NAMES, VALUES, st.booleans()), min_size=1, max_size=5), min_size=1, max_size=4))
def test_a_block_that_leaves_the_table_means_the_same_again(blocks: list[list[tuple[bytes, bytes, bool]]]) -> None:
    """If a block of hpack's encoder is said to leave the table, decoding it twice changes nothing."""
    encoder, decoder = hpack.Encoder(), hpack.Decoder()
    for fields in blocks:
        listed = [hpack.NeverIndexedHeaderTuple(*pair) if secret else tuple(pair) for *pair, secret in fields]
        text = encoder.encode(listed, huffman=len(blocks) % 2 == 0)  # type: ignore[arg-type]  # pairs
        first = decoder.decode(text, raw=True)
        if leaves_table(text):
            before = list(decoder.header_table.dynamic_entries)
            assert decoder.decode(text, raw=True) == first
            assert list(decoder.header_table.dynamic_entries) == before
        assert [tuple(pair) for pair in first] == [tuple(pair) for *pair, _ in fields]


@pytest.mark.parametrize(
    ("text", "leaves"),
    [
        (b"\x82\x86\x84", True),
        (b"\xff\x00", True),  # an index of two bytes
        (b"\x04\x01/", True),  # nghttp2's path: not to be indexed
        (b"\x10\x01a\x01b", True),  # never to be indexed, with a name of its own
        (b"\x0f\x10\x01x", True),
        (b"\x44\x01/", False),  # to be indexed
        (b"\x20", False),  # a table of no size
        (b"\x3f\xe1\x1f", False),
        (b"\x04\x05/", False),  # cut off
        (b"\x04", False),
        (b"\x0f", False),
        (b"\xff", False),
        (b"", True),
    ],
)
def test_which_blocks_leave_the_table(text: bytes, leaves: bool) -> None:
    """Each form of a field (RFC 7541 §6), whole and cut short, is judged correctly."""
    assert leaves_table(text) is leaves


@given(st.lists(st.tuples(NAMES, st.binary(max_size=300)), max_size=8))
def test_the_library_reads_our_header_blocks(fields: list[tuple[bytes, bytes]]) -> None:
    """hpack reads our header blocks, and its table stays empty."""
    decoder = hpack.Decoder()
    text = encoded(tuple(fields))
    assert [tuple(pair) for pair in decoder.decode(text, raw=True)] == fields
    assert leaves_table(text)
    assert not decoder.header_table.dynamic_entries


class Transport:
    def __init__(self) -> None:
        self.written = b""
        self.closed = False

    def write(self, data: bytes) -> None:
        assert not self.closed
        self.written += data

    def can_write_eof(self) -> bool:
        return True

    def is_closing(self) -> bool:
        return self.closed

    def write_eof(self) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return 0

    def close(self) -> None:
        self.closed = True


class Loop(ManualLoop):
    def call_later(self, delay: float, callback: Any) -> None:
        pass


class Echo(streams.StreamListener):
    def __init__(self, stream: streams.Stream) -> None:
        self.stream, self.got = stream, b""

    def received(self, data: bytes) -> None:
        self.got += data

    def ended(self) -> None:
        self.stream.start(((b":status", b"200"),))
        self.stream.send(self.got)
        self.stream.finish(((b"grpc-status", b"0"),))


@pytest.fixture(scope="module")
def loop() -> Any:
    made = Loop()
    patch = pytest.MonkeyPatch()
    patch.setattr(http2, "get_running_loop", lambda: made)
    patch.setattr(asyncio, "get_running_loop", lambda: made)
    yield made
    patch.undo()


def connection(heads: list[dict[bytes, bytes]]) -> tuple[http2.Http2Connection, Transport]:
    def handle(stream: streams.Stream, head: dict[bytes, bytes]) -> streams.StreamListener:
        heads.append(head)
        return Echo(stream)

    fleet: OpenConnections = set()
    made, transport = http2.Http2Connection(handle, fleet), Transport()
    made.connection_made(transport)  # type: ignore[arg-type]  # as much of one as is needed
    made.data_received(PREFACE + frame(frames.SETTINGS, 0, 0))
    return made, transport


FRAMES = st.builds(
    frame,
    st.integers(0, 11),
    st.sampled_from([0, 1, 4, 5, 8, 0x20, 0x2D, 0xFF]),
    st.sampled_from([0, 1, 1, 3, 5, 2, 2**31 - 1]),
    st.binary(max_size=40) | st.sampled_from([b"\x82\x86\x84", b"\x83\x86\x04\x01/", b"\0\0\0\1", b"\0\1\0\0\0\1"]),
)


@given(st.lists(FRAMES, max_size=12), st.lists(st.integers(1, 60), max_size=10), st.binary(max_size=30))
@example([frame(1, 5, 1, b"\x83\x86\x84"), frame(0, 1, 1, b"late")], [], b"")
def test_random_frames_end_in_a_goaway_at_worst(loop: Loop, listed: list[bytes], cuts: list[int], rest: bytes) -> None:
    """Random frames cause no exception, and a connection that is refused gets a GOAWAY first."""
    made, transport = connection([])
    data = b"".join(listed) + rest
    for cut in [*cuts, len(data)]:
        made.data_received(data[:cut])
        data = data[cut:]
        while loop.run_once():
            pass
    if made._closing:
        assert b"\x07" in transport.written  # the type of a GOAWAY
    made.connection_lost(None)


def test_a_known_block_is_decoded_again_when_the_table_has_changed(loop: Loop) -> None:
    """A remembered block is forgotten when another block changes the table that it points into."""
    heads: list[dict[bytes, bytes]] = []
    made, _ = connection(heads)
    pointing = b"\x83\x86\x84\xbe"  # POST, http, /, and the newest entry of the table
    for number, block in (
        (1, b"\x83\x86\x84\x40\x01a\x01x"),  # adds a: x
        (3, pointing),
        (5, pointing),
        (7, b"\x83\x86\x84\x40\x01b\x01y"),  # adds b: y
        (9, pointing),
    ):
        made.data_received(frame(frames.HEADERS, frames.END_HEADERS | frames.END_STREAM, number, block))
    assert [(head.get(b"a"), head.get(b"b")) for head in heads] == [
        *[(b"x", None)] * 3,
        *[(None, b"y")] * 2,
    ]
    assert heads[1] is heads[2]


def test_an_answer_waits_for_the_clients_window(loop: Loop) -> None:
    """No more bytes leave than the client's window allows; the rest and the trailers follow its WINDOW_UPDATE."""
    made, transport = connection([])
    made.data_received(frame(frames.SETTINGS, 0, 0, b"\0\4\0\0\0\x0a"))  # ten bytes a stream
    transport.written = b""
    made.data_received(frame(frames.HEADERS, frames.END_HEADERS, 1, b"\x83\x86\x84"))
    made.data_received(frame(frames.DATA, frames.END_STREAM, 1, b"0123456789abcdef"))
    assert transport.written.endswith(frame(frames.DATA, 0, 1, b"0123456789"))
    made.data_received(frame(frames.WINDOW_UPDATE, 0, 1, b"\0\0\0\3"))
    assert transport.written.endswith(frame(frames.DATA, 0, 1, b"abc"))
    made.data_received(frame(frames.SETTINGS, 0, 0, b"\0\4\0\0\0\xff"))
    assert frame(frames.DATA, 0, 1, b"def") in transport.written
    assert transport.written.endswith(b"\0\x0bgrpc-status\x010")
    assert not made.streams


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ([frame(frames.PING, 0, 0, b"x" * 8)] * 5001, Code.ENHANCE_YOUR_CALM),
        ([frame(frames.SETTINGS, 0, 0)] * 5001, Code.ENHANCE_YOUR_CALM),
        ([frame(frames.HEADERS, 0, 1, b""), frame(frames.CONTINUATION, 0, 1, b"")], Code.ENHANCE_YOUR_CALM),
        ([frame(frames.HEADERS, 0, 1, b"")] + [frame(frames.CONTINUATION, 0, 1, b"\x82" * 16000)] * 5, Code(11)),
        ([frame(frames.HEADERS, 4, 1, b"\x83\x86\x84\x00\x01a\x7f\x81\xff\x03" + b"x" * 65535)], Code.FRAME_SIZE_ERROR),
        ([frame(frames.HEADERS, 4, 1, b"\x83\x86\x84")] + [frame(frames.DATA, 0, 1)] * 5001, Code(11)),
    ],
    ids=["pings", "settings", "empty continuation", "endless head", "long frame", "empty data"],
)
def test_floods_are_cut_off(loop: Loop, sent: list[bytes], code: Code) -> None:
    """Frames that carry no request, and header blocks without end, close the connection with a reason."""
    made, transport = connection([])
    made.data_received(b"".join(sent))
    assert made._closing
    assert transport.written[-4:] == code.to_bytes(4, "big")


def test_a_connection_takes_a_bounded_number_of_streams(loop: Loop) -> None:
    """The stream above the limit is refused unprocessed, and the others are served."""
    heads: list[dict[bytes, bytes]] = []
    made, transport = connection(heads)
    for at in range(MAX_STREAMS + 1):
        made.data_received(frame(frames.HEADERS, frames.END_HEADERS, 2 * at + 1, b"\x83\x86\x84"))
    refused = frame(frames.RST_STREAM, 0, 2 * MAX_STREAMS + 1, Code.REFUSED_STREAM.to_bytes(4, "big"))
    assert transport.written.endswith(refused)
    assert len(made.streams) == len(heads) == MAX_STREAMS


POST = [(b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/")]


@pytest.mark.parametrize(
    "fields",
    [
        [(b":method", b"POST"), (b":scheme", b"http")],
        [(b":method", b"POST"), (b":scheme", b"http"), (b":path", b"")],
        [(b"a", b"b"), (b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/")],
        [(b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/"), (b"Upper", b"x")],
        [(b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/"), (b"a", b"x\r\ny: z")],
        [(b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/"), (b"connection", b"close")],
        [(b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/"), (b"content-length", b"-1")],
        [
            (b":method", b"POST"),
            (b":scheme", b"http"),
            (b":path", b"/"),
            *[(b"content-length", n) for n in (b"1", b"2")],
        ],
    ],
)
def test_malformed_heads_are_refused(fields: list[tuple[bytes, bytes]]) -> None:
    """A request that two servers could read differently is malformed (RFC 9113 §8.2, §8.3)."""
    with pytest.raises(Http2Error):
        request_headers(fields, 1)
