"""Hostile gRPC messages inside well-formed HTTP/2: each call ends with its status."""

import asyncio
import tracemalloc
from collections.abc import Iterator

import hpack
import pytest

from scorekit.codec import proto
from scorekit.codec.json import decode
from scorekit.serve.grpc import calls
from scorekit.serve.grpc.services import GrpcServices
from scorekit.serve.http2 import connection as http2
from scorekit.serve.http2.frames import DATA, END_HEADERS, END_STREAM, HEADERS, PREFACE, SETTINGS, frame, frame_head

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
