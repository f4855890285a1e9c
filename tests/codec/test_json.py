"""SeldonMessage as JSON: the stock wrapper's rules, and errors that say where the fault is."""

import contextlib
import json as stdlib
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from scorekit.codec import json
from scorekit.errors import BadRequest, UnwritableAnswer
from scorekit.message import BatchAnswer, BatchRows, Message, PayloadKind

from .test_tensor import JSON


def decoded(value: Any) -> Message:
    return json.decode(stdlib.dumps(value).encode())


@pytest.mark.parametrize(
    ("request_", "kind", "payload"),
    [
        ({"strData": ""}, PayloadKind.STR, ""),
        ({"strData": "é\n"}, PayloadKind.STR, "é\n"),
        ({"jsonData": None}, PayloadKind.JSON, None),
        ({"jsonData": {"a": [1]}}, PayloadKind.JSON, {"a": [1]}),
        ({"binData": "AQI="}, PayloadKind.BIN, b"\x01\x02"),
        ({"binData": "@@"}, PayloadKind.BIN, b""),  # lenient, as the stock wrapper's decoder
        ({"jsonData": 1, "strData": "x"}, PayloadKind.JSON, 1),
        ({"strData": "x", "binData": "AQI=", "unknown": 1}, PayloadKind.STR, "x"),
    ],
)
def test_payloads_are_found_in_the_stock_order(request_: Any, kind: PayloadKind, payload: Any) -> None:
    """The first of data, jsonData, strData and binData is the payload; unknown keys are ignored."""
    message = decoded(request_)
    assert (message.kind, message.payload, message.names) == (kind, payload, [])


def test_data_wins_over_everything_and_tensor_over_ndarray() -> None:
    """Of several payloads in a request, the one that the stock wrapper takes counts."""
    message = decoded({"strData": "x", "data": {"ndarray": [1], "tensor": {"shape": [1], "values": [2]}}})
    assert message.kind is PayloadKind.TENSOR
    assert message.payload.tolist() == [2]


@pytest.mark.parametrize("data", [{}, {"names": ["a"]}, {"unknown": 1}])
def test_data_without_a_form_is_an_empty_array(data: Any) -> None:
    """For a `data` without a known form the model is given an empty float64 array, as by the stock wrapper."""
    message = decoded({"data": data})
    assert message.kind is PayloadKind.NDARRAY
    assert message.payload.shape == (0,)


@pytest.mark.parametrize(
    ("sent", "names"), [({}, []), ({"names": None}, None), ({"names": []}, []), ({"names": ["a", 1]}, ["a", 1])]
)
def test_names_reach_the_model_as_sent(sent: Any, names: Any) -> None:
    """Absent names are an empty list, a null stays a null, and nothing in them is changed."""
    assert decoded({"data": {"ndarray": [[1, 2]], **sent}}).names == names


@pytest.mark.parametrize("meta", [{}, {"puid": "x", "tags": {"a": 1}, "unknown": [1]}])
def test_meta_reaches_the_model_as_sent(meta: Any) -> None:
    """`meta` is passed on unchanged."""
    assert decoded({"strData": "x", "meta": meta}).meta == meta


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("", "Can't find JSON in data: "),
        ("nope", "Can't find JSON in data: "),
        ('{"data":{"ndarray":[NaN]}}', "Can't find JSON in data: "),
        ('{"strData":"x"} trailing', "Can't find JSON in data: "),
        ("[" * 100_000, "Can't find JSON in data: "),
        ("null", "expected a JSON object, got null at $"),
        ("[1]", "expected a JSON object, got a list at $"),
        ("{}", "expected one of data, jsonData, strData, binData at $"),
        ('{"data":null}', "expected an object, got null at $.data"),
        ('{"data":[1,2]}', "expected an object, got a list at $.data"),
        ('{"data":{"names":"ab","ndarray":[]}}', "expected a list of strings, got a string at $.data.names"),
        ('{"data":{"tensor":{"shape":[2],"values":[1]}}}', "needs 2 values, but there are 1 at $.data.tensor.shape"),
        ('{"data":{"ndarray":[[1],[2,3]]}}', "at $.data.ndarray[1]"),
        ('{"strData":1}', "expected a string, got a number at $.strData"),
        ('{"binData":1}', "expected a base64 string, got a number at $.binData"),
        ('{"binData":"A"}', "at $.binData"),
        ('{"binData":"é"}', "at $.binData"),
        ('{"strData":"x","meta":null}', "expected an object, got null at $.meta"),
        ('{"data":{"tftensor":{}}}', "at $.data.tftensor"),
        ('{"strData":"x","meta":[]}', "expected an object, got a list at $.meta"),
        ('{"strData":"x","meta":{"tags":[]}}', "expected an object, got a list at $.meta.tags"),
        ('{"strData":"x","meta":{"metrics":{}}}', "expected a list, got an object at $.meta.metrics"),
        ('{"strData":"x","meta":{"puid":7}}', "expected a string, got a number at $.meta.puid"),
    ],
)
def test_bad_input_is_told_with_its_place(body: str, told: str) -> None:
    """Every malformed request gets an error that says what was expected, and where."""
    with pytest.raises(BadRequest) as caught:
        json.decode(body)
    assert told in str(caught.value)


