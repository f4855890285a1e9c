"""multipart/form-data is read as the JSON value of a SeldonMessage."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorekit.codec.multipart import decode
from scorekit.errors import BadRequest

TYPE = "multipart/form-data; boundary=frontier"


def form(*parts: tuple[str, bytes]) -> bytes:
    """Returns a body whose parts have these dispositions and contents."""
    lines = (
        b"--frontier\r\nContent-Disposition: form-data; " + head.encode() + b"\r\n\r\n" + body for head, body in parts
    )
    return b"\r\n".join([*lines, b"--frontier--\r\n"])


@pytest.mark.parametrize(
    ("parts", "value"),
    [
        ([('name="jsonData"', b'{"a": 1}')], {"jsonData": {"a": 1}}),
        ([('name="strData"', b'{"a": 1}')], {"strData": '{"a": 1}'}),
        ([('name="binData"; filename="x"', b"\x00\xff")], {"binData": "AP8="}),
        ([('name="strData"; filename="x"', "é".encode())], {"strData": "é"}),
        ([('name="strData"; filename="x"', b"file"), ('name="strData"', b"text")], {"strData": "file"}),
        ([('name="strData"', b"one"), ('name="strData"', b"two")], {"strData": "one"}),
        ([('filename="x"', b"nameless")], {}),
        ([], {}),
    ],
)
def test_parts_become_members(parts: list[tuple[str, bytes]], value: Any) -> None:
    """A text is JSON except strData, a binData file becomes base64, and of one name the first file counts."""
    assert decode(form(*parts), TYPE) == value


@pytest.mark.parametrize(
    ("head", "body", "told"),
    [
        ('name="jsonData"', b"{", "at $.jsonData"),
        ('name="strData"', b"\xff", "expected UTF-8 text at $.strData"),
        ('name="other"; filename="x"', b"\xff", "expected UTF-8 text at $.other"),
    ],
)
def test_a_part_that_is_not_what_its_name_says_is_told(head: str, body: bytes, told: str) -> None:
    """The error for a malformed part names the part."""
    with pytest.raises(BadRequest, match=told.replace("$", r"\$")):
        decode(form((head, body)), TYPE)


def test_too_many_parts_are_refused() -> None:
    """A body of many small parts is refused before it becomes as many objects."""
    with pytest.raises(BadRequest, match="at most 1000 parts"):
        decode(form(*((f'name="{at}"', b"1") for at in range(1001))), TYPE)


@given(st.binary())
def test_a_file_arrives_as_it_was(content: bytes) -> None:
    """Any bytes but the boundary itself travel unchanged."""
    value = decode(form(('name="binData"; filename="x"', content.replace(b"--frontier", b""))), TYPE)
    assert base64.b64decode(value["binData"]) == content.replace(b"--frontier", b"")
