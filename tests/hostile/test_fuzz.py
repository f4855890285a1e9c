"""Random bytes, and hostile ones changed at random, into every entry of the server: only our errors come out.

The test run makes few draws, the same each time. ``script/fuzz SECONDS`` draws anew for that long.
"""

import asyncio
import os
import time
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scorekit.codec import json, large, multipart, proto
from scorekit.errors import RequestError
from scorekit.inference.service import Service
from scorekit.model.component import Component
from scorekit.serve.detect import ProtocolDetector
from scorekit.serve.grpc import calls
from scorekit.serve.grpc.services import GrpcServices
from scorekit.serve.http1.connection import Http1Connection
from scorekit.serve.http2 import connection as http2
from scorekit.serve.http2.frames import PREFACE, frame
from scorekit.serve.limits.open_connections import ClientTimeouts, OpenConnections
from scorekit.serve.rest import RestRoutes, refuse
from scorekit.testing import ManualLoop

from . import http1, test_codec, test_http2
from .recorder import MAX_BODY, Transport

FUZZ_S = float(os.environ.get("SCOREKIT_FUZZ_S", "0"))
MEGABYTE = 1 << 20
# What is drawn is short; the longest case is some megabytes, and what is made of it no more than some.
WITHIN_BYTES = 64 * MEGABYTE

Target = Callable[[bytes], None]


class Loop(ManualLoop):
    def time(self) -> float:
        return 0.0

    def call_later(self, delay: float, callback: Any, *arguments: Any) -> "Loop":
        return self

    def cancel(self) -> None:
        pass


class Echo:
    """A model that answers with its input."""

    def predict(self, X: Any, features_names: Any) -> Any:  # noqa: N803
        return X

    def send_feedback(self, features: Any, feature_names: Any, reward: Any, truth: Any, routing: Any = None) -> Any:
        return features


@pytest.fixture(autouse=True)
def loop() -> Iterator[Loop]:
    made = Loop()
    patch = pytest.MonkeyPatch()
    for module in (asyncio, http2, calls):
        patch.setattr(module, "get_running_loop", lambda: made)
    patch.setattr("scorekit.serve.detect.get_running_loop", lambda: made)
    yield made
    patch.undo()


def service(loop: Loop) -> Service:
    return Service(Component(Echo(), "Echo"), loop)