@given(st.binary(max_size=200) | JSON.map(lambda value: stdlib.dumps(value).encode()))
def test_garbage_is_only_ever_refused(body: bytes) -> None:
    """Decoding any bytes gives a message or a BadRequest, never another exception."""
    with contextlib.suppress(BadRequest):
        assert isinstance(json.decode(body), Message)


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (
            Message(PayloadKind.TENSOR, np.array([[1.0, 2.0]]), ["a", "b"], {}),
            '{"data":{"names":["a","b"],"tensor":{"shape":[1,2],"values":[1.0,2.0]}},"meta":{}}\n',
        ),
        (
            Message(PayloadKind.NDARRAY, np.array([[1, 2]]), [], None),
            '{"data":{"names":[],"ndarray":[[1,2]]},"meta":{}}\n',
        ),
        (
            Message(PayloadKind.NDARRAY, [[1, "a"], [True, None]]),
            '{"data":{"names":[],"ndarray":[[1,"a"],[true,null]]},"meta":{}}\n',
        ),
        (Message(PayloadKind.NDARRAY, np.array(5)), '{"data":{"names":[],"ndarray":5},"meta":{}}\n'),
        (
            Message(PayloadKind.TENSOR, np.array(5.0)),
            '{"data":{"names":[],"tensor":{"shape":[],"values":[5.0]}},"meta":{}}\n',
        ),
        (Message(PayloadKind.NDARRAY, np.array(["a"], object)), '{"data":{"names":[],"ndarray":["a"]},"meta":{}}\n'),
        (Message(PayloadKind.STR, "x", [], {"puid": "p"}), '{"meta":{"puid":"p"},"strData":"x"}\n'),
        (Message(PayloadKind.BIN, b"\x01\x02"), '{"binData":"AQI=","meta":{}}\n'),
        (Message(PayloadKind.JSON, {"b": 1, "a": np.float32(1.5)}), '{"jsonData":{"b":1,"a":1.5},"meta":{}}\n'),
        (Message(PayloadKind.JSON, {1: {None: 2}}), '{"jsonData":{"1":{"null":2}},"meta":{}}\n'),
    ],
)
def test_answers_look_as_the_stock_wrappers_do(message: Message, text: str) -> None:
    """An answer always has `meta`, and `names` inside `data`; it is one compact line with a newline at its end."""
    assert json.encode(message).decode() == text


class Subclass(np.ndarray[Any, Any]):
    """numpy's matrices and masked arrays, as an encoder meets them."""


@pytest.mark.parametrize(
    "array",
    [
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(12.0).reshape(4, 3)[::2],
        np.arange(6.0).reshape(2, 3).astype(">f8"),
        np.arange(6).reshape(2, 3).astype(np.uint8),
        np.arange(6).reshape(2, 3).astype(np.float16),
        np.arange(6).reshape(2, 3).astype(np.longdouble),
        np.arange(6).reshape(2, 3) > 2,
        np.arange(6).reshape(2, 3).view(Subclass),
        np.empty((0, 3)),
    ],
    ids=lambda array: f"{array.dtype.str}{array.strides}",
)
@pytest.mark.parametrize("kind", [PayloadKind.TENSOR, PayloadKind.NDARRAY])
def test_any_layout_of_an_array_can_be_written(array: np.ndarray[Any, Any], kind: PayloadKind) -> None:
    """The document does not depend on strides, byte order and item size of the model's array."""
    data = stdlib.loads(json.encode(Message(kind, array)))["data"]
    values = data["ndarray"] if kind is PayloadKind.NDARRAY else data["tensor"]["values"]
    assert np.array_equal(np.array(values).reshape(array.shape), array)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_in_json_is_null(value: float) -> None:
    """An answer is always valid JSON: NaN and infinities become null, in arrays and in objects."""
    for message in (
        Message(PayloadKind.TENSOR, np.array([value])),
        Message(PayloadKind.NDARRAY, [[value]]),
        Message(PayloadKind.JSON, {"x": value}),
    ):
        assert b"null" in json.encode(message)


