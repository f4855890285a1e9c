"""gRPC through real sockets with grpcio's client: each call gets its answer or the right status."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
import uvloop
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ConnectionTerminated, ResponseReceived

from scorekit import errors
from scorekit.inference.service import Service
from scorekit.model.component import Component
from scorekit.net import reserve
from scorekit.proto import message_class
from scorekit.serve.detect import ProtocolDetector
from scorekit.serve.grpc import status
from scorekit.serve.grpc.services import GrpcServices
from scorekit.serve.http1.connection import Http1Connection
from scorekit.serve.http2.connection import Http2Connection
from scorekit.serve.http2.frames import PREFACE
from scorekit.serve.limits.open_connections import OpenConnections, drain
from scorekit.serve.rest import RestRoutes, refuse

from ..conftest import Doubling

SeldonMessage: Any = message_class("seldon.protos.SeldonMessage")
PREDICT = "/seldon.protos.Model/Predict"
HEALTH = "/grpc.health.v1.Health/"
MAX_MESSAGE = 3_000_000


class Server:
    """A server of both protocols on one free port, with its loop in a thread of its own."""

    def __init__(self) -> None:
        self.fleet: OpenConnections = set()
        self.loop = uvloop.new_event_loop()
        service = Service(Component(Doubling(), "Doubling"), self.loop, max_batch_rows=100)
        self.grpc, rest = GrpcServices(service, max_message_bytes=MAX_MESSAGE), RestRoutes(service)
        listener = reserve("127.0.0.1", 0)
        self.port: int = listener.getsockname()[1]

        def connect() -> ProtocolDetector:
            return ProtocolDetector(
                lambda: Http1Connection(rest, refuse, self.fleet, 10**6),
                lambda: Http2Connection(self.grpc, self.fleet),
                self.fleet,
            )

        self._server = self.loop.run_until_complete(self.loop.create_server(connect, sock=listener))
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()
        self.channel = grpc.insecure_channel(
            f"127.0.0.1:{self.port}",
            [("grpc.max_receive_message_length", -1), ("grpc.use_local_subchannel_pool", 1)],
        )

    def call(self, body: bytes, path: str = PREDICT, **options: Any) -> bytes:
        return self.channel.unary_unary(path)(body, timeout=options.pop("timeout", 10), **options)  # type: ignore[no-any-return]

    def soon(self, function: Callable[[], Any]) -> None:
        self.loop.call_soon_threadsafe(function)

    def drain(self) -> None:
        async def end() -> None:
            self._server.close()
            await drain(self.fleet, 5)

        asyncio.run_coroutine_threadsafe(end(), self.loop).result(20)

    def close(self) -> None:
        self.channel.close()
        self.drain()
        self.soon(self.loop.stop)
        self._thread.join()
        self.loop.close()


@pytest.fixture
def server() -> Iterator[Server]:
    """Start one server, and end it after the test."""
    made = Server()
    yield made
    made.close()


class Raw:
    """An HTTP/2 client that can misbehave."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=5)
        self.h2 = H2Connection(H2Configuration(validate_outbound_headers=False))
        self.h2.initiate_connection()
        self.flush()

    def flush(self) -> None:
        self.socket.sendall(self.h2.data_to_send())

    def begin(self, number: int, end: bool = False, **more: str) -> None:
        head = {":method": "POST", ":scheme": "http", ":path": PREDICT, ":authority": "x"}
        head |= {"content-type": "application/grpc"} | {key.replace("_", "-"): value for key, value in more.items()}
        self.h2.send_headers(number, list(head.items()), end_stream=end)

    def events(self, kind: type) -> Any:
        """Return the next event of ``kind``, or ``None`` at the end of the connection."""
        while data := self.socket.recv(65536):
            for event in self.h2.receive_data(data):
                if isinstance(event, kind):
                    return event
        return None


def tensor(rows: list[list[float]]) -> bytes:
    message = SeldonMessage()
    message.data.tensor.shape.extend([len(rows), len(rows[0])])
    message.data.tensor.values.extend(value for row in rows for value in row)
    return bytes(message.SerializeToString())


def failure(server: Server, body: bytes, path: str = PREDICT, **options: Any) -> tuple[Any, str]:
    with pytest.raises(grpc.RpcError) as caught:
        server.call(body, path, **options)
    return caught.value.code(), caught.value.details()


def test_every_error_has_a_code() -> None:
    """The table from errors to codes has every error."""

    def family(base: type[errors.RequestError]) -> set[type]:
        below = base.__subclasses__()
        return {*below}.union(*map(family, below))

    assert set(status.STATUS) | {errors.DeclaredError} == family(errors.RequestError)


