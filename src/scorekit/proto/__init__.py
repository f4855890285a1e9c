"""The protocol buffers that scorekit speaks: Seldon's ``.proto`` files and the compiler that reads them.

It imports protobuf and nothing of ours. Begin with ``prediction.proto`` and :func:`message_class`; ``compiler.py``
turns the texts into descriptors when this package is imported.

The messages live in a descriptor pool of their own, because ``seldon_core`` and TensorFlow register messages of the
same names in protobuf's default pool, which holds each name once. Works with protobuf from 3.20 (in pure Python) to
the newest.
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
"""Every message and service of the files here, and the well-known types that they use."""

FILES: dict[str, bytes] = {file.name: file.SerializeToString() for file in _files()}
"""Serialized file descriptors by name, each after those that it imports."""

for _serialized in FILES.values():
    POOL.AddSerializedFile(_serialized)

SERVICES: tuple[str, ...] = tuple(
    f"{file.package}.{service.name}"
    for file in map(FileDescriptorProto.FromString, FILES.values())
    for service in file.service
)
"""The full names of all services."""


def message_class(full_name: str) -> Any:
    """Return the class of the message ``full_name``, from :data:`POOL`. Raises ``KeyError`` if there is none."""
    descriptor = POOL.FindMessageTypeByName(full_name)
    if hasattr(message_factory, "GetMessageClass"):  # from protobuf 4.22 on; the other way is gone since 5
        return message_factory.GetMessageClass(descriptor)
    return message_factory.MessageFactory(POOL).GetPrototype(descriptor)  # type: ignore[attr-defined]


@cache
def user_class(name: str) -> Any:
    """Return the class of ``seldon.protos.<name>`` that user code knows: seldon-core's if installed, else ours."""
    try:
        return getattr(importlib.import_module("seldon_core.proto.prediction_pb2"), name)
    except Exception as error:  # noqa: BLE001  beside a protobuf newer than its own, seldon-core fails in many ways
        if not isinstance(error, ModuleNotFoundError):
            log.warning("proto.seldon_core_unusable cause=%r", error)
        return message_class(f"seldon.protos.{name}")