def bounded(target: Target, drawn: st.SearchStrategy[bytes], examples: int = 150) -> None:
    """Call ``target`` with drawn bytes; it fails by raising."""
    fixed = FUZZ_S == 0

    @settings(
        max_examples=examples * settings().max_examples // 100,
        derandomize=fixed,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(drawn)
    def run(data: bytes) -> None:
        target(data)

    tracemalloc.start()
    until = time.monotonic() + FUZZ_S / (len(CODECS) + 2)
    while True:
        run()
        if time.monotonic() >= until:
            break
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < WITHIN_BYTES


SHORT = 3000
"""Longer cases are tried as they are, in the tests of the tables."""


def changed(*seeds: bytes) -> st.SearchStrategy[bytes]:
    """Draw seeds with pieces removed, repeated, exchanged and inserted."""
    short = [seed for seed in seeds if len(seed) <= SHORT]

    def change(seed: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
        data = bytearray(seed)
        for at, length, piece in edits:
            at = at % (len(data) + 1)
            data[at : at + length] = piece
        return bytes(data)

    pieces = st.binary(max_size=4) | st.sampled_from([seed[:40] for seed in short] + short)
    edit = st.tuples(st.integers(0, SHORT), st.integers(0, 8), pieces)
    return st.builds(change, st.sampled_from(short), st.lists(edit, max_size=5))


JSON = [case.sent for case in test_codec.CASES if case.read is test_codec.from_json] + [
    b'{"data":{"names":["a","b"],"tensor":{"shape":[2,2],"values":[0,0.5,1e3,-1]}},"meta":{"tags":{"a":1},"puid":"p"}}',
    b'{"data":{"ndarray":[[1,"a",null,true],[{},{},1.5,"\\u00e9"]]}}',
    b'{"binData":"AAEC"}',
    b'{"jsonData":{"a":[1,{"b":null}]}}',
]
FEEDBACK = [b'{"request":{"data":{"ndarray":[[1]]}},"response":{"meta":{"routing":{"a":1}}},"reward":1,"truth":{}}']
PROTO = [case.sent for case in test_codec.CASES if case.read is proto.decode] + [
    proto.encode(json.from_value(json.parse(text))) for text in JSON[-4:]
]
FORMS = [case.sent for case in test_codec.CASES if case.read is test_codec.form]


def only_ours(read: Callable[[bytes], Any]) -> Target:
    def target(data: bytes) -> None:
        try:
            read(data)
        except RequestError as error:
            assert str(error)  # noqa: PT017  the promise is of the text

    return target


def answered(data: bytes) -> None:
    json.encode(json.from_value(json.parse(data), len(data)))


def large_or_not(data: bytes) -> None:
    """Check that the fast reader accepts nothing that the other refuses, and finds the same."""
    found = large.decode(data)
    if found is not None:
        other = json.from_value(json.parse(data), len(data))
        assert found.payload.tolist() == other.payload.tolist()
        assert found.payload.dtype == other.payload.dtype


CODECS: dict[str, tuple[Target, list[bytes]]] = {
    "json": (only_ours(answered), JSON),
    "json as the stock wrapper": (only_ours(lambda data: json.from_value(json.parse(data, bare_nan=True))), JSON),
    "large json": (only_ours(large_or_not), JSON),
    "feedback": (only_ours(lambda data: proto.decode_feedback(proto.feedback_from_json(json.parse(data)))), FEEDBACK),
    "form": (only_ours(test_codec.form), FORMS),
    "content type": (
        only_ours(lambda data: multipart.decode(b"", data.decode("latin-1"))),
        [b'a/b; boundary="b"; c*=d'],
    ),
    "protobuf": (only_ours(lambda data: proto.encode(proto.decode(data))), PROTO),
    "protobuf list": (only_ours(proto.decode_list), PROTO),
    "protobuf feedback": (only_ours(proto.decode_feedback), PROTO),
    "protobuf raw": (only_ours(lambda data: proto.read("SeldonMessage", data)), PROTO),
}


@pytest.mark.parametrize("name", CODECS)
def test_codecs_raise_nothing_but_our_errors(name: str) -> None:
    """No reader of client data raises anything but our own errors."""
    target, seeds = CODECS[name]
    bounded(target, changed(*seeds) | st.binary(max_size=300))


def conversation(loop: Loop, transport: Transport) -> ProtocolDetector:
    """Return a connection as the server makes it, with REST and gRPC over a model that echoes."""
    fleet: OpenConnections = set()
    made: list[Any] = []
    rest, grpc = RestRoutes(service(loop)), GrpcServices(service(loop))

    def keep(protocol: Any) -> Any:
        made.append(protocol)
        return protocol

    transport.set_protocol = made.append  # type: ignore[attr-defined]  # the connection hands itself over
    return ProtocolDetector(
        lambda: keep(Http1Connection(rest, refuse, fleet, MAX_BODY)),
        lambda: keep(http2.Http2Connection(grpc, fleet)),
        fleet,
    )


def talked(loop: Loop) -> Target:
    def target(data: bytes) -> None:
        transport = Transport()
        first = conversation(loop, transport)
        current: list[Any] = [first]
        transport.set_protocol = lambda protocol: current.__setitem__(0, protocol)  # type: ignore[attr-defined]
        first.connection_made(transport)  # type: ignore[arg-type]  # as much of one as is needed
        step = 1 + len(data) % 97
        for at in range(0, len(data), step):
            if not transport.closed and not transport.paused:
                current[0].data_received(data[at : at + step])
            while loop.run_once():
                pass
        for now in (0.0, 40.0, 700.0):
            if not transport.closed:
                current[0].check_time(now, ClientTimeouts())
        if not transport.closed:
            current[0].eof_received()
        while loop.run_once():
            pass
        assert 500 not in transport.statuses()
        current[0].connection_lost(None)

    return target


def posted(path: bytes, kind: bytes, body: bytes) -> bytes:
    return b"POST %b HTTP/1.1\r\nHost: x\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n%b" % (
        path,
        kind,
        len(body),
        body,
    )


REQUESTS = [
    *(case.sent for case in http1.CASES),
    *http1.HARMLESS.values(),
    *(posted(b"/predict", b"application/json", body) for body in JSON),
    *(posted(b"/send-feedback", b"application/json", body) for body in FEEDBACK),
    *(posted(b"/predict", b"multipart/form-data; boundary=b", body) for body in FORMS),
    posted(b"/predict?json={}", b"application/x-www-form-urlencoded", b"json=%7B%22strData%22%3A%22a%22%7D"),
]


def test_http_in_any_mixture_is_answered_or_refused(loop: Loop) -> None:
    """Any mixture of HTTP/1.1 requests is answered or refused, without an exception and without a 500."""
    bounded(talked(loop), changed(*REQUESTS) | st.binary(max_size=300), 400)


def called(path: bytes, *messages: bytes) -> bytes:
    head = b"\x83\x86" + b"\x04" + bytes((len(path),)) + path + b"\x0f\x10\x10application/grpc"
    body = b"".join(b"\0" + len(each).to_bytes(4, "big") + each for each in messages)
    return PREFACE + frame(4, 0, 0) + frame(1, 4, 1, head) + frame(0, 1, 1, body)


CALLS = [
    *(PREFACE + frame(4, 0, 0) + case.sent for case in test_http2.CASES),
    *(called(b"/seldon.protos.Model/Predict", body) for body in PROTO if len(body) < SHORT),
    *(called(b"/seldon.protos.Model/SendFeedback", body) for body in PROTO if len(body) < SHORT),
    called(b"/grpc.health.v1.Health/Check", b""),
    called(b"/grpc.health.v1.Health/Watch", b""),
    called(b"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", b"\x3a\x00", b"\x22\x01a"),
]


def test_http2_in_any_mixture_is_answered_or_refused(loop: Loop) -> None:
    """Any mixture of HTTP/2 frames and gRPC calls is answered or refused, without an exception."""
    bounded(talked(loop), changed(*CALLS) | st.binary(max_size=300).map((PREFACE + frame(4, 0, 0)).__add__), 400)
