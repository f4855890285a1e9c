"""JSON numbers become the arrays that the stock wrapper's models have always been given."""

import contextlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from scorekit.codec.tensor import from_ndarray, from_tensor
from scorekit.errors import BadRequest

# What the stock wrapper hands to a model (seldon-core 1.17.1, observed): JSON value, dtype kind, shape.
STOCK = [
    ([[1, 2]], "i", (1, 2)),
    ([[1.5, 2]], "f", (1, 2)),
    ([True, False], "b", (2,)),
    ([None, 1], "O", (2,)),
    ([{"a": 1}], "O", (1,)),
    ([[1, "a"]], "U", (1, 2)),
    (5, "i", ()),
    ([], "f", (0,)),
    ([[]], "f", (1, 0)),
    ([2**63], "u", (1,)),
]


@pytest.mark.parametrize(("values", "kind", "shape"), STOCK)
def test_dtype_and_shape_are_the_stock_wrappers(values: Any, kind: str, shape: tuple[int, ...]) -> None:
    """Each JSON value becomes an array of the dtype and shape that the stock wrapper gives it."""
    array = from_ndarray(values, "$")
    assert (array.dtype.kind, array.shape) == (kind, shape)


def test_integers_of_a_tensor_stay_integers() -> None:
    """A tensor of whole numbers reaches the model as int64, as with the stock wrapper over REST."""
    array = from_tensor({"shape": [2, 1], "values": [1, 2]}, "$")
    assert array.dtype == np.int64
    assert array.shape == (2, 1)


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ([[1, 2], [3]], "$[1]"),
        ([[1, 2], 3], "$[1]"),
        ([[[1, 2]], [[3]]], "$[1][0]"),
        ([[[1], [2]], [[3], [4, 5]]], "$[1][1]"),
        ([[1, [2]]], "$[0][1]"),
        ([1, []], "$[1]"),
    ],
)
def test_a_ragged_array_is_refused_where_it_is_ragged(values: Any, where: str) -> None:
    """The error names the first element that differs from its neighbours."""
    with pytest.raises(BadRequest) as caught:
        from_ndarray(values, "$")
    assert caught.value.path == where


@pytest.mark.parametrize(
    ("tensor", "path"),
    [
        ([], "$.t"),
        (None, "$.t"),
        ({"values": [1]}, "$.t"),
        ({"shape": [1]}, "$.t"),
        ({"shape": 1, "values": [1]}, "$.t.shape"),
        ({"shape": [-1], "values": [1]}, "$.t.shape[0]"),
        ({"shape": [1, True], "values": [1]}, "$.t.shape[1]"),
        ({"shape": [1.0], "values": [1]}, "$.t.shape[0]"),
        ({"shape": [2, 2], "values": [1, 2]}, "$.t.shape"),
        ({"shape": [2**40, 2**40], "values": [1]}, "$.t.shape"),
        ({"shape": [10**18] * 300, "values": [1]}, "$.t.shape"),
        ({"shape": [1] * 100, "values": [1]}, "$.t.shape"),
        ({"shape": [0, 2**63], "values": []}, "$.t.shape[1]"),
        ({"shape": [0, 2**40, 2**40], "values": []}, "$.t.shape"),
        ({"shape": [2**40] * 30, "values": []}, "$.t.shape"),
        ({"shape": [2], "values": [[1], [2, 3]]}, "$.t.values[1]"),
    ],
)
def test_a_tensor_that_lies_about_its_shape_is_refused(tensor: Any, path: str) -> None:
    """Missing keys, impossible dimensions and a product that does not match get an error with their place."""
    with pytest.raises(BadRequest) as caught:
        from_tensor(tensor, "$.t")
    assert caught.value.path == path


@given(hnp.arrays(np.float64, hnp.array_shapes(min_dims=1, max_dims=4, max_side=4), elements=st.floats(-1e300, 1e300)))
def test_both_forms_carry_the_same_array(array: np.ndarray[Any, np.dtype[np.float64]]) -> None:
    """Any array that is written as a tensor or as an ndarray is read back bit by bit."""
    tensor = {"shape": list(array.shape), "values": array.ravel().tolist()}
    assert np.array_equal(from_tensor(tensor, "$"), array)
    assert np.array_equal(from_ndarray(array.tolist(), "$"), array)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=20,
)


SHAPES = st.lists(st.integers(-2, 4) | st.integers(0, 2**64) | st.just(0), max_size=40)


@given(st.builds(lambda shape, values: {"shape": shape, "values": values}, SHAPES | JSON, JSON))
def test_no_tensor_does_more_than_be_refused(tensor: Any) -> None:
    """A tensor with any shape and values becomes an array or is refused."""
    with contextlib.suppress(BadRequest):
        assert isinstance(from_tensor(tensor, "$"), np.ndarray)


def test_text_that_would_fill_the_memory_is_refused() -> None:
    """75 kB of JSON, whose longest string sets the size of 5,000 short ones, is refused before it takes a gigabyte."""
    values = ["x" * 50_000] + ["a"] * 5_000
    for nested in (values, [[value] for value in values], [[values]]):
        with pytest.raises(BadRequest, match="too much memory"):
            from_ndarray(nested, "$")
    assert from_ndarray(["x" * 50_000] * 100, "$").shape == (100,)


@given(JSON)
def test_no_json_value_does_more_than_be_refused(value: Any) -> None:
    """Any JSON value becomes an array or is refused."""
    for decode in (from_ndarray, from_tensor):
        with contextlib.suppress(BadRequest):
            assert isinstance(decode(value, "$"), np.ndarray)


def test_deep_nesting_is_no_recursion() -> None:
    """A value that nests as deeply as the JSON parser allows is refused or read, without a crash."""
    deep: Any = [1, [2]]
    for _ in range(1000):
        deep = [deep]
    with pytest.raises(BadRequest):
        from_ndarray(deep, "$")
