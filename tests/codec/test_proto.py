"""SeldonMessage as a protocol buffer: we read what the library writes, and it reads what we write."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from scorekit.codec.proto import decode, encode
from scorekit.errors import BadRequest, UnwritableAnswer
from scorekit.message import Message, PayloadKind
from scorekit.proto import DecodeError, message_class

SeldonMessage: Any = message_class("seldon.protos.SeldonMessage")

doubles = st.floats(width=64)
shapes = arrays.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=5)
floats = shapes.flatmap(lambda shape: arrays.arrays(np.float64, shape))
plain = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def list_value(values: Any, into: Any) -> Any:
    for each in values:
        element = into.values.add()
        if isinstance(each, list):
            element.list_value.SetInParent()
            list_value(each, element.list_value)
        elif isinstance(each, str):
            element.string_value = each
        elif each is None:
            element.null_value = 0
        else:
            element.number_value = each
    return into


def ndarray(values: Any) -> bytes:
    message = SeldonMessage()
    message.data.ndarray.SetInParent()
    list_value(values, message.data.ndarray)
    return bytes(message.SerializeToString())


@given(array=floats, names=st.lists(st.text(), max_size=3))
def test_a_tensor_of_the_library_is_read(array: Any, names: list[str]) -> None:
    """Every float64 tensor arrives bit by bit, in its shape, writable, with its names."""
    message = SeldonMessage()
    message.data.names.extend(names)
    message.data.tensor.shape.extend(array.shape)
    message.data.tensor.values.extend(array.reshape(-1).tolist())
    read = decode(message.SerializeToString())
    assert (read.kind, read.names, read.meta) == (PayloadKind.TENSOR, names, {})
    assert read.payload.dtype == np.float64
    assert read.payload.flags.writeable
    np.testing.assert_array_equal(read.payload, array)


@given(array=floats.filter(lambda array: array.size > 0))
def test_an_ndarray_of_numbers_is_read(array: Any) -> None:
    """Nested lists of numbers are a float64 array, whatever their depth."""
    read = decode(ndarray(array.tolist()))
    assert (read.kind, read.payload.dtype) == (PayloadKind.NDARRAY, np.float64)
    np.testing.assert_array_equal(read.payload, array)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([[1.0, "a"]], [["1.0", "a"]]),
        ([], []),
        ([[], []], [[], []]),
        (["x", "yy"], ["x", "yy"]),
        ([None, 1.0], [None, 1.0]),
        ([[0.0], [-0.0]], [[0.0], [-0.0]]),
    ],
)
def test_other_ndarrays_follow_numpy(values: Any, expected: Any) -> None:
    """A text among numbers makes all of them texts, and a null makes objects, as with the stock wrapper."""
    assert decode(ndarray(values)).payload.tolist() == expected


@pytest.mark.parametrize(
    "values",
    [
        [[1.0, 2.0], [3.0]],
        [[1.0], 2.0],
        [1.0, [2.0]],
        [[[1.0]], [[2.0, 3.0, 4.0]]],
        [[1.0] * 20, [2.0] * 19],
    ],
)
def test_rows_that_differ_are_refused_with_their_place(values: Any) -> None:
    """A ragged list is the caller's fault, and the error says where."""
    with pytest.raises(BadRequest, match=r"\$\.data\.ndarray"):
        decode(ndarray(values))


@pytest.mark.parametrize(
    ("shape", "values", "place"),
    [
        ([], [1.0], "expected at least one"),
        ([2, 2], [1.0], "needs 4 values, but there are 1"),
        ([-1], [1.0], r"\$\.data\.tensor\.shape\[0\]"),
        ([2**31 - 1] * 3, [1.0], "far more"),
        ([1] * 40, [1.0], "at most 32 dimensions"),
    ],
)
def test_a_tensor_of_another_shape_is_refused(shape: list[int], values: list[float], place: str) -> None:
    """Shapes are checked before anything of that size exists."""
    message = SeldonMessage()
    message.data.tensor.shape.extend(shape)
    message.data.tensor.values.extend(values)
    with pytest.raises(BadRequest, match=place):
        decode(message.SerializeToString())


def test_values_that_come_one_by_one_are_read_too() -> None:
    """Values may be packed or not, and come in several parts; protobuf reads them as one array."""
    one = np.float64(1.5).tobytes()
    tensor = b"\x08\x03\x11" + one + b"\x12\x10" + one + one
    body = b"\x1a" + bytes([len(tensor) + 2]) + b"\x12" + bytes([len(tensor)]) + tensor
    assert SeldonMessage.FromString(body).data.tensor.values == [1.5] * 3
    assert decode(body).payload.tolist() == [1.5] * 3


@pytest.mark.parametrize(
    ("fields", "kind", "payload"),
    [
        ({"strData": "é"}, PayloadKind.STR, "é"),
        ({"strData": ""}, PayloadKind.STR, ""),
        ({"binData": b"\0\xff"}, PayloadKind.BIN, b"\0\xff"),
    ],
)
def test_texts_and_bytes_arrive(fields: dict[str, Any], kind: PayloadKind, payload: Any) -> None:
    """strData and binData are read as str and bytes, empty ones too."""
    read = decode(SeldonMessage(**fields).SerializeToString())
    assert (read.kind, read.payload, read.names, read.meta) == (kind, payload, [], {})


def test_any_arrives_as_any() -> None:
    """customData is protobuf's own Any, from the default pool that user code sees."""
    message = SeldonMessage()
    message.customData.type_url = "t/x"
    read = decode(message.SerializeToString())
    assert (read.kind, read.payload.type_url) == (PayloadKind.CUSTOM, "t/x")
    assert SeldonMessage.FromString(encode(read)).customData.type_url == "t/x"


