"""Checks objects against OpenAPI v3 schemas: those that an API server publishes, or a CustomResourceDefinition's own.

Only what Kubernetes uses of OpenAPI is understood, and its extensions (``x-kubernetes-…``) are. Whatever is not
understood is accepted: the server has the last word when the object is applied.
"""

import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .documents import Object

Schema = Mapping[str, Any]

_REF = "#/components/schemas/"
_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int, float),
    "number": (int, float),
}
_ANY = "x-kubernetes-preserve-unknown-fields"
_INT_OR_STRING = "x-kubernetes-int-or-string"
# A CustomResourceDefinition's schema leaves out these fields, which every object has.
_EVERY_OBJECT: Mapping[str, Schema] = {
    "apiVersion": {"type": "string"},
    "kind": {"type": "string"},
    "metadata": {"type": "object", _ANY: True},
}


def find_schema(document: Object, api_version: str, kind: str) -> Schema | None:
    """The schema of a kind in one of the server's documents (``/openapi/v3/apis/apps/v1``); None if it has none."""
    group, _, version = api_version.rpartition("/")
    wanted = {"group": group, "version": version, "kind": kind}
    for schema in (document.get("components") or {}).get("schemas", {}).values():
        if wanted in (schema.get("x-kubernetes-group-version-kind") or ()):
            match: Schema = schema
            return match
    return None


def defined_schema(definition: Object, version: str) -> Schema | None:
    """The schema that a CustomResourceDefinition (v1) has for a version; None if it does not define that version."""
    for each in (definition.get("spec") or {}).get("versions") or ():
        if each.get("name") == version:
            own = (each.get("schema") or {}).get("openAPIV3Schema") or {_ANY: True}
            return {**own, "properties": {**(own.get("properties") or {}), **_EVERY_OBJECT}}
    return None


def faults(value: Any, schema: Schema, schemas: Mapping[str, Schema], path: str = "") -> Iterator[str]:
    """The errors of ``value``, each as ``path: sentence``.

    ``schemas`` are those that ``$ref`` may name, by name. A field that is null counts as absent, as for the API server.
    """
    schema = _resolved(schema, schemas)
    here = path or "."
    if schema.get(_INT_OR_STRING) or schema.get("format") == "int-or-string":
        if isinstance(value, bool) or not isinstance(value, int | str):
            yield f"{here}: expected a whole number or a string, got {_article(value)}"
        return
    if "oneOf" in schema and "type" not in schema:
        if not any(not list(faults(value, each, schemas, path)) for each in schema["oneOf"]):
            types = " or ".join(_named(each.get("type", "?")) for each in schema["oneOf"])
            yield f"{here}: expected {types}, got {_article(value)}"
        return
    kind: str = schema.get("type") or ""
    if kind in _TYPES and not _is(value, kind):
        yield f"{here}: expected {_named(kind)}, got {_article(value)}"
        return
    yield from (f"{here}: {sentence}" for sentence in _limits(value, schema))
    if isinstance(value, dict):
        yield from _object(value, schema, schemas, path)
    elif isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            yield from faults(item, schema["items"], schemas, f"{path}[{index}]")


def _object(value: Object, schema: Schema, schemas: Mapping[str, Schema], path: str) -> Iterator[str]:
    properties: Mapping[str, Schema] = schema.get("properties") or {}
    if schema.get("x-kubernetes-embedded-resource"):
        properties = {**_EVERY_OBJECT, **properties}
    more = schema.get("additionalProperties")
    is_open = bool(schema.get(_ANY)) or more is True or (not properties and more is None)
    for key in schema.get("required") or ():
        if value.get(key) is None:
            yield f"{path}.{key}: this field is required"
    for key, child in value.items():
        if child is None:
            continue
        below = f"{path}.{key}"
        if key in properties:
            yield from faults(child, properties[key], schemas, below)
        elif isinstance(more, dict):
            yield from faults(child, more, schemas, below)
        elif not is_open:
            near = difflib.get_close_matches(key, properties, 1)
            yield f"{below}: no such field" + (f"; did you mean {near[0]}?" if near else "")


def _limits(value: Any, schema: Schema) -> Iterator[str]:
    if "enum" in schema and value not in schema["enum"]:
        yield f"expected one of {', '.join(map(str, schema['enum']))}, got {value}"
    if isinstance(value, str):
        if len(value) < schema.get("minLength", 0) or len(value) > schema.get("maxLength", len(value)):
            yield f"the length {len(value)} is not allowed"
        if "pattern" in schema and not _matches(schema["pattern"], value):
            yield f"must match {schema['pattern']}"
    if isinstance(value, int | float) and not isinstance(value, bool):
        low, high = schema.get("minimum"), schema.get("maximum")
        if low is not None and (value < low or (schema.get("exclusiveMinimum") and value == low)):
            yield f"{value} is less than {low}"
        if high is not None and (value > high or (schema.get("exclusiveMaximum") and value == high)):
            yield f"{value} is more than {high}"
    if isinstance(value, list) and not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
        yield f"{len(value)} items are not allowed"


def _resolved(schema: Schema, schemas: Mapping[str, Schema]) -> Schema:
    """The schema that ``schema`` refers to, or itself.

    The server wraps a reference that has a default: ``{"allOf": [{"$ref": …}], "default": …}``.
    """
    while True:
        if "$ref" in schema:
            schema = schemas.get(str(schema["$ref"]).removeprefix(_REF), {})
            continue
        parts: Sequence[Schema] = schema.get("allOf") or ()
        if len(parts) != 1 or "$ref" not in parts[0] or "type" in schema:
            return schema
        schema = parts[0]


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool) and kind != "boolean":
        return False
    whole = kind != "integer" or not isinstance(value, float) or value.is_integer()
    return isinstance(value, _TYPES[kind]) and whole


def _matches(pattern: str, value: str) -> bool:
    try:
        return re.search(pattern, value) is not None
    except re.error:  # valid in Go but not in Python: left to the server
        return True


def _named(kind: str) -> str:
    return {"integer": "a whole number", "object": "an object", "array": "an array"}.get(kind, f"a {kind}")


def _article(value: Any) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "an array"
    text = json.dumps(value, ensure_ascii=False)
    word = (
        "" if value is None or isinstance(value, bool) else "the string " if isinstance(value, str) else "the number "
    )
    return word + (text if len(text) < 60 else f"{text[:57]}…")
