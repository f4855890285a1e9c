"""Sends one case to one server, over REST or gRPC."""

import http.client
import json
from typing import Any

import grpc
from google.protobuf import json_format

from scorekit.proto import POOL, message_class

from .cases import Call, Case

HEADERS = ("allow", "vary", "access-control-allow-origin", "access-control-allow-methods")
"""The headers beside the content type that a client may depend on; recorded where the request is about them."""


def ask(port: int, case: Case, timeout_s: float = 20) -> dict[str, Any]:
    """Returns the answer as it is compared: ``status``, ``type``, ``body`` (parsed) or ``text``, CORS ``headers``."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        connection.request(case.method, case.path, case.body or None, dict(case.headers))
        response = connection.getresponse()
        content = response.read()
    finally:
        connection.close()
    answer: dict[str, Any] = {"status": response.status, "type": response.getheader("Content-Type", "")}
    try:
        answer["body"] = json.loads(content)
    except ValueError:
        answer["text"] = content.decode(errors="backslashreplace")
    if case.method == "OPTIONS" or "Origin" in dict(case.headers):
        # Flask prints a set in Allow, in whatever order.
        given = {name: response.getheader(name) for name in HEADERS}
        answer["headers"] = {name: ", ".join(sorted(text.split(", "))) for name, text in given.items() if text}
    if case.path.startswith("/seldon.json") and response.status == 200:
        # The stock document is the same for every model, ours is made from the contract: only its kind is compared.
        answer["body"] = {"openapi": answer["body"].get("openapi")}
    return answer


def call(channel: grpc.Channel, case: Call) -> dict[str, Any]:
    """Returns the answer in the form that is compared: ``code``, and ``message`` or ``details``."""
    service, method = case.method.split("/")
    described = POOL.FindServiceByName(f"seldon.protos.{service}").methods_by_name[method]
    request = json_format.ParseDict(case.request, message_class(described.input_type.full_name)())
    ask_it = channel.unary_unary(
        f"/seldon.protos.{case.method}",
        request_serializer=type(request).SerializeToString,
        response_deserializer=message_class(described.output_type.full_name).FromString,
    )
    try:
        answer = ask_it(request, timeout=20)
    except grpc.RpcError as error:
        return {"code": error.code().name, "details": error.details()}
    try:
        return {"code": "OK", "message": json_format.MessageToDict(answer)}
    except json_format.SerializeToJsonError as error:  # NaN inside a Value
        return {"code": "OK", "unprintable": str(error)}
