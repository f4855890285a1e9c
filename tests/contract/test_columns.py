"""contract.json, read as the stock testers read it."""

import json
from typing import Any

import pytest

from scorekit.contract import parse_contract
from scorekit.errors import SetupError


def contract(*features: dict[str, Any]) -> str:
    target = {"name": "y", "ftype": "continuous", "dtype": "FLOAT"}
    return json.dumps({"features": list(features), "targets": [target], "unknown": 1})


FLOAT = {"name": "x", "ftype": "continuous", "dtype": "FLOAT"}


@pytest.mark.parametrize(
    ("feature", "value"),
    [
        ({**FLOAT, "range": [1, 6.9]}, 3.95),
        ({**FLOAT, "range": ["inf", 5]}, 4),
        ({**FLOAT, "range": [5, "inf"]}, 6),
        ({**FLOAT, "range": [0, "inf"]}, 1),
        (FLOAT, 0),
        ({**FLOAT, "dtype": "INT", "range": [1, 4]}, 2),
        ({**FLOAT, "dtype": "INT", "range": [0.2, 1.2]}, 1),
        ({**FLOAT, "range": [0.0001, 0.0002]}, 0.00015000000000000001),
        ({**FLOAT, "range": [-1.7e308, 1.7e308]}, 0),
    ],
)
def test_a_sample_lies_in_its_range(feature: dict[str, Any], value: float) -> None:
    """The sample row is typical: the middle of a range, one step inside a half-open one."""
    sample = parse_contract(contract(feature)).sample()
    assert sample == {"data": {"names": ["x"], "tensor": {"shape": [1, 1], "values": [value]}}}


def test_repeats_are_numbered_as_the_stock_testers_number_them() -> None:
    """A feature that repeats three times has the names x1, x2 and x3."""
    sample = parse_contract(contract({**FLOAT, "repeat": 3})).sample()
    assert sample["data"]["names"] == ["x1", "x2", "x3"]
    assert sample["data"]["tensor"] == {"shape": [1, 3], "values": [0.0, 0.0, 0.0]}


def test_categories_make_an_ndarray() -> None:
    """A sample with a text is an ndarray, because a tensor cannot hold text."""
    sample = parse_contract(contract(FLOAT, {"name": "c", "ftype": "categorical", "values": ["red", "blue"]})).sample()
    assert sample == {"data": {"names": ["x", "c"], "ndarray": [[0.0, "red"]]}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "contract.json is not JSON"),
        ("[]", "contract.json, line 1: expected an object"),
        ('{"features":[]}', "contract.json, line 1: features must be a list of at least one column"),
        ("{}", "contract.json, line 1: features is missing; it must be a list of at least one column"),
        (contract({"ftype": "continuous"}), "features[0].name is missing; it must be a text"),
        (
            contract({"name": "x", "ftype": "kontinuous"}),
            'features[0].ftype is "kontinuous"; it must be continuous or categorical',
        ),
        (contract({"name": "x", "ftype": "continuous"}), "features[0].dtype is missing; it must be FLOAT or INT"),
        (contract({**FLOAT, "range": [2, 1]}), "features[0].range must be [low, high]"),
        (contract({**FLOAT, "range": [1]}), "features[0].range must be"),
        (contract({**FLOAT, "range": ["a", 1]}), "features[0].range must be"),
        (contract({**FLOAT, "repeat": 0}), "features[0].repeat is 0"),
        (contract({**FLOAT, "shape": [0]}), "features[0].shape must be"),
        (contract({"name": "c", "ftype": "categorical", "values": []}), "features[0].values must list"),
    ],
)
def test_an_error_names_file_and_place(text: str, message: str) -> None:
    """The error names the file and the column, and says what must stand there."""
    with pytest.raises(SetupError) as caught:
        parse_contract(text)
    assert message in str(caught.value)


def test_a_misspelt_key_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """A misspelt key is ignored, as by the stock testers, with a warning; other unknown keys get no warning."""
    parse_contract(contract({**FLOAT, "rnage": [0, 1], "description": "length", "unit": "cm"}))
    assert [record.getMessage() for record in caplog.records] == [
        "contract.key_passed_over column=x key=rnage: did you mean range?"
    ]
