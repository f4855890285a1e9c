"""The OpenAPI document of a model."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from scorekit.contract import parse_contract
from scorekit.contract.openapi import document

FEATURES = [
    {"name": "size", "ftype": "continuous", "dtype": "FLOAT", "range": [0, 10]},
    {"name": "rooms", "ftype": "continuous", "dtype": "INT", "range": [1, "inf"], "repeat": 2},
    {"name": "colour", "ftype": "categorical", "values": ["red", "blue"]},
]
TARGETS = [{"name": "price", "ftype": "continuous", "dtype": "FLOAT", "range": [0, "inf"]}]
WIDE = [{"name": "image", "ftype": "continuous", "dtype": "FLOAT", "shape": [4, 3], "repeat": 2}]
CONTRACT = parse_contract(json.dumps({"features": FEATURES, "targets": TARGETS}))

GET, POST, BOTH = frozenset({"get"}), frozenset({"post"}), frozenset({"get", "post"})
# Protocol §1.1: each path with the methods that answer.
PATHS = {
    **dict.fromkeys(("/predict", "/send-feedback", "/transform-input"), BOTH),
    **dict.fromkeys(("/transform-output", "/route", "/aggregate"), BOTH),
    **dict.fromkeys((f"/api/v{v}/{what}" for v in ("0.1", "1.0") for what in ("predictions", "feedback")), POST),
    **dict.fromkeys(("/health/ping", "/health/status", "/api/v1.0/health/status"), GET),
    **dict.fromkeys(("/metadata", "/api/v1.0/metadata", "/seldon.json"), GET),
}


def walk(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from walk(each)


@pytest.mark.parametrize(
    "contract", [None, CONTRACT, parse_contract(json.dumps({"features": WIDE, "targets": TARGETS}))]
)
def test_a_document_is_openapi(contract: Any) -> None:
    """The document keeps rules of the specification: references resolve, ids are unique, arrays have items."""
    found = document("Price", contract)
    assert found == json.loads(json.dumps(found))
    assert (found["openapi"], found["info"]["title"]) == ("3.0.0", "Price")
    assert {path: set(methods) for path, methods in found["paths"].items()} == PATHS
    operations = [operation for methods in found["paths"].values() for operation in methods.values()]
    identities = [operation["operationId"] for operation in operations]
    assert len(set(identities)) == len(identities)
    for operation in operations:
        assert operation["responses"]["200"]["description"]
        assert all(re.fullmatch("[1-5][0-9][0-9]", status) for status in operation["responses"])
    for each in walk(found):
        if isinstance(reference := each.get("$ref"), str):
            target: Any = found
            for part in reference.removeprefix("#/").split("/"):
                target = target[part]
        if each.get("type") == "array":
            assert "items" in each
        if "in" in each and "name" in each:
            assert ("schema" in each) != ("content" in each)


def test_a_document_describes_the_contract() -> None:
    """It has the name, type, range and categories of each feature, and the length of a row."""
    schemas = document("Price", CONTRACT)["components"]["schemas"]
    assert schemas["Features"]["properties"] == {
        "size": {"type": "number", "minimum": 0, "maximum": 10},
        "rooms1": {"type": "integer", "minimum": 1},
        "rooms2": {"type": "integer", "minimum": 1},
        "colour": {"type": "string", "enum": ["red", "blue"]},
    }
    assert schemas["Targets"]["properties"] == {"price": {"type": "number", "minimum": 0}}
    row = schemas["Request"]["properties"]["data"]["properties"]["ndarray"]["items"]
    assert (row["minItems"], row["maxItems"]) == (4, 4)
    assert row["items"]["anyOf"] == [
        {"type": "number", "minimum": 0, "maximum": 10},
        {"type": "integer", "minimum": 1},
        {"type": "string", "enum": ["red", "blue"]},
    ]
    assert schemas["Request"]["example"] == CONTRACT.sample()


def test_inner_shapes_nest() -> None:
    """A feature of shape [4, 3] twice is a row of eight lists of three."""
    found = document("Wide", parse_contract(json.dumps({"features": WIDE, "targets": TARGETS})))
    row = found["components"]["schemas"]["Request"]["properties"]["data"]["properties"]["ndarray"]["items"]
    assert (row["minItems"], row["items"]["minItems"], row["items"]["items"]) == (8, 3, {"type": "number"})
