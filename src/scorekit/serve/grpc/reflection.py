"""What gRPC's reflection service answers: which services there are, and what their messages look like."""

from typing import Any

from google.protobuf.descriptor_pb2 import FileDescriptorProto

from ...errors import BadRequest
from ...proto import FILES, POOL, SERVICES, DecodeError, message_class

_NOT_FOUND = 5


def reflect(body: bytes, version: str) -> bytes:
    """The serialized answer to one serialized ServerReflectionRequest of ``v1`` or ``v1alpha``."""
    package = f"grpc.reflection.{version}"
    try:
        request = message_class(f"{package}.ServerReflectionRequest").FromString(body)
    except DecodeError as error:
        raise BadRequest(f"not a ServerReflectionRequest: {error}") from None
    answer = message_class(f"{package}.ServerReflectionResponse")(valid_host=request.host, original_request=request)
    asked = request.WhichOneof("message_request")
    if asked == "list_services":
        for name in SERVICES:
            answer.list_services_response.service.add(name=name)
    elif asked == "file_by_filename":
        _files(answer, request.file_by_filename)
    elif asked == "file_containing_symbol":
        _files(answer, _file_of(request.file_containing_symbol))
    else:  # there are no extensions in proto3
        _not_found(answer, "there are no extensions here")
    return bytes(answer.SerializeToString())


def _file_of(symbol: str) -> str:
    """The file that declares ``symbol``, or ``""``."""
    try:
        return str(POOL.FindFileContainingSymbol(symbol).name)
    except KeyError:
        pass
    # A method, which the pool of protobuf 3.20 does not find by name.
    service, _, method = symbol.rpartition(".")
    if service in SERVICES and method in POOL.FindServiceByName(service).methods_by_name:
        return str(POOL.FindServiceByName(service).file.name)
    return ""


def _files(answer: Any, name: str) -> None:
    """The file, and before it all that it imports."""
    if name not in FILES:
        _not_found(answer, "no such file or symbol")
        return
    wanted = [name]
    for each in wanted:
        wanted += [one for one in FileDescriptorProto.FromString(FILES[each]).dependency if one not in wanted]
    answer.file_descriptor_response.file_descriptor_proto.extend(FILES[each] for each in reversed(wanted))


def _not_found(answer: Any, message: str) -> None:
    answer.error_response.error_code = _NOT_FOUND
    answer.error_response.error_message = message
