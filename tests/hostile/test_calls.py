"""Hostile gRPC messages inside well-formed HTTP/2: each call ends with its status."""

import asyncio
import tracemalloc
from collections.abc import Iterator
from typing import Any

import hpack
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from scorekit.codec import proto
from scorekit.codec.json import decode
from scorekit.codec.wire import delimited
from scorekit.serve.grpc import calls, reflection
from scorekit.serve.grpc.services import GrpcServices
from scorekit.serve.http2 import connection as http2
from scorekit.serve.http2.frames import (
    DATA,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    PREFACE,
    SETTINGS,
    WINDOW_UPDATE,
    frame,
    frame_head,
)

from .kinds import KINDS
from .recorder import Transport
from .test_fuzz import Loop, service

KIND = next(kind for kind in KINDS if kind.startswith("gRPC messages"))
MEGABYTE = 1 << 20
GOOD = proto.encode(decode(b'{"data":{"ndarray":[[1]]}}'))


@pytest.fixture
def loop() -> Iterator[Loop]:
    made = Loop()
    patch = pytest.MonkeyPatch()
    for module in (asyncio, http2, calls):
        patch.setattr(module, "get_running_loop", lambda: made)
    yield made
    patch.undo()


def status_of(loop: Loop, body: bytes, path: bytes = b"/seldon.protos.Model/Predict", **fields: bytes) -> int:
    """Return the grpc-status of one call whose body is ``body``."""
    transport = Transport()
    connection = http2.Http2Connection(GrpcServices(service(loop)), set())
    connection.connection_made(transport)  # type: ignore[arg-type]  # as much of one as is needed
    headers = [(b":method", b"POST"), (b":scheme", b"http"), (b":path", path), (b"content-type", b"application/grpc")]
    headers += [(name.replace("_", "-").encode(), value) for name, value in fields.items()]
    connection.data_received(PREFACE + frame(SETTINGS, 0, 0))
    connection.data_received(frame(HEADERS, END_HEADERS, 1, hpack.Encoder().encode(headers)))
    for at in range(0, len(body), 16_000):
        if connection.streams:
            connection.data_received(frame(DATA, 0, 1, body[at : at + 16_000]))
    if connection.streams:
        connection.data_received(frame(DATA, END_STREAM, 1))
    while loop.run_once():
        pass
    return _status(bytes(transport.written))


def _status(text: bytes) -> int:
    decoder, at = hpack.Decoder(), 0
    found = -1
    while at < len(text):
        high, low, kind, _, _ = frame_head.unpack_from(text, at)
        payload = text[at + 9 : at + 9 + (high << 8 | low)]
        at += 9 + len(payload)
        if kind == HEADERS:
            found = int(dict(decoder.decode(payload, raw=True)).get(b"grpc-status", found))
    return found


def framed(body: bytes, length: int | None = None, flag: int = 0) -> bytes:
    return bytes((flag,)) + (len(body) if length is None else length).to_bytes(4, "big") + body


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (framed(GOOD), 0),
        (framed(GOOD, len(GOOD) + 1), 3),
        (framed(GOOD, len(GOOD) - 1), 3),
        (framed(GOOD)[:3], 3),
        (b"", 3),
        (framed(GOOD) * 2, 3),
        (framed(GOOD, 2**32 - 1), 8),
        (framed(GOOD, 4 * MEGABYTE + 1), 8),
        pytest.param(framed(b"x" * 4 * MEGABYTE), 3, marks=pytest.mark.slow),
        (framed(GOOD, flag=1), 12),
        (framed(GOOD, flag=255), 12),
        (framed(b""), 3),
        (framed(b"\xff" * 50), 3),
    ],
    ids=[
        *("good", "longer", "shorter", "half a head", "none", "two", "4 GB", "4 MB and one", "4 MB of nonsense"),
        *("compressed", "no flag", "empty", "no message"),
    ],
)
def test_a_malformed_message_ends_its_call_with_a_status(loop: Loop, body: bytes, status: int) -> None:
    """A malformed message ends its call with the right status, and an announced length is not allocated."""
    tracemalloc.start()
    assert status_of(loop, body) == status
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 24 * MEGABYTE


@pytest.mark.parametrize("coding", [b"gzip", b"deflate", b"snappy", b"x" * 1000])
def test_compression_is_declined(loop: Loop, coding: bytes) -> None:
    """A compressed message gets UNIMPLEMENTED, with the accepted encoding."""
    assert status_of(loop, framed(GOOD, flag=1), grpc_encoding=coding) == 12


@pytest.mark.parametrize("timeout", [b"", b"1", b"1s", b"-1S", b"999999999S", b"1 S", b"S", b"1e3S", b"\xff"])
def test_a_malformed_timeout_is_refused(loop: Loop, timeout: bytes) -> None:
    """A malformed grpc-timeout gets INVALID_ARGUMENT."""
    assert status_of(loop, framed(GOOD), grpc_timeout=timeout) == 3


@pytest.mark.parametrize(
    "path", [b"/", b"/seldon.protos.Model/", b"/seldon.protos.Model/predict", b"/" + b"a" * 9000, b"/\xff"]
)
def test_an_unknown_method_is_refused(loop: Loop, path: bytes) -> None:
    """An unknown method gets UNIMPLEMENTED."""
    assert status_of(loop, framed(GOOD), path) == 12


