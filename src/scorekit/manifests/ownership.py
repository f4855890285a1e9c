"""Who owns which fields of an object (``metadata.managedFields``), and how the original ksonnet's become ours.

The original wrote objects by merge patch; the API server books such fields under its program's name with the operation
Update. Server-side apply by us alone would leave them there, owned by somebody who never comes back: a field
removed from the source would stay for ever. So its entries are turned into ours first, as kubectl does with its old ones.
"""

import base64
import gzip
import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from .documents import Object

PRISTINE = "ksonnet.io/managed"
"""The annotation in which the original kept what it applied."""

# What the server books everything under that was there before it kept books (Kubernetes before 1.18).
_UNKNOWN = "before-first-apply"
_MARK = ("f:metadata", "f:annotations", f"f:{PRISTINE}")

Entries = list[dict[str, Any]]
FieldSet = Mapping[str, Any]


def taken_over(value: Object, manager: str, api_version: str) -> Entries | None:
    """``value``'s managedFields with the original's entries as ``manager``'s own of operation Apply; None: no change.

    The original's are those of operation Update by that name or with the annotation that only it writes. The version of
    the entry becomes ``api_version``: the one it has may no longer be served, and the server forgets those.
    """
    entries = _entries(value)
    theirs = [entry for entry in entries if _is_original(entry, manager)]
    if not theirs:
        return None
    ours = next((entry for entry in entries if _is_ours(entry, manager)), None)
    fields: dict[str, Any] = dict(ours.get("fieldsV1") or {}) if ours else {}
    for entry in theirs:
        found = entry.get("fieldsV1") or {}
        if entry.get("manager") == _UNKNOWN:  # much of it is others' or the server's: only what was applied is ours
            found = within(found, pristine(value) or {})
        fields = union(fields, found)
    merged = {
        **(ours or theirs[0]),
        "manager": manager,
        "operation": "Apply",
        "apiVersion": api_version,
        "fieldsV1": fields,
    }
    return [merged, *(entry for entry in entries if entry not in theirs and entry is not ours)]


def is_applied(value: Object, manager: str) -> bool:
    """Whether ``manager``, or the original ksonnet, made this object or some of its fields."""
    return any(_is_ours(entry, manager) or _is_original(entry, manager) for entry in _entries(value))


def owned(value: Object, manager: str) -> Object:
    """What of ``value`` is ``manager``'s or the original's, with its kind and name: what was applied, as it is now."""
    fields: FieldSet = {}
    for entry in _entries(value):
        if _is_ours(entry, manager) or (_is_original(entry, manager) and entry.get("manager") != _UNKNOWN):
            fields = union(fields, entry.get("fieldsV1") or {})
    found: Object = _picked(value, fields)
    metadata = {key: value["metadata"][key] for key in ("name", "namespace") if key in value["metadata"]}
    found["metadata"] = {**found.get("metadata", {}), **metadata}
    return {"apiVersion": value["apiVersion"], "kind": value["kind"], **found}


def pristine(value: Object) -> Object | None:
    """What the original applied last, as it kept it with the object; None where it did not, or it is damaged."""
    annotation: Any = (value.get("metadata", {}).get("annotations") or {}).get(PRISTINE)
    try:
        found = json.loads(gzip.decompress(base64.b64decode(json.loads(annotation)["pristine"])))
    except (TypeError, ValueError, KeyError, OSError, EOFError, zlib.error):
        return None
    return found if isinstance(found, dict) else None


def union(first: FieldSet, second: FieldSet) -> dict[str, Any]:
    """The fields of both sets."""
    merged = dict(first)
    for key, child in second.items():
        merged[key] = union(merged[key], child) if key in merged else child
    return merged


def within(fields: FieldSet, value: Any) -> dict[str, Any]:
    """Those of ``fields`` that ``value`` has."""
    found = {}
    for key, children in fields.items():
        if key == ".":
            found[key] = children
            continue
        is_there, child = _child(value, key)
        if is_there:
            found[key] = within(children, child)
    return found


def _picked(value: Any, fields: FieldSet) -> Any:
    """The part of ``value`` that ``fields`` speak of; a field without any below it stands for all of it."""
    steps = [key for key in fields if key != "."]
    if not steps:
        return value
    pairs = [(key, *_child(value, key)) for key in steps]
    if isinstance(value, list):
        chosen = [(child, fields[key]) for key, is_there, child in pairs if is_there]
        # In the object's own order.
        return [
            _picked(item, children) for item in value for child, children in chosen if child is item or child == item
        ]
    return {key[2:]: _picked(child, fields[key]) for key, is_there, child in pairs if is_there}


def _child(value: Any, key: str) -> tuple[bool, Any]:
    """Whether a step of a field set leads somewhere, and where: ``f:name``, ``k:{"name":"a"}``, ``v:"x"``, ``i:0``."""
    sort, _, rest = key.partition(":")
    if sort == "f":
        return (True, value[rest]) if isinstance(value, Mapping) and rest in value else (False, None)
    if not isinstance(value, Sequence) or isinstance(value, str):
        return False, None
    if sort == "i":
        index = int(rest)
        return (True, value[index]) if index < len(value) else (False, None)
    wanted = json.loads(rest)
    for item in value:
        if item == wanted if sort == "v" else _has(item, wanted):
            return True, item
    return False, None


def _has(item: Any, wanted: Any) -> bool:
    # A key may be one that the server fills in (a port's protocol): what the item does not say may be it.
    return isinstance(item, Mapping) and all(item.get(key, value) == value for key, value in wanted.items())


def _entries(value: Object) -> Entries:
    found: Entries = value.get("metadata", {}).get("managedFields") or []
    return found


def _is_ours(entry: Mapping[str, Any], manager: str) -> bool:
    return entry.get("manager") == manager and entry.get("operation") == "Apply" and not entry.get("subresource")


def _is_original(entry: Mapping[str, Any], manager: str) -> bool:
    if entry.get("operation") != "Update" or entry.get("subresource"):
        return False
    fields: Any = entry.get("fieldsV1") or {}
    for step in _MARK:
        fields = fields.get(step) if isinstance(fields, Mapping) else None
    return entry.get("manager") == manager or fields is not None
