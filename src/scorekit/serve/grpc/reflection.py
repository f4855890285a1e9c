"""gRPC's reflection service: which services there are, and what their messages look like.

grpcurl, Postman and the like ask it, so that a person can call the model without having its .proto files.
"""

from functools import cache, lru_cache
from typing import Any

from google.protobuf.descriptor_pb2 import FileDescriptorProto

from ...errors import BadRequest
from ...proto import FILES, POOL, SERVICES, DecodeError, message_class
from .status import StatusCode

_MAX_KNOWN_BYTES = 256  # of a request whose answer is remembered: longer than any honest one


def reflect(body: bytes, version: str) -> bytes:
    """Return the serialized answer to one serialized ServerReflectionRequest of version ``v1`` or ``v1alpha``.

    Both versions have the same messages under different package names. Raises ``BadRequest`` for anything else.
    """
    return _known(body, version) if len(body) <= _MAX_KNOWN_BYTES else _answer(body, version)


# A request has a few bytes and its answer thousands, which take the library's pure-Python version most of a
# millisecond. Clients send the same few requests; who sends others by the thousand finds the parts remembered.
@lru_cache(128)
def _known(body: bytes, version: str) -> bytes:
    return _answer(body, version)


def _answer(body: bytes, version: str) -> bytes:
    package = f"grpc.reflection.{version}"
    try:
        request = message_class(f"{package}.ServerReflectionRequest").FromString(body)
    except (DecodeError, ValueError, RecursionError) as error:  # ValueError: a text that is not UTF-8
        raise BadRequest(f"not a ServerReflectionRequest: {error}") from None
    answer = message_class(f"{package}.ServerReflectionResponse")(valid_host=request.host, original_request=request)
    question = request.WhichOneof("message_request")
    if question == "list_services":
        for name in SERVICES:
            answer.list_services_response.service.add(name=name)
    elif question == "file_by_filename":
        _add_files(answer, request.file_by_filename)
    elif question == "file_containing_symbol":
        _add_files(answer, _file_of(request.file_containing_symbol))
    else:
        _not_found(answer, "proto3 has no extensions")  # proto3 has none
    return bytes(answer.SerializeToString())


def _file_of(symbol: str) -> str:
    """Return the name of the file that declares ``symbol``, ``""`` if there is none."""
    try:
        return str(POOL.FindFileContainingSymbol(symbol).name)
    except KeyError:
        pass
    # The pool of protobuf 3.20, which seldon-core pins, finds services but not their methods.
    service, _, method = symbol.rpartition(".")
    if service in SERVICES and method in POOL.FindServiceByName(service).methods_by_name:
        return str(POOL.FindServiceByName(service).file.name)
    return ""


def _add_files(answer: Any, name: str) -> None:
    """Add the file and all that it imports, imports first: clients load the files in the order they come."""
    if name not in FILES:
        _not_found(answer, "unknown file or symbol")
        return
    answer.file_descriptor_response.file_descriptor_proto.extend(_with_imports(name))


@cache
def _with_imports(name: str) -> list[bytes]:
    """Return the descriptors of a file that there is and of all that it imports, imports first."""
    wanted = [name]
    for each in wanted:  # grows within the loop
        wanted += [one for one in FileDescriptorProto.FromString(FILES[each]).dependency if one not in wanted]
    return [FILES[each] for each in reversed(wanted)]


def _not_found(answer: Any, message: str) -> None:
    answer.error_response.error_code = StatusCode.NOT_FOUND
    answer.error_response.error_message = message