@pytest.mark.parametrize("path", [PREDICT, "/seldon.protos.Seldon/Predict"])
def test_a_prediction(server: Server, path: str) -> None:
    """A tensor is answered with a tensor, its names and an empty meta."""
    answer = SeldonMessage.FromString(server.call(tensor([[1, 2.5]]), path))
    assert list(answer.data.tensor.values) == [2, 5]
    assert list(answer.data.tensor.shape) == [1, 2]
    assert list(answer.data.names) == ["t:0", "t:1"]


def test_many_calls_at_once(server: Server) -> None:
    """A thousand concurrent calls on one connection each get their own answer."""
    predict = server.channel.unary_unary(PREDICT)
    calls = [predict.future(tensor([[n]]), timeout=20) for n in range(1000)]
    got = [SeldonMessage.FromString(call.result()).data.tensor.values[0] for call in calls]
    assert got == [2 * n for n in range(1000)]


@pytest.mark.slow
def test_large_messages_flow_both_ways(server: Server) -> None:
    """Several bodies larger than every window arrive whole in both directions."""
    rows = [[float(n)] * 300 for n in range(1000)]
    predict = server.channel.unary_unary(PREDICT)
    for call in [predict.future(tensor(rows), timeout=20) for _ in range(4)]:
        assert list(SeldonMessage.FromString(call.result()).data.tensor.values[-2:]) == [1998, 1998]


@pytest.mark.parametrize(
    ("body", "path", "code"),
    [
        (b"garbage", PREDICT, grpc.StatusCode.INVALID_ARGUMENT),
        (b"", PREDICT, grpc.StatusCode.INVALID_ARGUMENT),
        (b"", "/seldon.protos.Seldon/GraphMetadata", grpc.StatusCode.UNIMPLEMENTED),
        (b"", "/no/such", grpc.StatusCode.UNIMPLEMENTED),
        (SeldonMessage(strData="fail").SerializeToString(), PREDICT, grpc.StatusCode.INTERNAL),
        (b"x" * (MAX_MESSAGE + 1), PREDICT, grpc.StatusCode.RESOURCE_EXHAUSTED),
        (b"\x0a\x01x", HEALTH + "Check", grpc.StatusCode.NOT_FOUND),
    ],
)
def test_an_error_has_its_status(server: Server, body: bytes, path: str, code: grpc.StatusCode) -> None:
    """Each error has gRPC's code for it and a message that reveals nothing of the model's exception."""
    got, details = failure(server, body, path)
    assert got is code
    assert details
    assert "secret" not in details


def test_the_connection_survives_errors(server: Server) -> None:
    """A call that fails does not disturb the others of its connection."""
    predict = server.channel.unary_unary(PREDICT)
    bad = [predict.future(b"x" * (MAX_MESSAGE + n), timeout=10) for n in range(1, 4)]
    good = [predict.future(tensor([[n]]), timeout=10) for n in range(20)]
    assert [SeldonMessage.FromString(call.result()).data.tensor.values[0] for call in good] == list(range(0, 40, 2))
    assert {call.code() for call in bad} == {grpc.StatusCode.RESOURCE_EXHAUSTED}


def test_a_message_that_needs_encoding_arrives(server: Server) -> None:
    """A status message with percent signs, line ends or non-ASCII letters arrives unchanged."""
    names = SeldonMessage()
    names.data.ndarray.values.add().list_value.values.add().number_value = 1
    names.data.ndarray.values.add().number_value = 2
    assert "$.data.ndarray" in failure(server, names.SerializeToString())[1]
    assert dict(status.trailers(3, "10 % é\n"))[b"grpc-message"] == b"10 %25 %C3%A9%0A"
    assert len(dict(status.trailers(3, "é" * 10_000))[b"grpc-message"]) <= 4000


def test_compression_is_declined_properly(server: Server) -> None:
    """A compressed message gets UNIMPLEMENTED, as gRPC's specification asks."""
    got, details = failure(server, tensor([[1]]) * 50, compression=grpc.Compression.Gzip)
    assert got is grpc.StatusCode.UNIMPLEMENTED
    assert "compressed" in details


def test_a_deadline_is_kept(server: Server) -> None:
    """The server ends a call whose deadline has passed with DEADLINE_EXCEEDED."""
    raw = Raw(server.port)
    raw.begin(1, grpc_timeout="20m")
    raw.flush()
    headers = dict(raw.events(ResponseReceived).headers)
    assert headers[b"grpc-status"] == b"4"
    raw.socket.close()


