"""The gRPC client: messages from JSON and back, and its codes, with a real grpcio server."""

import contextlib
import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest

from scorekit.errors import SetupError
from scorekit.proto import message_class
from scorekit.tester.clients import parse_address
from scorekit.tester.clients.grpc import GrpcClient, plain, serialized
from scorekit.tester.transport import NoAnswer, Query, Unreachable, Unsendable

from ...ports import free_ports

BODY = {"meta": {"puid": "p"}, "data": {"names": ["a"], "tensor": {"shape": [1, 2], "values": [1.5, 2]}}}


def test_a_message_is_the_same_after_a_round_trip() -> None:
    """Tensors, nested lists, texts and meta are kept."""
    for body in (BODY, {"data": {"ndarray": [[1.5, "a"], [[2.0], None]]}}, {"strData": "é"}):
        content, is_message = serialized(Query(body))
        assert is_message
        assert plain(content) == body


def test_numbers_that_json_does_not_have_become_texts() -> None:
    """NaN and infinities in either form become texts, and no law takes those for numbers."""
    message = message_class("seldon.protos.SeldonMessage")()
    for number in (float("nan"), float("inf"), float("-inf")):
        message.data.ndarray.values.add().number_value = number
    assert plain(message.SerializeToString())["data"]["ndarray"] == ["NaN", "Infinity", "-Infinity"]
    message.data.tensor.values.append(float("nan"))
    assert plain(message.SerializeToString())["data"]["tensor"]["values"] == ["NaN"]


def test_a_body_that_is_not_a_message_is_sent_as_it_is_or_not_at_all() -> None:
    """Text that is not JSON is sent byte by byte; JSON that no message can hold is not sent."""
    assert serialized(Query('{"data"')) == (b'{"data"', False)
    for text in ('{"data": 1}', "[1]", '{"data": {"ndarray": [NaN]}}', '{"data": {"tensor": {"shape": ["a"]}}}'):
        with pytest.raises(Unsendable, match="gRPC has no form"):
            serialized(Query(text))


@contextlib.contextmanager
def served(answer: Any) -> Iterator[int]:
    """A grpcio server whose method Predict is ``answer``, from bytes to bytes."""

    class Any_(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc has no types  # noqa: N801
        def service(self, details: Any) -> Any:
            if not details.method.endswith("/Predict"):
                return None
            return grpc.unary_unary_rpc_method_handler(lambda body, context: answer(body, context, details))

    with ThreadPoolExecutor(2) as pool:
        server = grpc.server(pool, [Any_()])
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield port
        finally:
            server.stop(0).wait()


def client(port: int, timeout_s: float = 5, path: str = "") -> GrpcClient:
    return GrpcClient(parse_address(f"grpc://127.0.0.1:{port}{path}"), timeout_s)


def test_answers_and_codes_become_those_of_rest() -> None:
    """A message is a 200, INVALID_ARGUMENT a 400 with its text, a missing method a 404, and any other error a 500."""

    def answer(body: bytes, context: Any, details: Any) -> bytes:
        if body == b"\x07":
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "wrong at $.data")
        if not body:
            raise ValueError("anything")
        return body

    with served(answer) as port, contextlib.closing(client(port)) as asking:
        answered = asking.send(Query(BODY))
        assert (answered.status, json.loads(answered.body)) == (200, BODY)
        refused = asking.send(Query("\x07"))
        assert (refused.status, refused.places) == (400, False)
        assert json.loads(refused.body)["status"]["info"] == "wrong at $.data"
        assert asking.send(Query({})).status == 500
        assert asking.send(Query(BODY, "transform-input")).no_route


def test_a_gateway_gets_the_name_of_the_deployment() -> None:
    """Below a prefix the method is Seldon/Predict, and the metadata names deployment and namespace."""
    seen: list[Any] = []

    def answer(body: bytes, context: Any, details: Any) -> bytes:
        seen.append((details.method, dict(details.invocation_metadata)))
        return body

    with served(answer) as port, contextlib.closing(client(port, path="/seldon/ns/m")) as asking:
        assert asking.send(Query(BODY)).status == 200
    ((method, metadata),) = seen
    assert method == "/seldon.protos.Seldon/Predict"
    assert (metadata["seldon"], metadata["namespace"]) == ("m", "ns")


def test_a_call_that_hangs_ends() -> None:
    """A call that the server holds ends at the deadline, and counts as hung."""

    def answer(body: bytes, context: Any, details: Any) -> bytes:
        time.sleep(0.5)
        return body

    with served(answer) as port, contextlib.closing(client(port, 0.1)) as asking:
        with pytest.raises(NoAnswer, match=r"no answer within 0\.1 s") as caught:
            asking.send(Query(BODY))
        assert caught.value.hung


def test_a_missing_server_is_an_error() -> None:
    """A port without a server cannot be tested."""
    (port,) = free_ports("127.0.0.1", 1)
    with contextlib.closing(client(port)) as asking, pytest.raises(Unreachable, match="cannot be reached over gRPC"):
        asking.send(Query(BODY))


def test_without_grpcio_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to install."""
    monkeypatch.setitem(sys.modules, "grpc", None)
    with pytest.raises(SetupError, match=r"pip install '\.\[test\]'"):
        client(1)


def test_grpcs_verifies_the_server(certificate: tuple[Path, Path]) -> None:
    """A server of an unknown authority cannot be tested; with the authority's file it answers."""
    cert, key = certificate

    def predict(details: Any) -> Any:
        return grpc.unary_unary_rpc_method_handler(lambda body, context: body)

    handler = type("Handler", (grpc.GenericRpcHandler,), {"service": lambda self, details: predict(details)})
    with ThreadPoolExecutor(1) as pool:
        server = grpc.server(pool, [handler()])
        secure = grpc.ssl_server_credentials([(key.read_bytes(), cert.read_bytes())])
        address = parse_address(f"grpcs://127.0.0.1:{server.add_secure_port('127.0.0.1:0', secure)}")
        server.start()
        try:
            with contextlib.closing(GrpcClient(address, 5)) as asking, pytest.raises(Unreachable):
                asking.send(Query(BODY))
            with contextlib.closing(GrpcClient(address, 5, str(cert))) as asking:
                assert asking.send(Query(BODY)).status == 200
        finally:
            server.stop(0).wait()
    with pytest.raises(SetupError, match=r"nowhere\.pem is not a file of certificates"):
        GrpcClient(address, 5, "nowhere.pem")
