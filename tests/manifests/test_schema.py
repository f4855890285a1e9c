"""Objects are checked against OpenAPI v3 schemas."""

from typing import Any

import pytest

from scorekit.manifests.schema import defined_schema, faults, find_schema

ANY = "x-kubernetes-preserve-unknown-fields"
INT_OR_STRING = {"x-kubernetes-int-or-string": True}
SCHEMAS: dict[str, Any] = {
    "Spec": {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string", "minLength": 2, "pattern": "^[a-z]+$"},
            "count": {"type": "integer", "minimum": 1, "maximum": 5, "default": 1},
            "share": {"type": "number", "exclusiveMinimum": True, "minimum": 0},
            "mode": {"type": "string", "enum": ["a", "b"]},
            "on": {"type": "boolean"},
            "port": INT_OR_STRING,
            "old": {"type": "string", "format": "int-or-string"},
            "quantity": {"oneOf": [{"type": "string"}, {"type": "number"}]},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
            "open": {
                "type": "object",
                "x-kubernetes-preserve-unknown-fields": True,
                "properties": {"n": INT_OR_STRING},
            },
            "any": {"type": "object"},
            "list": {"type": "array", "maxItems": 2, "items": {"$ref": "#/components/schemas/Item"}},
            "nested": {"allOf": [{"$ref": "#/components/schemas/Item"}], "default": {}},
            "embedded": {"type": "object", "x-kubernetes-embedded-resource": True, "properties": {"spec": {}}},
        },
    },
    "Item": {"type": "object", "properties": {"value": {"type": "string"}}},
}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"name": "ab", "count": 2, "share": 0.5, "mode": "a", "on": True, "quantity": 1, "port": "http"}, []),
        ({"name": "ab", "count": None, "mode": None}, []),
        ({"name": "ab", "count": 2.0, "labels": {"a": "b"}, "open": {"x": 1}, "any": {"y": 2}, "old": 3}, []),
        ({"name": "ab", "embedded": {"apiVersion": "v1", "kind": "K", "metadata": {"a": 1}, "spec": 1}}, []),
        ({}, [".name: this field is required"]),
        ({"name": None}, [".name: this field is required"]),
        ({"name": "a"}, [".name: the length 1 is not allowed"]),
        ({"name": "AB"}, [".name: must match ^[a-z]+$"]),
        ({"name": 3}, [".name: expected a string, got the number 3"]),
        ({"name": "ab", "count": 2.5}, [".count: expected a whole number, got the number 2.5"]),
        ({"name": "ab", "count": True}, [".count: expected a whole number, got true"]),
        ({"name": "ab", "count": 9}, [".count: 9 is more than 5"]),
        ({"name": "ab", "share": 0}, [".share: 0 is less than 0"]),
        ({"name": "ab", "mode": "c"}, [".mode: expected one of a, b, got c"]),
        ({"name": "ab", "port": 1.5}, [".port: expected a whole number or a string, got the number 1.5"]),
        ({"name": "ab", "quantity": []}, [".quantity: expected a string or a number, got an array"]),
        ({"name": "ab", "labels": {"a": 1}}, [".labels.a: expected a string, got the number 1"]),
        ({"name": "ab", "open": {"n": {}}}, [".open.n: expected a whole number or a string, got an object"]),
        ({"name": "ab", "list": {}}, [".list: expected an array, got an object"]),
        ({"name": "ab", "list": [{"value": 1}]}, [".list[0].value: expected a string, got the number 1"]),
        ({"name": "ab", "list": [{}, {}, {}]}, [".list: 3 items are not allowed"]),
        ({"name": "ab", "nested": {"valu": "x"}}, [".nested.valu: no such field; did you mean value?"]),
        ({"name": "ab", "nothing_like_it": 1}, [".nothing_like_it: no such field"]),
        ([], [".: expected an object, got an array"]),
    ],
)
def test_every_error_names_its_field(value: Any, expected: list[str]) -> None:
    """Types, limits, unknown and missing fields are checked through references; null counts as absent."""
    assert list(faults(value, {"$ref": "#/components/schemas/Spec"}, SCHEMAS)) == expected


def test_an_expression_that_only_go_knows_is_left_to_the_server() -> None:
    """A pattern that Python cannot compile refuses nothing."""
    assert list(faults("x", {"type": "string", "pattern": r"\p{Greek}"}, {})) == []


def test_schemas_are_found_by_kind() -> None:
    """A schema is found by group, version and kind in a server's document, and by version in a definition."""
    named = {"x-kubernetes-group-version-kind": [{"group": "apps", "version": "v1", "kind": "D"}], "type": "object"}
    document = {"components": {"schemas": {"x": {}, "d": named}}}
    assert find_schema(document, "apps/v1", "D") is named
    assert find_schema(document, "v1", "D") is None
    own = {"type": "object", "properties": {"spec": {"type": "object"}}}
    definition = {"spec": {"versions": [{"name": "v1", "schema": {"openAPIV3Schema": own}}, {"name": "v2"}]}}
    first, second = defined_schema(definition, "v1"), defined_schema(definition, "v2")
    assert first is not None
    assert second is not None
    whole = {"apiVersion": "g/v1", "kind": "K", "metadata": {"name": "n"}, "spec": {}}
    assert list(faults(whole, first, {})) == []
    assert list(faults(whole | {"more": 1}, first, {})) == [".more: no such field"]
    assert list(faults(whole | {"more": 1}, second, {})) == []
    assert defined_schema(definition, "v3") is None
