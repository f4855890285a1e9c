"""The protocol buffers this package speaks, in a descriptor pool of their own.

``seldon_core`` and TensorFlow register messages of the same names in protobuf's default pool; here they cannot meet.
Works with protobuf from 3.20 (pure Python there) to the newest.
"""

import importlib
import logging
from functools import cache
from importlib import resources
from typing import Any

from google.protobuf import any_pb2, descriptor_pool, empty_pb2, message_factory, struct_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.message import DecodeError, EncodeError

from .compiler import compile_proto

log = logging.getLogger(__name__)

__all__ = ["FILES", "POOL", "SERVICES", "DecodeError", "EncodeError", "message_class", "user_class"]


def _files() -> list[FileDescriptorProto]:
    known = [FileDescriptorProto.FromString(each.DESCRIPTOR.serialized_pb) for each in (any_pb2, empty_pb2, struct_pb2)]
    read = {
        name: resources.files(__name__).joinpath(name).read_text(encoding="utf-8")
        for name in ("tensorflow.proto", "prediction.proto", "health.proto", "reflection.proto")
    }
    read["reflection_v1alpha.proto"] = read["reflection.proto"].replace("reflection.v1;", "reflection.v1alpha;")
    return known + [compile_proto(text, f"scorekit/proto/{name}") for name, text in read.items()]


POOL = descriptor_pool.DescriptorPool()
"""Every message and service below, and the well-known types they use."""

FILES: dict[str, bytes] = {file.name: file.SerializeToString() for file in _files()}
"""Serialized file descriptors by name, each after what it imports."""

for _serialized in FILES.values():
    POOL.AddSerializedFile(_serialized)

SERVICES: tuple[str, ...] = tuple(
    f"{file.package}.{service.name}"
    for file in map(FileDescriptorProto.FromString, FILES.values())
    for service in file.service
)
"""Full names of every service."""


def message_class(full_name: str) -> Any:
    """The class of the message ``full_name``, from :data:`POOL`."""
    descriptor = POOL.FindMessageTypeByName(full_name)
    if hasattr(message_factory, "GetMessageClass"):  # protobuf from 4.22; the other way is gone since 5
        return message_factory.GetMessageClass(descriptor)
    return message_factory.MessageFactory(POOL).GetPrototype(descriptor)  # type: ignore[attr-defined]


@cache
def user_class(name: str) -> Any:
    """The class of ``seldon.protos.<name>`` that user code knows: seldon-core's where it is installed, or ours."""
    try:
        return getattr(importlib.import_module("seldon_core.proto.prediction_pb2"), name)
    except Exception as error:  # noqa: BLE001  beside a protobuf newer than its own, seldon-core fails in many ways
        if not isinstance(error, ModuleNotFoundError):
            log.warning("proto.seldon_core_unusable cause=%r", error)
        return message_class(f"seldon.protos.{name}")