@pytest.mark.parametrize("value", [object(), {"x": object()}, {"x": 1 + 2j}, {("a", "b"): 1}, b"x", 2**70])
def test_what_json_cannot_hold_is_a_bad_answer(value: Any) -> None:
    """A payload that JSON cannot hold is the model's fault, and the error says so in a sentence."""
    with pytest.raises(UnwritableAnswer, match="cannot be written as JSON"):
        json.encode(Message(PayloadKind.JSON, value))


@given(hnp.arrays(np.float64, hnp.array_shapes(min_dims=1, max_dims=3, max_side=5), elements=st.floats(width=64)))
def test_floats_survive_the_round_trip(array: np.ndarray[Any, np.dtype[np.float64]]) -> None:
    """A float written and read again, by us or by Python's own json, is the same float to the last bit."""
    finite = np.nan_to_num(array)
    for kind in (PayloadKind.TENSOR, PayloadKind.NDARRAY):
        text = json.encode(Message(kind, finite))
        assert np.array_equal(json.decode(text).payload, finite)
        data = stdlib.loads(text)["data"]
        flat = data["tensor"]["values"] if kind is PayloadKind.TENSOR else np.ravel(data["ndarray"]).tolist()
        assert flat == finite.ravel().tolist()


@given(JSON)
def test_any_json_goes_through_unchanged(value: Any) -> None:
    """jsonData is the same after writing and reading, as far as JSON's numbers reach."""
    text = stdlib.dumps({"jsonData": value})
    payload = json.decode(text).payload
    try:
        again = json.decode(json.encode(Message(PayloadKind.JSON, payload))).payload
    except UnwritableAnswer:
        return
    assert again == payload


def test_errors_have_the_stock_envelope() -> None:
    """The error envelope is the stock wrapper's, in which `code` and `status` are constants."""
    assert stdlib.loads(json.encode_error("no é", "R")) == {
        "status": {"code": -1, "info": "no é", "reason": "R", "status": 1}
    }


@given(
    hnp.arrays(
        st.sampled_from([np.float64, np.float32, np.int64, np.uint8]),
        hnp.array_shapes(min_dims=1, max_dims=2, min_side=1, max_side=6),
    ),
    st.data(),
)
def test_text_written_for_a_batch_is_the_text_of_each_answer(array: Any, data: st.DataObject) -> None:
    """An answer cut from the batch's text equals one that is written alone, byte for byte, in both forms."""
    start = data.draw(st.integers(0, len(array) - 1))
    end = data.draw(st.integers(start + 1, len(array)))
    meta = data.draw(st.sampled_from([None, {}, {"puid": "é", "tags": {"a": [1, None]}}]))
    names = data.draw(st.sampled_from([[], ["t:0", "],["], [np.str_("n")]]))
    answer = BatchAnswer(array, len(array))
    for kind in (PayloadKind.TENSOR, PayloadKind.NDARRAY):
        alone = Message(kind, array[start:end], names, meta)
        cut = Message(kind, array[start:end], names, meta, batch_rows=BatchRows(answer, start, end))
        assert json.encode(cut) == json.encode(alone)
        assert json.encode(cut, bare_nan=True) == json.encode(alone, bare_nan=True)
    assert answer.encoded


@pytest.mark.parametrize(
    "array", [np.array(["a"]), np.zeros((2, 2, 2)), np.zeros((2, 0)), np.array(1.0), np.array([True])]
)
def test_what_is_not_rows_of_numbers_is_not_cut(array: Any) -> None:
    """Arrays of texts, of booleans, of three dimensions or without values are written alone."""
    answer = BatchAnswer(array, 2)
    rows = array[:1] if array.ndim else array
    assert json.encode(Message(PayloadKind.NDARRAY, rows, batch_rows=BatchRows(answer, 0, 1))) == json.encode(
        Message(PayloadKind.NDARRAY, rows)
    )
    assert not answer.encoded
