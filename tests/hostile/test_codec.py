"""Hostile payloads: each is refused within bounds on memory, and in a time that a quadratic algorithm would exceed."""

import functools
import time
import tracemalloc
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorekit.codec import json, multipart, proto, strictness, values
from scorekit.codec.wire import delimited
from scorekit.codec.wire import fields as wire_fields
from scorekit.errors import BadRequest, PayloadTooLarge, RequestError
from scorekit.serve.http1.exchange import Exchange
from scorekit.serve.http1.head import RequestHead
from scorekit.serve.rest import requests
from scorekit.serve.rest.requests import find, read

from .kinds import KINDS

MEGABYTE = 1 << 20
# Generous: most take some milliseconds. What is quadratic took a minute.
WITHIN_S = 10.0


@dataclass(frozen=True)
class Case:
    kind: str
    name: str
    read: Callable[[Any], Any]
    sent: Any
    error: type[RequestError] | None = BadRequest
    memory: int = 8
    """Megabytes at most while it is read."""


def from_json(body: bytes) -> Any:
    return json.from_value(json.parse(body), len(body))


def feedback(body: bytes) -> Any:
    return proto.feedback_from_json(json.parse(body))


def form(body: bytes) -> Any:
    return json.from_value(multipart.decode(body, "multipart/form-data; boundary=b"))


def nested(depth: int, inside: bytes = b"\x08\0") -> bytes:
    """Return a protocol buffer's Value with lists in lists."""
    return functools.reduce(lambda inner, _: delimited(b"\x32", delimited(b"\x0a", inner)), range(depth), inside)


def objects(depth: int) -> bytes:
    wrapped = b"\x08\0"
    for _ in range(depth):
        wrapped = delimited(b"\x2a", delimited(b"\x0a", b"\x0a\x01k" + delimited(b"\x12", wrapped)))
    return wrapped


def any_in_any(depth: int) -> bytes:
    url, inner = delimited(b"\x0a", b"type.googleapis.com/google.protobuf.Any"), b""
    for _ in range(depth):
        inner = url + delimited(b"\x12", inner)
    return delimited(b"\x3a", inner)


def any_in_json(depth: int) -> bytes:
    head = b'{"@type":"type.googleapis.com/google.protobuf.Any","value":'
    return b'{"request":{"customData":%b{}%b}}' % (head * depth, b"}" * depth)


def data(inside: bytes) -> bytes:
    return delimited(b"\x1a", inside)


PART = b'--b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n'
END = b"\r\n--b--\r\n"

_NONE, _DEEP, _TWICE, _MANY, _SHAPES, _TEXT, _FORMS, _PROTO, _ANY = (
    next(kind for kind in KINDS if kind.startswith(start))
    for start in (
        *("Invalid JSON", "`jsonData`", "A key that", "More than 2,000,000", "Shapes", "One long", "Multipart"),
        *("Protocol buffers", "An `Any`"),
    )
)


def _ndarray(*texts: bytes) -> list[tuple[str, bytes]]:
    return [(text[:20].decode("latin-1"), b'{"data":{"ndarray":[%b]}}' % text) for text in texts]


def _tensor(*shapes: bytes) -> list[tuple[str, bytes]]:
    return [(shape[:20].decode(), b'{"data":{"tensor":{"shape":[%b],"values":[1,2,3]}}}' % shape) for shape in shapes]