def test_data_without_a_form_is_an_empty_array() -> None:
    """jsonData has the same value as over JSON."""
    message = SeldonMessage()
    message.data.names.append("a")
    read = decode(message.SerializeToString())
    assert (read.kind, read.payload.shape, read.names) == (PayloadKind.NDARRAY, (0,), ["a"])


@pytest.mark.parametrize("body", [b"", b"\x12\x00", b"\x1a\x04\x22\x02\x08\x01", b"\x2a\x01\xff"])
def test_what_is_no_request_is_refused(body: bytes) -> None:
    """A message without a payload, with a TensorFlow tensor, or with text that is not UTF-8 is refused."""
    with pytest.raises(BadRequest):
        decode(body)


def test_meta_is_the_dict_of_its_json() -> None:
    """Tags, path, puid and metrics arrive as JSON would have them."""
    message = SeldonMessage(strData="x")
    message.meta.puid = "p"
    message.meta.tags["a"].number_value = 1.5
    message.meta.requestPath["n"] = "i:1"
    message.meta.metrics.add(key="k", type=1, value=0.5)
    assert decode(message.SerializeToString()).meta == {
        "puid": "p",
        "tags": {"a": 1.5},
        "requestPath": {"n": "i:1"},
        "metrics": [{"key": "k", "type": "GAUGE", "value": 0.5}],
    }


@given(payload=plain)
def test_json_goes_there_and_back(payload: Any) -> None:
    """Any JSON value is the same after it is written and read, by us and by the library."""
    body = encode(Message(PayloadKind.JSON, payload, [], {"tags": {"t": [1, {"a": None}]}}))
    assert SeldonMessage.FromString(body).HasField("jsonData")
    assert decode(SeldonMessage.FromString(body).SerializeToString()).payload == payload


@given(array=floats, kind=st.sampled_from([PayloadKind.TENSOR, PayloadKind.NDARRAY]))
def test_an_array_goes_there_and_back(array: Any, kind: PayloadKind) -> None:
    """An array that we write is read by the library, and by us, as the same array."""
    body = encode(Message(kind, array, ["é"], {}))
    message = SeldonMessage.FromString(body)
    assert message.data.names == ["é"]
    assert message.HasField("meta")
    again = decode(message.SerializeToString())
    if array.size or kind is PayloadKind.TENSOR:
        np.testing.assert_array_equal(again.payload, array)


def test_integers_and_transposed_arrays_are_written_in_order() -> None:
    """Numbers are written as doubles in C order, however numpy stores them."""
    array = np.arange(6).reshape(2, 3).T
    message = SeldonMessage.FromString(encode(Message(PayloadKind.TENSOR, array)))
    assert (message.data.tensor.shape, message.data.tensor.values) == ([3, 2], [0, 3, 1, 4, 2, 5])
    assert decode(encode(Message(PayloadKind.NDARRAY, array))).payload.tolist() == [[0, 3], [1, 4], [2, 5]]


def test_meta_is_written() -> None:
    """Each part of an answer's meta is written, numpy numbers in tags included."""
    meta = {
        "puid": "p",
        "tags": {"a": np.int64(1)},
        "requestPath": {"n": "i"},
        "metrics": [{"key": "k", "type": "TIMER", "value": 2.5}],
    }
    message = SeldonMessage.FromString(encode(Message(PayloadKind.STR, "x", [], meta))).meta
    assert (message.puid, message.tags["a"].number_value, message.requestPath["n"]) == ("p", 1, "i")
    assert (message.metrics[0].key, message.metrics[0].type, message.metrics[0].value) == ("k", 2, 2.5)


@pytest.mark.parametrize(
    "message",
    [
        Message(PayloadKind.JSON, {1: 2}),
        Message(PayloadKind.JSON, {"a": object()}),
        Message(PayloadKind.STR, "\ud800"),
        Message(PayloadKind.NDARRAY, [1 + 2j]),
        Message(PayloadKind.NDARRAY, np.zeros((1, 1)), [3]),
        Message(PayloadKind.STR, "x", [], {"metrics": [{"key": 1}]}),
        Message(PayloadKind.STR, "x", [], {"tags": {"a": 10**400}}),
    ],
)
def test_what_has_no_form_is_a_bad_answer(message: Message) -> None:
    """An answer that protobuf cannot hold is an error of the family, never another."""
    with pytest.raises(UnwritableAnswer):
        encode(message)


def test_a_bottomless_answer_is_a_bad_answer() -> None:
    """A list that holds itself ends in an error, not in the stack."""
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(UnwritableAnswer):
        encode(Message(PayloadKind.JSON, loop))


@given(array=floats, form=st.booleans(), data=st.data())
def test_a_damaged_message_is_read_as_the_library_reads_it(array: Any, form: bool, data: st.DataObject) -> None:
    """After any byte is changed, if both the library and we read a tensor, it is the same one."""
    body = bytearray(encode(Message(PayloadKind.TENSOR if form else PayloadKind.NDARRAY, array, ["a"])))
    body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    try:
        ours = decode(bytes(body))
        theirs = SeldonMessage.FromString(bytes(body))
    except (BadRequest, DecodeError):
        return
    if ours.kind is PayloadKind.TENSOR:
        np.testing.assert_array_equal(ours.payload.reshape(-1), np.array(theirs.data.tensor.values))
        assert ours.payload.shape == tuple(theirs.data.tensor.shape)
