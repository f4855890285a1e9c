"""A client for a model server's gRPC API, on grpcio.

grpcio, not our own HTTP/2 engine: a server should not be judged by a client that shares its mistakes
(docs/design/0019-grpcio-is-the-testers-client.md).

The laws judge JSON, so messages are translated both ways. What JSON cannot say is the place to look: a SeldonMessage
can carry NaN and infinities, which come out as the texts "NaN", "Infinity" and "-Infinity" that protobuf's own JSON
form uses for them. In the other direction a malformed body may not be JSON at all; over gRPC the nearest thing to it is
to send its bytes in place of a message.
"""

import json
import math
from pathlib import Path
from typing import Any

from google.protobuf import json_format

from ...errors import SetupError
from ...proto import DecodeError, message_class
from ..transport import Answer, NoAnswer, Query, Unreachable, Unsendable
from .address import Address

_Message = message_class("seldon.protos.SeldonMessage")
_Feedback = message_class("seldon.protos.Feedback")

_SERVER = {
    "predict": "Model/Predict",
    "send-feedback": "Model/SendFeedback",
    "transform-input": "Generic/TransformInput",
}
_GATEWAY = {"predict": "Seldon/Predict", "send-feedback": "Seldon/SendFeedback"}

# The HTTP status of each gRPC code, as grpc-gateway pairs them; but a missing method is a missing path, so 404, not
# 501.
_STATUS = {
    "INVALID_ARGUMENT": 400, "FAILED_PRECONDITION": 400, "OUT_OF_RANGE": 400, "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403, "NOT_FOUND": 404, "UNIMPLEMENTED": 404, "ALREADY_EXISTS": 409, "ABORTED": 409,
    "RESOURCE_EXHAUSTED": 429,
}  # fmt: skip


class GrpcClient:
    """A client for a server's methods, or for a gateway's if ``address`` names a deployment.

    ``authorities`` is a file of certificates to trust in place of the system's. The ``key`` is sent with every request,
    as ``x-api-key``. Raises ``SetupError`` if grpcio is missing or the file cannot be read.
    """

    def __init__(
        self, address: Address, timeout_s: float = 10, authorities: str | None = None, key: str | None = None
    ) -> None:
        try:
            import grpc
        except ImportError as error:
            raise SetupError(
                "gRPC needs the package 'grpcio': pip install '.[test]' in a checkout of scorekit"
            ) from error
        self._metadata = [*(address.metadata or ()), *([("x-api-key", key)] if key is not None else [])]
        self.address = address
        self.timeout_s = timeout_s
        host = f"[{address.host}]" if ":" in address.host else address.host
        self._target = f"{host}:{address.port}"
        # A proxy of the environment is not what is to be tested, and retries would hide failures.
        options = [("grpc.enable_http_proxy", 0), ("grpc.enable_retries", 0), ("grpc.max_receive_message_length", -1)]
        if address.secure:
            trusted = None
            if authorities is not None:
                try:
                    trusted = Path(authorities).read_bytes()
                except OSError as error:
                    raise SetupError(f"{authorities} is not a file of certificates: {error.strerror}") from error
            self._channel = grpc.secure_channel(self._target, grpc.ssl_channel_credentials(trusted), options)
        else:
            self._channel = grpc.insecure_channel(self._target, options)
        self._failure = grpc.RpcError
        self._methods = _GATEWAY if address.metadata else _SERVER
        self._answered = False

    def __repr__(self) -> str:
        return f"<GrpcClient {self.where()}>"

    def where(self, verb: str = "predict", /) -> str:
        """The server, and the method that ``verb`` calls."""
        return f"grpc://{self._target} seldon.protos.{self._methods.get(verb, '')}"

    def close(self) -> None:
        """Close the channel."""
        self._channel.close()

    def send(self, query: Query, /) -> Answer:
        """The server's answer, as JSON.

        Raises ``Unreachable`` if there is no gRPC server, ``NoAnswer`` if it does not answer in time or with something
        else than a message, and ``Unsendable`` if the query has no form in gRPC.
        """
        if query.verb not in self._methods:
            raise Unsendable(f"a gateway has no method for {query.verb}")
        content, places = serialized(query)
        call = self._channel.unary_unary(f"/seldon.protos.{self._methods[query.verb]}")
        try:
            body = call(content, timeout=self.timeout_s, metadata=self._metadata)
        except self._failure as error:
            return self._failed(error, places)
        self._answered = True
        try:
            return Answer(200, json.dumps(plain(body)).encode())
        except json_format.SerializeToJsonError:
            return Answer(200, b"NaN")  # a NaN in jsonData; the law "valid JSON" reports this as it would over REST
        except DecodeError as error:
            raise NoAnswer(f"the answer is not a SeldonMessage: {error}", hung=False) from error

    def _failed(self, error: Any, places: bool) -> Answer:
        code, details = error.code().name, error.details() or ""
        if code == "UNAVAILABLE" and not self._answered:
            raise Unreachable(
                f"{self.address.url} cannot be reached over gRPC: {details}; is a gRPC server running there?"
            ) from error
        if code in ("DEADLINE_EXCEEDED", "UNAVAILABLE", "CANCELLED"):
            hung = code == "DEADLINE_EXCEEDED"
            raise NoAnswer(f"no answer within {self.timeout_s:g} s" if hung else details or code, hung) from error
        self._answered = True
        info = {"status": {"info": details or code, "reason": code}}
        return Answer(_STATUS.get(code, 500), json.dumps(info).encode(), places)


def serialized(query: Query) -> tuple[bytes, bool]:
    """The bytes to send, and whether they are a message: a body that is not JSON is sent as it is.

    Raises ``Unsendable`` for JSON that no SeldonMessage can hold.
    """
    value = query.message
    if isinstance(value, str):
        try:
            value = json.loads(value, parse_constant=_refuse)
        except (ValueError, RecursionError):
            return query.body(), False
    kind = _Feedback if query.verb == "send-feedback" else _Message
    try:
        return bytes(json_format.ParseDict(value, kind()).SerializeToString()), True
    except (json_format.Error, AttributeError, TypeError, ValueError, RecursionError) as error:
        raise Unsendable(f"gRPC has no form for this request: {error}") from error


def plain(body: bytes) -> Any:
    """A serialized SeldonMessage as JSON values.

    Numbers in ``ndarray`` that JSON does not have become the texts NaN, Infinity and -Infinity. Raises ``DecodeError``
    if the bytes are not a message, and ``SerializeToJsonError`` for such a number in ``jsonData``.
    """
    message = _Message.FromString(body)
    _name_numbers(message.data.ndarray.values)
    return json_format.MessageToDict(message)


def _name_numbers(values: Any) -> None:
    for value in values:
        if value.HasField("list_value"):
            _name_numbers(value.list_value.values)
        elif value.HasField("number_value") and not math.isfinite(value.number_value):
            number = value.number_value
            value.string_value = "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def _refuse(token: str) -> Any:
    raise Unsendable(f"gRPC has no form for the token {token}")