def test_health(server: Server) -> None:
    """Every service is SERVING, and watches are sent NOT_SERVING when the server stops."""
    assert server.call(b"", HEALTH + "Check") == b"\x08\x01"
    assert server.call(b"\x0a\x13seldon.protos.Model", HEALTH + "Check") == b"\x08\x01"
    states = server.channel.unary_stream(HEALTH + "Watch")(b"", timeout=10)
    assert next(states) == b"\x08\x01"
    server.soon(server.grpc.stop_being_ready)
    assert list(states) == [b"\x08\x02"]
    assert server.call(b"", HEALTH + "Check") == b"\x08\x02"
    assert next(server.channel.unary_stream(HEALTH + "Watch")(b"\x0a\x01x", timeout=5)) == b"\x08\x03"


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
def test_reflection(server: Server, version: str) -> None:
    """Reflection lists the services, returns the file of a method with its imports, and reports unknown names."""
    package = f"grpc.reflection.{version}"
    request = message_class(f"{package}.ServerReflectionRequest")
    answer = message_class(f"{package}.ServerReflectionResponse")
    ask = server.channel.stream_stream(
        f"/{package}.ServerReflection/ServerReflectionInfo", request.SerializeToString, answer.FromString
    )
    questions = [
        request(list_services=""),
        request(file_containing_symbol="seldon.protos.Model.Predict"),
        request(file_by_filename="google/protobuf/struct.proto"),
        request(file_containing_symbol="no.such"),
        request(all_extension_numbers_of_type="x"),
    ]
    services, method, file, nothing, extensions = list(ask(iter(questions), timeout=10))
    assert "seldon.protos.Combiner" in {each.name for each in services.list_services_response.service}
    assert len(method.file_descriptor_response.file_descriptor_proto) == 5
    assert len(file.file_descriptor_response.file_descriptor_proto) == 1
    assert nothing.error_response.error_code == extensions.error_response.error_code == 5


def test_one_port_answers_both_protocols(server: Server) -> None:
    """The gRPC port answers HTTP/1.1 too, even if its first bytes arrive one by one."""
    body = b'{"data":{"ndarray":[[1]]}}'
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for part in (b"P", head[1:] + b"Content-Length: %d\r\n\r\n" % len(body) + body):
            client.sendall(part)
            time.sleep(0.02)
        answer = client.makefile("rb").read()
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["data"]["ndarray"] == [[2]]


def test_the_preface_may_come_byte_by_byte(server: Server) -> None:
    """HTTP/2 is recognised even if its preface arrives byte by byte."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in PREFACE:
            client.sendall(bytes([byte]))
        client.sendall(b"\0\0\0\4\0\0\0\0\0" + b"\0\0\x08\6\0\0\0\0\0pingpong")
        seen = b""
        while b"\0\0\x08\6\1\0\0\0\0pingpong" not in seen:
            part = client.recv(1000)
            assert part
            seen += part


def test_rapid_resets_are_cut_off(server: Server) -> None:
    """A client that opens and resets streams without end is disconnected, and others are served."""
    raw = Raw(server.port)
    for number in range(1, 2001, 2):
        raw.begin(number)
        raw.h2.reset_stream(number)
    raw.flush()
    assert raw.events(ConnectionTerminated).error_code == 11
    assert server.call(tensor([[1]]))
    raw.socket.close()


def test_a_request_that_is_not_grpc_gets_an_http_status(server: Server) -> None:
    """A request over HTTP/2 that is not gRPC gets a 415."""
    raw = Raw(server.port)
    raw.begin(1, end=True, content_type="text/plain")
    raw.flush()
    assert dict(raw.events(ResponseReceived).headers)[b":status"] == b"415"
    raw.socket.close()


def test_a_drain_answers_what_is_open_and_closes(server: Server) -> None:
    """A drain sends GOAWAY, answers open calls, and closes connections that have sent nothing."""
    assert server.call(tensor([[1]]))
    raw = Raw(server.port)
    silent = socket.create_connection(("127.0.0.1", server.port), timeout=5)
    raw.begin(1)
    raw.flush()
    time.sleep(0.1)
    for each in list(server.fleet):
        server.soon(each.drain)
    assert raw.events(ConnectionTerminated).last_stream_id == 2**31 - 1
    ended = threading.Thread(target=server.drain)
    ended.start()
    time.sleep(0.1)
    raw.h2 = H2Connection(H2Configuration())  # the library's client takes the first GOAWAY for the end
    body = tensor([[1]])
    frame = b"\0" + len(body).to_bytes(4, "big") + body
    raw.socket.sendall(len(frame).to_bytes(3, "big") + b"\0\1\0\0\0\1" + frame)
    seen = raw.socket.makefile("rb").read()
    assert b"\0\0\0\0\0\0\0@" in seen  # 2.0, the answer to the call that was open
    ended.join()
    assert silent.recv(1) == b""
    silent.close()
    raw.socket.close()


def test_a_reset_call_is_forgotten(server: Server) -> None:
    """A call that its client resets does not disturb the next one of the connection."""
    raw = Raw(server.port)
    raw.begin(1)
    raw.h2.reset_stream(1)
    raw.begin(3, grpc_encoding="snappy")
    raw.flush()
    assert dict(raw.events(ResponseReceived).headers)[b"grpc-accept-encoding"] == b"identity"
    raw.socket.close()