CASES = [
    *(Case(_NONE, name, from_json, sent) for name, sent in _ndarray(
        b"NaN", b"-Infinity", b"1e999", b"-1e999", b"1e99999999999999", b"01", b"+1", b"0x1", b".5", b"1.", b"[1,]",
        b'"\\ud800"', b'"\\udc00\\ud800"', b'"\xff"', b'"\xc0\x80"', b'"\xed\xa0\x80"', b'"\0"', b'"\n"',
        b"'a'", b"1 2",
        b"[" * 5000, b"[" * 2000 + b"]" * 2000, b'{"a":' * 2000, b"nul", b"truee", b"/**/1", b"9" * 400,
    )),
    Case(_NONE, "empty", from_json, b""),
    Case(_NONE, "trailing", from_json, b'{"strData":"a"}{}'),
    Case(_NONE, "not an object", from_json, b"[" * 100 + b"]" * 100),
    Case(_NONE, "utf-16", from_json, b"\xff\xfe{\0"),
    Case(_DEEP, "jsonData", from_json, b'{"jsonData":' + b"[" * 65 + b"]" * 65 + b"}"),
    Case(_DEEP, "objects", from_json, b'{"jsonData":' + b'{"a":' * 65 + b"1" + b"}" * 65 + b"}"),
    Case(_DEEP, "mixed", from_json, b'{"jsonData":' + b'[{"a":' * 400 + b"1" + b"}]" * 400 + b"}"),
    Case(_DEEP, "meta", from_json, b'{"strData":"a","meta":{"tags":{"a":' + b"[" * 70 + b"]" * 70 + b"}}}"),
    Case(_DEEP, "at the limit", from_json, b'{"jsonData":' + b"[" * 64 + b"]" * 64 + b"}", None),
    Case(_TWICE, "of the message", from_json, b'{"strData":"a","strData":"b"}'),
    Case(_TWICE, "of data", from_json, b'{"data":{"ndarray":[[1]],"ndarray":[[2]]}}'),
    Case(_TWICE, "escaped", from_json, b'{"strData":"a","str\\u0044ata":"b"}'),
    Case(_TWICE, "of a tensor", from_json, b'{"data":{"tensor":{"shape":[1],"shape":[1],"values":[1]}}}'),
    Case(_TWICE, "last of many", from_json, b'{"data":{"ndarray":[[1]]},%b"z":1,"z":2}' % b"".join(
        b'"%d":1,' % each for each in range(20_000)), memory=16),
    Case(_TWICE, "far inside", from_json, b'{"jsonData":[[[{"a":[{"b":1,"b":1}]}]]]}'),
    Case(_TWICE, "of a tag", from_json, b'{"strData":"a","meta":{"tags":{"x":1,"x":2}}}'),
    Case(_TWICE, "behind a colon", from_json, b'{"strData":"::::","strData":"::"}'),
    Case(_TWICE, "with a colon hidden", from_json, b'{"strData":"\\u003a","strData":"a"}'),
    Case(_TWICE, "in feedback", feedback, b'{"request":{"strData":"a","strData":"b"}}'),
    Case(_TWICE, "colons alone", from_json, b'{"strData":"http://a:80/:"}', None),
    Case(_MANY, "lists", from_json, b'{"data":{"ndarray":[' + b"[]," * 2_100_000 + b"1]}}", PayloadTooLarge),
    Case(_MANY, "objects", from_json, b'{"jsonData":[' + b"{}," * 2_100_000 + b"1]}", PayloadTooLarge),
    *(Case(_SHAPES, name, from_json, sent) for name, sent in _tensor(
        b"2", b"3,2", b"-1,3", b"-1,-3", b"0", b"1.0,3", b"3.0", b'"3"', b"null", b"true,3", b"1e3", b"[3]", b"",
        b"1099511627776,1099511627776", b"99999999999999999999", b"1099511627777,0", b",".join([b"1"] * 33) + b",3",
        b",".join([b"1"] * 100_000), b"0,1099511627776,1099511627776",
    ) if name),
    Case(_SHAPES, "deep rows", from_json, b'{"data":{"ndarray":' + b"[" * 33 + b"1" + b"]" * 33 + b"}}"),
    Case(_SHAPES, "deeper rows", from_json, b'{"data":{"ndarray":' + b"[" * 1000 + b"]" * 1000 + b"}}"),
    Case(_SHAPES, "ragged", from_json, b'{"data":{"ndarray":[[1,2],[3]]}}'),
    Case(_SHAPES, "ragged deep", from_json, b'{"data":{"ndarray":[[[1],[2]],[[3],4]]}}'),
    Case(_TEXT, "wide", from_json, b'{"data":{"ndarray":["%b",%b"a"]}}' % (b"x" * 30_000, b'"a",' * 5000)),
    Case(_TEXT, "wide rows", from_json, b'{"data":{"ndarray":[["%b"],%b["a"]]}}' % (b"x" * 30_000, b'["a"],' * 5000)),
    Case(_FORMS, "parts", form, (PART % b"a" + b"1\r\n") * 1100 + b"--b--\r\n"),
    Case(_FORMS, "nameless parts", form, b"--b\r\nA: b\r\n\r\n\r\n" * 200_000 + b"--b--\r\n"),
    Case(_FORMS, "headers", form, b"--b\r\n" + b"A: b\r\n" * 500_000 + b"\r\nx" + END),
    Case(_FORMS, "one header", form, b"--b\r\nA: " + b"b" * 3_000_000 + b"\r\n\r\nx" + END, memory=16),
    Case(_FORMS, "line ends", form, PART % b"strData" + b"\r\n" * 1_000_000 + END, None, 16),
    Case(_FORMS, "carriage returns", form, PART % b"strData" + b"\r" * 2_000_000 + END, None, 16),
    Case(_FORMS, "all but boundaries", form, PART % b"strData" + b"\r\n--" * 500_000 + END, None, 16),
    Case(_FORMS, "preamble", form, b"x" * 2_000_000),
    Case(_FORMS, "dashes", form, b"-" * 2_000_000),
    Case(_FORMS, "without end", form, PART % b"strData" + b"x" * 1_000_000),
    Case(_FORMS, "not UTF-8", form, PART % b"strData" + b"\xff" + END),
    Case(_PROTO, "lists in lists", proto.decode, delimited(b"\x32", nested(65))),
    Case(_PROTO, "lists without end", proto.decode, delimited(b"\x32", nested(3000))),
    Case(_PROTO, "objects in objects", proto.decode, delimited(b"\x32", objects(1000))),
    Case(_PROTO, "rows in rows", proto.decode, data(delimited(b"\x1a", delimited(b"\x0a", nested(1000))))),
    Case(_PROTO, "tags in tags", proto.decode, delimited(b"\x12", delimited(b"\x12", b"\x0a\x01a" + delimited(
        b"\x12", nested(1000)))) + b"\x2a\x01x"),
    Case(_PROTO, "groups", proto.decode, b"\x7b" * 100_000),
    Case(_PROTO, "an end of no group", proto.decode, b"\x7c"),
    Case(_PROTO, "unknown fields", proto.decode, b"\x78\x01" * (2 * MEGABYTE)),
    Case(_PROTO, "data again and again", proto.decode, b"\x1a\x02\x0a\x00" * MEGABYTE, memory=64),
    Case(_PROTO, "meta again and again", proto.decode, b"\x12\x00" * (2 * MEGABYTE), memory=64),
    Case(_PROTO, "nulls", proto.decode, data(delimited(b"\x1a", b"\x0a\x02\x08\x00" * MEGABYTE)), memory=64),
    Case(_PROTO, "empty elements", proto.decode, data(delimited(b"\x1a", b"\x0a\x00" * (2 * MEGABYTE))), memory=64),
    Case(_PROTO, "names", proto.decode, data(b"\x0a\x00" * (2 * MEGABYTE)), memory=64),
    Case(_PROTO, "tags", proto.decode, delimited(b"\x12", b"\x12\x04\x0a\x00\x12\x00" * 20_000) + b"\x2a\x01x"),
    Case(
        _PROTO, "dimensions", proto.decode, data(delimited(b"\x12", delimited(b"\x0a", b"\1" * 4_000_000))), memory=16
    ),
    Case(_PROTO, "unpacked dimensions", proto.decode, data(delimited(b"\x12", b"\x08\x01" * 100_000)), memory=16),
    Case(_PROTO, "negative dimension", proto.decode, data(delimited(b"\x12", b"\x08" + b"\xff" * 9 + b"\x01"))),
    Case(_PROTO, "shape that lies", proto.decode, data(delimited(b"\x12", b"\x08\xff\xff\xff\x7f"))),
    Case(_PROTO, "half a double", proto.decode, data(delimited(b"\x12", b"\x08\x01\x12\x04\0\0\0\0"))),
    Case(_PROTO, "cut off", proto.decode, b"\x1a\x7f\x12"),
    Case(_PROTO, "endless number", proto.decode, b"\xff" * 100),
    Case(_PROTO, "a length beyond all", proto.decode, b"\x2a" + b"\xff" * 9 + b"\x01x"),
    Case(_PROTO, "no UTF-8", proto.decode, b"\x2a\x01\xff"),
    Case(_PROTO, "no UTF-8 inside", proto.decode, delimited(b"\x32", b"\x1a\x01\xff")),
    Case(_PROTO, "a struct again and again", proto.decode, delimited(
        b"\x32", b"\x2a\x09\x0a\x07\x0a\x01k\x12\x02\x08\x00" * 240_000), None, memory=96),
    Case(_PROTO, "a value again and again", proto.decode, delimited(b"\x32", delimited(b"\x2a", delimited(
        b"\x0a", b"\x0a\x01k" + b"\x12\x09\x2a\x07\x0a\x05\x0a\x01k\x12\x00" * 240_000))), None, memory=96),
    Case(_PROTO, "feedback", proto.decode_feedback, delimited(b"\x0a", delimited(b"\x32", nested(3000)))),
    Case(_PROTO, "raw", lambda body: proto.read("SeldonMessage", body), delimited(b"\x32", nested(3000))),
    Case(_PROTO, "raw feedback", lambda body: proto.read("Feedback", body), delimited(b"\x0a", delimited(
        b"\x32", nested(3000)))),
    Case(_PROTO, "list", proto.decode_list, delimited(b"\x0a", delimited(b"\x32", nested(3000)))),
    Case(_PROTO, "feedback of numbers without end", feedback, b'{"reward":1e308,"request":{"data":{"tensor":{"shape":['
         b'1e30],"values":["x"]}}}}'),
    Case(_PROTO, "feedback in JSON", feedback, b'{"request":{"jsonData":' + b"[" * 900 + b"]" * 900 + b"}}"),
    Case(_ANY, "feedback", feedback, any_in_json(400)),
    Case(_ANY, "message", proto.decode, any_in_any(1000), None),
    Case(_ANY, "message of a feedback", proto.decode_feedback, delimited(b"\x0a", any_in_any(1000)), None),
]  # fmt: skip


