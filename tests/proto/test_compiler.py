"""The messages and services on the wire are Seldon's, whatever else the process has loaded."""

import subprocess
import sys

import pytest
from google.protobuf import struct_pb2

from scorekit.proto import FILES, POOL, SERVICES, message_class
from scorekit.proto.compiler import compile_proto


def test_the_services_are_those_of_a_component() -> None:
    """The services are the seven of seldon-core 1.17.1, health, and both versions of reflection."""
    seldon = ("Generic", "Model", "Router", "Transformer", "OutputTransformer", "Combiner", "Seldon")
    assert set(SERVICES) == {
        *(f"seldon.protos.{name}" for name in seldon),
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
    }


def test_field_numbers_are_the_wires() -> None:
    """A message written by hand, byte by byte, is read correctly."""
    message = message_class("seldon.protos.SeldonMessage").FromString(b"\x0a\x02\x20\x01\x12\x03\x0a\x01p\x2a\x01s")
    assert (message.status.status, message.meta.puid, message.strData) == (1, "p", "s")


def test_the_pool_is_our_own() -> None:
    """None of our messages is in protobuf's default pool, and our Value is not the default one."""
    assert message_class("google.protobuf.Value") is not struct_pb2.Value
    code = (
        "import scorekit.proto\nfrom google.protobuf import descriptor_pool\n"
        "try:\n    descriptor_pool.Default().FindMessageTypeByName('seldon.protos.SeldonMessage')\n"
        "except KeyError:\n    print('absent')"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "absent"


def test_another_owner_of_the_same_names_can_be_loaded_beside() -> None:
    """A different definition of seldon.protos in the default pool, such as seldon_core's, does not clash."""
    code = (
        "from google.protobuf import descriptor_pool\n"
        "from scorekit.proto.compiler import compile_proto\n"
        "file = compile_proto('syntax = \"proto3\"; package seldon.protos; message Tensor { string x = 1; }', 'p')\n"
        "descriptor_pool.Default().AddSerializedFile(file.SerializeToString())\n"
        "import scorekit.codec.proto as codec\n"
        "print(codec.decode(bytes([42, 1, 115])).payload)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "s"


def test_our_messages_are_those_of_seldon_core() -> None:
    """Every message of seldon_core has the same fields here, with both loaded in one process."""
    stock = pytest.importorskip("seldon_core.proto.prediction_pb2", reason="seldon-core is not installed")
    for name, theirs in stock.DESCRIPTOR.message_types_by_name.items():
        ours = POOL.FindMessageTypeByName(f"seldon.protos.{name}")
        assert [(each.name, each.number, each.type) for each in ours.fields] == [
            (each.name, each.number, each.type) for each in theirs.fields
        ]


def test_files_come_after_what_they_import() -> None:
    """A client may load the descriptors in the order given."""
    assert list(FILES)[-1] == "scorekit/proto/reflection_v1alpha.proto"
    assert list(FILES).index("scorekit/proto/prediction.proto") > list(FILES).index("google/protobuf/struct.proto")


@pytest.mark.parametrize(
    "text", ["option x = 1;", "message M {", "message M { repeated int32 n 1; }", "service S { stream }", "§"]
)
def test_what_the_compiler_does_not_know_it_refuses(text: str) -> None:
    """A typo in a .proto file is an error, never a guess."""
    with pytest.raises(ValueError, match=r"expected|unexpected|does not end"):
        compile_proto(text, "x.proto")
