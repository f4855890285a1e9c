"""Large bodies are read as the same message as small ones, or left to the other parser."""

from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorekit.codec import json, large
from scorekit.errors import BadRequest

needs_simdjson = pytest.mark.skipif(not large.available(), reason="pysimdjson is not installed")

NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**64), 2**64) | st.integers(-5, 5)
CELLS = NUMBERS | st.sampled_from([None, True, "a", [1], [], {"a": 1}, "[", 2**63, 1e300])
TABLES = st.integers(0, 4).flatmap(
    lambda width: st.lists(st.lists(NUMBERS, min_size=width, max_size=width), max_size=4)
)
ARRAYS = TABLES | st.lists(st.lists(CELLS, max_size=3) | CELLS, max_size=4)
NAMES: Any = st.sampled_from([{}, *({"names": names} for names in ([], ["a", "b"], None, [1], "[", ["é"]))])
DATA = st.builds(lambda names, array: {**names, "ndarray": array}, NAMES, ARRAYS) | st.builds(
    lambda names, values, shape: {**names, "tensor": {"shape": shape, "values": values}},
    NAMES,
    st.lists(CELLS, max_size=6) | st.lists(NUMBERS, max_size=6),
    st.lists(st.integers(-1, 4), max_size=3),
)
META = st.sampled_from([{}, {"meta": {}}, {"meta": None}, {"meta": {"puid": "p", "tags": {"a": [1]}}}, {"meta": []}])


def same(body: bytes) -> None:
    """A body that is read at all is read as the same message."""
    found = large.decode(body)
    if found is None:
        return
    expected = json.decode(body)
    assert (found.kind, found.names, found.meta) == (expected.kind, expected.names, expected.meta)
    assert found.payload.dtype == expected.payload.dtype
    assert found.payload.shape == expected.payload.shape
    np.testing.assert_array_equal(found.payload, expected.payload)
    assert found.payload.flags.writeable


@given(DATA, META, st.booleans(), st.data())
def test_what_is_read_equals_what_the_plain_codec_reads(data: Any, meta: Any, last: bool, draw: st.DataObject) -> None:
    """The two parsers agree on any array, names and meta, with keys in any order, also after a byte is changed."""
    value = {"data": data, **meta} if last else {**meta, "data": data}
    try:
        body = orjson.dumps(value)
    except TypeError:  # integers beyond 64 bits, which JSON texts may have all the same
        import json as stdlib

        body = stdlib.dumps(value).encode()
    try:
        same(body)
        at = draw.draw(st.integers(0, len(body) - 1))
        same(
            body[:at]
            + draw.draw(st.sampled_from([b"[", b"]", b",", b"\\", b"0", b".", b'"', b" ", b""]))
            + body[at + 1 :]
        )
    except BadRequest as refused:
        raise AssertionError(f"read a body that is refused: {refused}") from refused


@needs_simdjson
@pytest.mark.parametrize(
    "body",
    [
        b'{"data":{"ndarray":[[1.5,2],[3,4]]}}',
        b'{"data":{"names":["a","b"],"ndarray":[[1,2],[3,4]]},"meta":{}}',
        b'{"data":{"tensor":{"shape":[2,2],"values":[1,2.5,3,4]}}}',
        b'{"meta":{},"data":{"tensor":{"values":[1,2,3,4],"shape":[2,2]},"names":[]}}',
    ],
)
def test_tables_of_numbers_are_read_here(body: bytes) -> None:
    """The forms that clients send are all read by the fast parser."""
    assert large.decode(body) is not None
    same(body)


@pytest.mark.parametrize(
    "body",
    [
        b'{"data":{"ndarray":[[1,2],[[3],[4]]]}}',
        b'{"data":{"ndarray":[[1,2],[3]]}}',
        b'{"data":{"ndarray":[[1,2],[3,"4"]]}}',
        b'{"data":{"ndarray":[[1,2],[3,true]]}}',
        b'{"data":{"ndarray":[[1,2],[3,null]]}}',
        b'{"data":{"ndarray":[1,2]}}',
        b'{"data":{"ndarray":[[1]]},"data":{"ndarray":[[2]]}}',
        b'{"data":{"ndarray":[[1]],"ndarray":[[2]]}}',
        b'{"data":{"ndarray":[[1]],"tensor":{"shape":[1],"values":[2]}}}',
        b'{"data":{"ndarray":[[9223372036854775808,-1]]}}',
        b'{"data":{"ndarray":[[1]]},"strData":"x"}',
        b'{"data":{"tensor":{"shape":[2],"values":[1]}}}',
        b'{"data":{"ndarray":[[1.5]]},"meta":{"puid":"p"}}',
        b'\xef\xbb\xbf{"data":{"ndarray":[[1.5]]}}',
        b'{"data":{"ndarray":[[1.5]]}} x',
        b'{"data":{"ndarray":[[NaN]]}}',
        b'{"data":{"names":["\\ud800"],"ndarray":[[1.5]]}}',
        b"{",
        b"null",
    ],
)
def test_what_is_in_doubt_is_left_to_the_plain_codec(body: bytes) -> None:
    """Bodies that are deep, ragged or not numbers, with a key twice, long integers or escapes are left alone."""
    assert large.decode(body) is None


@needs_simdjson
def test_a_first_fraction_or_none_decides_nothing_alone() -> None:
    """Whole numbers stay integers; one fraction anywhere makes all of them floats."""
    for row, kind in (([1, 2], "i"), ([1, 2.5], "f"), ([1.5, 2], "f"), ([-1, 2**62], "i")):
        message = large.decode(orjson.dumps({"data": {"ndarray": [row]}}))
        assert message is not None
        assert message.payload.dtype.kind == kind
        assert message.payload.tolist() == [row]
