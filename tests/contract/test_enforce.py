"""Which requests a contract lets through to the model, and how it refuses the others."""

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorekit.codec import json as codec
from scorekit.contract import Contract, parse_contract
from scorekit.contract.enforce import ContractCheck
from scorekit.errors import BadRequest, SetupError
from scorekit.message import Message, PayloadKind

FLOAT = {"name": "size", "ftype": "continuous", "dtype": "FLOAT", "range": [0, 10]}
INT = {"name": "rooms", "ftype": "continuous", "dtype": "INT", "range": [1, "inf"]}
OPEN = {"name": "any", "ftype": "continuous", "dtype": "FLOAT"}
COLOUR = {"name": "colour", "ftype": "categorical", "values": ["red", "blue"]}
LEVEL = {"name": "level", "ftype": "categorical", "values": [1, 2.5]}
FLAG = {"name": "flag", "ftype": "categorical", "values": [True, False]}


def contract(*features: dict[str, Any]) -> Contract:
    return parse_contract(json.dumps({"features": features, "targets": [OPEN]}))


def refusal(described: Contract, data: dict[str, Any]) -> str | None:
    """The refusal of ``data``, decoded as in a request; None if it passes."""
    try:
        ContractCheck(described)(codec.from_value({"data": data}))
    except BadRequest as error:
        return str(error)
    return None


def rows(*each: Any) -> dict[str, Any]:
    return {"ndarray": list(each)}


def tensor(shape: list[int], *values: Any) -> dict[str, Any]:
    return {"tensor": {"shape": shape, "values": list(values)}}


@pytest.mark.parametrize(
    ("features", "data"),
    [
        ([FLOAT, INT], rows([0, 1], [10, 7.0])),
        ([FLOAT, INT], tensor([1, 2], 0.5, 3)),
        ([FLOAT, INT], {**rows([1, 1]), "names": ["quite", "other"]}),
        ([FLOAT, INT], tensor([0, 2])),
        ([OPEN], rows([-1e308], [2**63])),
        ([OPEN], rows([2**70])),
        ([FLOAT, COLOUR], rows([0.5, "red"], [10, "blue"])),
        ([LEVEL], rows([1], [2.5])),
        ([LEVEL, COLOUR], rows([2.5, "red"])),
        ([LEVEL], rows(*[[1], [2.5]] * 100)),
        ([FLAG], rows([True], [False])),
        ([FLAG, COLOUR], rows([True, "red"])),
        ([{**FLOAT, "repeat": 2}, INT], rows([1, 2, 3])),
        ([{**FLOAT, "shape": [2]}, FLOAT], rows([1, 2, 3])),
        ([{**FLOAT, "shape": [2, 2]}], rows([[1, 2], [3, 4]])),
        ([{**COLOUR, "shape": [1, 2]}], rows([["red", "blue"]])),
    ],
)
def test_rows_of_the_contract_pass(features: list[dict[str, Any]], data: dict[str, Any]) -> None:
    """Rows that the contract describes reach the model, whatever their names."""
    assert refusal(contract(*features), data) is None


SIZE, ROOMS = (
    "size in row {}: expected a number from 0 to 10, got {}",
    "rooms in row {}: expected a whole number from 1",
)
TWO = "expected rows of 2 features (size, rooms), got "