class Talk:
    """One call to ``path`` on a connection whose windows are closed: answers wait."""

    def __init__(self, loop: Loop, path: bytes) -> None:
        self.transport = Transport()
        self.connection = http2.Http2Connection(GrpcServices(service(loop)), set())
        self.connection.connection_made(self.transport)  # type: ignore[arg-type]  # as above
        headers = [(b":method", b"POST"), (b":scheme", b"http"), (b":path", path)]
        headers.append((b"content-type", b"application/grpc"))
        self.connection.data_received(PREFACE + frame(SETTINGS, 0, 0, b"\0\4\0\0\0\0"))
        self.connection.data_received(frame(HEADERS, END_HEADERS, 1, hpack.Encoder().encode(headers)))

    def send(self, data: bytes) -> None:
        for at in range(0, len(data), 16_000):
            if not self.transport.closed:
                self.connection.data_received(frame(DATA, 0, 1, data[at : at + 16_000]))


REFLECTION = b"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"


def test_a_watch_takes_one_message(loop: Loop) -> None:
    """A watch that is sent a second message ends, and answers none of 200,000."""
    talk = Talk(loop, b"/grpc.health.v1.Health/Watch")
    talk.send(framed(b"") * 200_000)
    assert talk.connection.unsent <= 100


@pytest.mark.parametrize("field", range(1, 8))
def test_reflection_refuses_text_that_is_not_utf_8(loop: Loop, field: int) -> None:
    """A field of a reflection request that is not UTF-8 gets INVALID_ARGUMENT."""
    text = delimited(b"\x0a", b"\xff") if field == 5 else b"\xff"
    assert status_of(loop, framed(delimited(bytes((field << 3 | 2,)), text)), REFLECTION) == (0 if field == 2 else 3)


def test_reflection_reads_each_file_once(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many requests ask for a file, its descriptor and those of its imports are parsed once."""
    parsed: list[bytes] = []
    real: Any = FileDescriptorProto

    class Counting:
        @staticmethod
        def FromString(data: bytes) -> object:  # noqa: N802  protobuf's name
            parsed.append(data)
            return real.FromString(data)

    monkeypatch.setattr(reflection, "FileDescriptorProto", Counting)
    for each in range(50):
        asked = delimited(b"\x0a", b"%d" % each) + delimited(b"\x22", b"seldon.protos.SeldonMessage")
        assert status_of(loop, framed(asked), REFLECTION) == 0
    assert len(parsed) == len(set(parsed))


def test_reflection_stops_when_its_answers_are_not_read(loop: Loop) -> None:
    """Of 200,000 empty messages no more are answered than fit into a megabyte, and the call ends."""
    talk = Talk(loop, REFLECTION)
    talk.send(framed(b"") * 200_000)
    assert talk.connection.unsent < 1.1 * MEGABYTE
    answered = talk.connection.unsent
    talk.send(framed(b"") * 3000)
    assert talk.connection.unsent == answered


@pytest.mark.parametrize("count", [100, 3000])
def test_an_answer_that_waits_is_not_copied_for_each_further_one(loop: Loop, count: int) -> None:
    """What waits on a stream is copied once at most, however many answers come behind it."""
    talk = Talk(loop, REFLECTION)
    talk.send(framed(b"") * 2)
    stream = talk.connection.streams[1]
    waiting = stream._out
    assert isinstance(waiting, bytearray)
    talk.send(framed(b"") * count)
    assert stream._out is waiting
    assert len(waiting) == talk.connection.unsent


def test_tiny_windows_do_not_copy_the_rest_of_an_answer(loop: Loop) -> None:
    """A window that grows byte by byte takes each byte from what waits, and does not copy all that is left."""
    talk = Talk(loop, REFLECTION)
    talk.send(framed(b"") * 3)
    stream = talk.connection.streams[1]
    waiting, size = stream._out, len(stream._out)
    talk.connection.data_received(frame(WINDOW_UPDATE, 0, 1, b"\0\0\0\1") * 20)
    assert stream._out is waiting
    assert len(waiting) == size - 20


@pytest.mark.slow
def test_a_message_in_tiny_frames_takes_no_more_memory(loop: Loop) -> None:
    """A message in a quarter of a million frames of two bytes takes no more than a few times its size."""
    transport = Transport()
    connection = http2.Http2Connection(GrpcServices(service(loop)), set())
    connection.connection_made(transport)  # type: ignore[arg-type]  # as above
    headers = [(b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/seldon.protos.Model/Predict")]
    headers.append((b"content-type", b"application/grpc"))
    connection.data_received(PREFACE + frame(SETTINGS, 0, 0))
    connection.data_received(frame(HEADERS, END_HEADERS, 1, hpack.Encoder().encode(headers)))
    connection.data_received(frame(DATA, 0, 1, framed(b"", MEGABYTE)))
    many = frame(DATA, 0, 1, b"xy") * 5000
    tracemalloc.start()
    for _ in range(50):
        connection.data_received(many)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert connection.open_requests == 1
    assert held < 2 * MEGABYTE
