"""An OpenAPI description (swagger 2.0) of Kubernetes, reduced to what the library needs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ...errors import RenderError
from .names import parse_name

Shape = Literal["item", "array", "object", "reference"]

_BLOCKED_FIELDS = ("status", "apiVersion", "kind")
_BLOCKED_REFERENCES = ("io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta", "io.k8s.apimachinery.pkg.apis.meta.v1.Status")
# This definition contains itself; a mixin of it would never end.
_RECURSIVE = re.compile(r".*\.apiextensions\.\w+\.JSONSchemaProps")
# The body of every PATCH. ksonnet-gen gave it the kind of some object that can be patched, another one at each run.
_PATCH = "io.k8s.apimachinery.pkg.apis.meta.v1.Patch"
_GVK = "x-kubernetes-group-version-kind"
_REFERENCE = "#/definitions/"


@dataclass(frozen=True, slots=True)
class DefinitionField:
    """A property that can be set. ``ref`` is the definition of its value, or of its items."""

    name: str
    shape: Shape
    ref: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Definition:
    """A kind of object, or a part of one. ``served`` is its group, version and kind, if it can be sent to a server."""

    identifier: str
    fields: tuple[DefinitionField, ...]
    description: str = ""
    served: tuple[str, str, str] | None = None


@dataclass(frozen=True, slots=True)
class ApiDescription:
    """Kubernetes' own definitions by name. ``version`` has no ``v``."""

    version: str
    definitions: Mapping[str, Definition]


def describe(swagger: Mapping[str, Any]) -> ApiDescription:
    """The definitions of a swagger file.

    Raises ``RenderError`` if it is not a description of Kubernetes, or does not name a version.
    """
    definitions, paths = swagger.get("definitions"), swagger.get("paths")
    if not isinstance(definitions, dict) or not isinstance(paths, dict):
        raise RenderError("it has no definitions or no paths: this is not an OpenAPI 2.0 description of Kubernetes")
    served = _served(paths)
    reduced = {
        name: Definition(name, _fields(schema, definitions), schema.get("description", ""), served.get(name))
        for name, schema in sorted(definitions.items())
        # Since 1.7 `io.k8s.kubernetes.pkg.api…` are other names for what `io.k8s.api` has.
        if not name.startswith("io.k8s.kubernetes.pkg.api") and parse_name(name) is not None and name != _PATCH
    }
    return ApiDescription(_version(swagger), reduced)


def _version(swagger: Mapping[str, Any]) -> str:
    text = str((swagger.get("info") or {}).get("version") or "")
    if (match := re.fullmatch(r"v?(\d+\.\d+\.\d+(?:[-+].*)?)", text)) is None:
        raise RenderError(
            f'info.version is "{text}", which is not a version of Kubernetes: write the version that the file '
            "describes there, such as v1.31.0; a file from a server's /openapi/v2 has it"
        )
    return match[1]


def _served(paths: Mapping[str, Any]) -> dict[str, tuple[str, str, str]]:
    """Group, version and kind of everything that can be sent to a server, by the name of its definition."""
    served: dict[str, tuple[str, str, str]] = {}
    for _, path in sorted(paths.items()):
        for verb in ("post", "patch", "put"):
            operation = path.get(verb) or {}
            kind = operation.get(_GVK)
            for parameter in operation.get("parameters") or []:
                if parameter.get("name") == "body" and kind:
                    served[_ref(parameter.get("schema") or {})] = (kind["group"], kind["version"], kind["kind"])
    return served


def _fields(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> tuple[DefinitionField, ...]:
    required = schema.get("required") or ()
    properties = sorted((schema.get("properties") or {}).items())
    return tuple(
        _field(name, value, definitions) for name, value in properties if name in required or not _skipped(name, value)
    )


def _skipped(name: str, schema: Mapping[str, Any]) -> bool:
    is_read_only = "read-only" in schema.get("description", "").lower() and name != "readOnly"
    return name in _BLOCKED_FIELDS or is_read_only or _ref(schema) in _BLOCKED_REFERENCES


def _field(name: str, schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> DefinitionField:
    ref, description = _ref(schema), schema.get("description", "")
    target = definitions.get(ref, {})
    if ref and (_RECURSIVE.fullmatch(ref) or not target or parse_name(ref) is None):
        return DefinitionField(name, "object", ref if target else "", description)
    items = _ref(schema.get("items") or {})
    if "type" in schema:
        return DefinitionField(name, _shape(schema["type"]), items, description)
    if target.get("format"):
        return DefinitionField(name, _shape(target.get("type")), items, description)
    return (
        DefinitionField(name, "reference", ref, description) if ref else DefinitionField(name, "item", "", description)
    )


def _shape(kind: Any) -> Shape:
    return kind if kind in ("array", "object") else "item"


def _ref(schema: Mapping[str, Any]) -> str:
    return str(schema.get("$ref", "")).removeprefix(_REFERENCE)