PARAMETERS = [
    pytest.param(
        case,
        id=f"{case.kind[:14]}-{case.name}",
        marks=pytest.mark.slow if case.kind == _PROTO and len(case.sent) >= 2 * MEGABYTE else (),
    )
    for case in CASES
]


@pytest.mark.parametrize("case", PARAMETERS)
def test_every_case_gets_one_of_our_errors(case: Case) -> None:
    """A hostile payload gets one of our errors before it costs much memory or time; a merely unusual one is read."""
    tracemalloc.start()
    began = time.process_time()
    try:
        if case.error is None:
            case.read(case.sent)
        else:
            with pytest.raises(case.error) as raised:
                case.read(case.sent)
            assert len(str(raised.value)) < 2000
    finally:
        took = time.process_time() - began
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < case.memory * MEGABYTE
    assert took < WITHIN_S


class Nowhere:
    """A connection without a client."""

    lost = False
    peer = ""

    def flush(self) -> None:
        pass

    def observe(self, exchange: Exchange, status: int, /) -> None:
        pass


def exchange(body: bytes, target: bytes = b"/predict", **fields: bytes) -> Exchange:
    headers = {name.replace("_", "-").encode(): value for name, value in fields.items()}
    return Exchange(Nowhere(), RequestHead("POST", target, False, headers), body, keep_alive=True)