@pytest.mark.parametrize(
    ("features", "data", "message"),
    [
        ([FLOAT, INT], rows([1, 1], [11, 1]), SIZE.format(1, 11) + " at $.data.ndarray[1][0]"),
        ([FLOAT, INT], tensor([2, 2], 1, 1, 1, 0), ROOMS.format(1) + ", got 0 at $.data.tensor.values[3]"),
        ([FLOAT, INT], rows([1, 1.5]), ROOMS.format(0) + ", got 1.5 at $.data.ndarray[0][1]"),
        ([FLOAT, INT], rows([1, 1], [None, 1]), SIZE.format(1, "null") + " at $.data.ndarray[1][0]"),
        ([FLOAT, INT], rows([1, "2"]), SIZE.format(0, '"1"') + " at $.data.ndarray[0][0]"),
        ([FLOAT, INT], rows([1, "two"]), ROOMS.format(0) + ', got "two" at $.data.ndarray[0][1]'),
        ([FLOAT, INT], rows([True, True]), SIZE.format(0, "true") + " at $.data.ndarray[0][0]"),
        ([FLOAT, INT], rows([{"a": 1}, 1]), SIZE.format(0, '{"a": 1}') + " at $.data.ndarray[0][0]"),
        ([FLOAT, INT], rows([1, 2, 3]), TWO + "3 in each at $.data.ndarray[0]"),
        ([FLOAT, INT], tensor([0, 3]), TWO + "3 in each at $.data.tensor.shape[1]"),
        ([FLOAT, INT], rows([], []), TWO + "0 in each at $.data.ndarray[0]"),
        ([FLOAT, INT], rows(1, 2), TWO + "an array of shape [2]; one row is a list in a list at $.data.ndarray"),
        ([FLOAT, INT], rows(), TWO + "no rows; an empty batch is a tensor of shape [0, 2] at $.data.ndarray"),
        ([FLOAT, INT], {}, TWO + "no rows; an empty batch is a tensor of shape [0, 2] at $.data.ndarray"),
        ([FLOAT, INT], {"ndarray": 5}, TWO + "an array of shape [] at $.data.ndarray"),
        ([FLOAT, INT], rows([[1, 2]]), TWO + "an array of shape [1, 1, 2] at $.data.ndarray"),
        ([COLOUR], rows(["green"]), 'colour in row 0: expected one of "red", "blue", got "green" at $.data.ndarray'),
        ([COLOUR], rows([3]), 'colour in row 0: expected one of "red", "blue", got 3 at $.data.ndarray[0][0]'),
        ([FLOAT, COLOUR], rows(["much", "red"]), SIZE.format(0, '"much"') + " at $.data.ndarray[0][0]"),
        ([INT, COLOUR], rows([1.5, "red"]), ROOMS.format(0) + ', got "1.5" at $.data.ndarray[0][0]'),
        ([LEVEL], rows([2]), "level in row 0: expected one of 1, 2.5, got 2 at $.data.ndarray[0][0]"),
        ([LEVEL], rows(*[[1]] * 99, [3]), "level in row 99: expected one of 1, 2.5, got 3 at $.data.ndarray[99][0]"),
        ([LEVEL], rows(["1"]), 'level in row 0: expected one of 1, 2.5, got "1" at $.data.ndarray[0][0]'),
        ([COLOUR], rows(["red"], [None]), 'colour in row 1: expected one of "red", "blue", got null'),
        ([{**FLOAT, "repeat": 2}], rows([1, 12]), "size2 in row 0: expected a number from 0 to 10, got 12"),
        ([{**FLOAT, "shape": [2]}], rows([1, 12]), "size[1] in row 0: expected a number from 0 to 10, got 12"),
        (
            [{**FLOAT, "shape": [1, 2]}],
            rows([[1, 12]]),
            "size[0] in row 0: expected a number from 0 to 10, got 12 at $.data.ndarray[0][0][1]",
        ),
        ([COLOUR], rows(["x" * 500]), 'got "xxxxxxxxxx'),
    ],
)
def test_other_rows_are_refused(features: list[dict[str, Any]], data: dict[str, Any], message: str) -> None:
    """A refusal names the feature, the row, what was expected, what came and where, in less than 300 characters."""
    text = refusal(contract(*features), data)
    assert text is not None
    assert message in text
    assert len(text) < 300


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("feature", [OPEN, {**OPEN, "dtype": "INT"}, LEVEL])
def test_numbers_that_are_not_finite_are_refused(feature: dict[str, Any], value: float) -> None:
    """NaN and infinities, which arrive over gRPC and in stock mode, are outside of an open range, without a warning."""
    with pytest.raises(BadRequest, match="in row 1"):
        ContractCheck(contract(feature))(Message(PayloadKind.TENSOR, np.array([[1.0], [value]])))


@pytest.mark.parametrize(("kind", "payload"), [(PayloadKind.STR, "x"), (PayloadKind.JSON, {}), (PayloadKind.BIN, b"x")])
def test_other_payloads_are_refused(kind: PayloadKind, payload: Any) -> None:
    """A contract describes arrays, so the refusal of text, JSON and bytes says what the model takes."""
    with pytest.raises(BadRequest, match=rf"takes rows of 1 feature \(size\) as data\.tensor .* at \$\.{kind.value}$"):
        ContractCheck(contract(FLOAT))(Message(kind, payload))


def test_a_contract_that_no_array_can_keep_is_a_setup_error() -> None:
    """Features whose inner shapes differ do not fit into one array."""
    with pytest.raises(SetupError, match="size and any differ in shape"):
        ContractCheck(contract({**FLOAT, "shape": [1, 2]}, OPEN))


# A second, independent implementation: slow, one value after the other, by its JSON type.


def fits(value: Any, feature: dict[str, Any], beside_text: bool) -> bool:
    if beside_text and isinstance(value, str):
        # numpy has turned every number into a text, so a text may stand for either.
        options = [value, *([float(value)] if numeric(value) else [])]
        return any(fits(each, feature, False) for each in options)
    if feature["ftype"] == "categorical":
        return any(value == each and isinstance(value, str) == isinstance(each, str) for each in feature["values"])
    if isinstance(value, bool | str) or value is None:
        return False
    low, high = feature.get("range", ["inf", "inf"])
    whole = feature["dtype"] == "FLOAT" or value == math.floor(value)
    return bool(whole and (low == "inf" or low <= value) and (high == "inf" or value <= high))


def numeric(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


NUMBERS = st.integers(-3, 12) | st.floats(-3, 12).map(lambda value: round(value, 1))
TEXTS = st.sampled_from(["red", "blue", "green", "1", "2.5", "", "much"])
COLUMNS: st.SearchStrategy[list[dict[str, Any]]] = st.lists(
    st.sampled_from([FLOAT, INT, OPEN, COLOUR, LEVEL]), min_size=1, max_size=4
)


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[list[Any]]]:
    features = draw(COLUMNS)
    right = [
        {
            "size": st.integers(0, 10),
            "rooms": st.integers(1, 9),
            "any": NUMBERS,
            "level": st.sampled_from([1, 2.5]),
        }.get(feature["name"], st.sampled_from(["red", "blue"]))
        for feature in features
    ]
    row = st.tuples(*right).map(list)
    table = draw(st.lists(row, min_size=1, max_size=90))
    if draw(st.booleans()):
        at, column = draw(st.integers(0, len(table) - 1)), draw(st.integers(0, len(features) - 1))
        table[at][column] = draw(NUMBERS | TEXTS | st.none())
    return features, table


@given(cases())
def test_a_check_agrees_with_one_value_by_value(case: tuple[list[dict[str, Any]], list[list[Any]]]) -> None:
    """The check of whole arrays has the verdict, and names the place, of a check of one value after the other."""
    features, table = case
    array = codec.from_value({"data": {"ndarray": table}}).payload
    beside_text = array.dtype.kind == "U" and any(feature is COLOUR for feature in features)
    values = array.tolist()
    bad = [
        (at, column)
        for at, row in enumerate(values)
        for column, value in enumerate(row)
        if not fits(value, features[column], beside_text)
    ]
    text = refusal(contract(*features), {"ndarray": table})
    assert (text is None) == (not bad)
    if text is not None:
        places = [f"at $.data.ndarray[{at}][{column}]" for at, column in bad]
        first = beside_text or array.dtype.kind != "U"
        assert text.endswith(tuple(places[:1] if first else places))