@pytest.mark.parametrize("coding", [b"gzip", b"br", b"deflate", b"zstd", b"identity, gzip", b"GZIP", b"x\ty"])
def test_a_compressed_body_is_refused_unread(coding: bytes) -> None:
    """A compressed body is never unpacked, and the error asks for an uncompressed one."""
    with pytest.raises(RequestError, match="Content-Encoding"):
        find(exchange(b"\x1f\x8b" + b"\0" * 100, content_type=b"application/json", content_encoding=coding))
    assert find(exchange(b"{}", content_type=b"application/json", content_encoding=b"identity")) == b"{}"


def test_forms_and_queries_have_at_most_a_thousand_fields() -> None:
    """A form or query of more than a thousand fields is refused without being parsed."""
    for body, target, kind in (
        (b"a=1&" * 100_000 + b"json={}", b"/predict", b"application/x-www-form-urlencoded"),
        (b"", b"/predict?" + b"a&" * 20_000 + b"json={}", b"application/json"),
    ):
        with pytest.raises(BadRequest, match="1000 fields"):
            read(exchange(body, target, content_type=kind))


@pytest.mark.parametrize("quoted", [b"%41", b"+", b"a", b"%C3%A9", b"\xc3\xa9"])
def test_a_form_takes_little_more_memory_than_its_bytes(quoted: bytes) -> None:
    """A megabyte of escapes is decoded within a few megabytes."""
    body = b"json=%22" + quoted * (MEGABYTE // len(quoted)) + b"%22"
    tracemalloc.start()
    text = read(exchange(body, content_type=b"application/x-www-form-urlencoded")).raw
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert text == urllib.parse.unquote_plus(body[8:-3].decode())
    assert peak < 16 * MEGABYTE


FORM_PARTS = [b"json", b"=", b"&", b"%", b"41", b"%4", b"%C3%A9", b"\xc3\xa9", b"\xff", b"+", b"x"]


@given(st.lists(st.sampled_from(FORM_PARTS)))
def test_forms_are_read_as_the_standard_library_reads_them(parts: list[bytes]) -> None:
    """The field of a form is that which urllib.parse finds, in pieces of any size, or both refuse the form."""
    body = b"".join(parts)
    try:
        expected = urllib.parse.parse_qs(body.decode(), errors="strict").get("json", [""])[0]
    except ValueError:
        expected = None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(requests, "_PIECE_BYTES", 3)
        if expected is None:
            with pytest.raises(BadRequest):
                requests._field(body)
        else:
            assert requests._field(body) == expected


@pytest.mark.parametrize("many", [b"1," * 300_000 + b"1", b"[]," * 60_000 + b"[]", b"{}," * 60_000 + b"{}"])
def test_feedback_of_too_many_elements_is_refused_before_it_is_parsed(
    many: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Feedback with more elements than the protobuf library reads in a moment never reaches the library."""
    monkeypatch.setattr(proto, "_MAX_ELEMENTS", 250_000)
    monkeypatch.setattr("google.protobuf.json_format.ParseDict", None)
    with pytest.raises(BadRequest, match="at most 250000 elements"):
        feedback(b'{"request":{"data":{"ndarray":[%b]}}}' % many)


class Name(str):
    """A key that counts how often it is compared."""

    compared = 0
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        Name.compared += 1
        return str.__eq__(self, other)


@pytest.mark.parametrize("count", [100, 10_000])
def test_a_key_that_occurs_twice_is_found_with_few_comparisons(count: int) -> None:
    """Of n keys each is compared a few times at most, not with all others."""
    Name.compared = 0
    with pytest.raises(BadRequest, match="'z' occurs twice"):
        strictness._unique([(Name(each), 1) for each in (*range(count), "z", "z")], "")
    assert Name.compared < 3 * count


class Part(bytes):
    """Bytes that count how many of them are copied by ``+``."""

    copied = 0

    def __add__(self, other: Any) -> "Part":
        Part.copied += len(self) + len(other)
        return Part(bytes.__add__(self, other))

    def __radd__(self, other: Any) -> "Part":
        return Part(other) + self


@pytest.mark.parametrize("count", [100, 1000])
@pytest.mark.parametrize(
    ("field", "plain"),
    [
        (delimited(b"\x2a", delimited(b"\x0a", b"\x0a\x01k\x12\x02\x20\x01")), {"k": True}),
        (delimited(b"\x32", b"\x0a\x02\x20\x01"), [True]),
    ],
    ids=["struct", "list"],
)
def test_a_value_that_occurs_again_and_again_is_joined_once(
    count: int, field: bytes, plain: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Value with the same message in it n times, and an entry with its value n times, copy their bytes once."""

    def counted(data: bytes) -> Any:
        return ((number, wire, Part(each) if wire == 2 else each) for number, wire, each in wire_fields(data))

    monkeypatch.setattr(values, "fields", counted)
    Part.copied = 0
    read = values.from_value(field * count)
    assert read == (plain if isinstance(plain, dict) else plain * count)
    entry = delimited(b"\x0a", b"\x0a\x01k" + delimited(b"\x12", field) * count)
    assert values.from_value(delimited(b"\x2a", entry)) == {"k": read}
    assert Part.copied <= 8 * len(field) * count


@pytest.mark.parametrize("spread", [1, 2, 3])
def test_split_fields_of_protocol_buffers_are_merged_in_linear_time(spread: int) -> None:
    """A field that is split into many parts is merged in linear time and means the same as a whole one."""
    elements = b"".join(delimited(b"\x0a", b"\x1a\x01a") for _ in range(3000))
    parts = [elements[at : at + 5 * spread] for at in range(0, len(elements), 5 * spread)]
    split = b"".join(data(delimited(b"\x1a", part)) for part in parts)
    assert proto.decode(split).payload.tolist() == ["a"] * 3000
    whole = proto.decode(data(delimited(b"\x1a", elements)))
    assert whole.payload.tolist() == ["a"] * 3000
