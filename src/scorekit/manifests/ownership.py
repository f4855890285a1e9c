"""Who owns which fields of an object (``metadata.managedFields``), and how the original ksonnet's become ours.

The original wrote objects by merge patch; the API server books such fields under its program's name with the operation
Update. Server-side apply by us alone would leave them there, owned by somebody who never comes back: a field
removed from the source would stay for ever. So its entries are made ours first, as kubectl does with its own old ones.
"""

import base64
import gzip
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .documents import Object
from .fields import MISSING, Change, by_key, without_bookkeeping

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
    the entry becomes ``api_version``: the one it has may no longer be served, and the server forgets those. What the
    server booked under nobody's name is no longer booked there as far as it is ``manager``'s.
    """
    entries = _entries(value)
    theirs = [entry for entry in entries if _is_original(entry, manager)]
    ours = next((entry for entry in entries if _is_ours(entry, manager)), None)
    if not theirs and ours is None:
        return None
    fields: FieldSet = (ours or {}).get("fieldsV1") or {}
    for entry in theirs:
        fields = union(fields, entry.get("fieldsV1") or {})
    kept = []
    for entry in entries:
        if entry.get("manager") == _UNKNOWN:
            rest = minus(entry.get("fieldsV1") or {}, fields)
            kept += [{**entry, "fieldsV1": rest}] if rest else []
        elif entry not in theirs and entry is not ours:
            kept.append(entry)
    if not theirs and kept == [entry for entry in entries if entry is not ours]:
        return None
    own = {"manager": manager, "operation": "Apply", "apiVersion": api_version, "fieldsV1": dict(fields)}
    return [{**(ours or theirs[0]), **own}, *kept]


def abandoned(value: Object, source: Object, manager: str) -> list[tuple[str, Change]]:
    """What the original applied, the source no longer has and nobody owns: each as a JSON pointer and a change.

    The server has forgotten that the original owns it where it kept no books yet (before Kubernetes 1.18) or where the
    version it was booked in is gone; the original's own annotation still tells. The annotation itself is the last.
    Pointers stand in an order in which they can be removed one after the other.
    """
    if PRISTINE not in (value.get("metadata", {}).get("annotations") or {}):
        return []
    others = [entry.get("fieldsV1") or {} for entry in _entries(value) if not _is_nobodys(entry, manager)]
    was = pristine(value)
    found = list(_abandoned(without_bookkeeping(was), source, value, others, "", "")) if was else []
    annotation = value["metadata"]["annotations"][PRISTINE]
    mark = f"/metadata/annotations/{_escaped(PRISTINE)}"
    return [*found[::-1], (mark, Change(f".metadata.annotations.{PRISTINE}", annotation, MISSING))]


def _is_nobodys(entry: Mapping[str, Any], manager: str) -> bool:
    return entry.get("manager") == _UNKNOWN or _is_ours(entry, manager)


def _abandoned(
    was: Any, source: Any, value: Any, others: Sequence[FieldSet], pointer: str, path: str
) -> Iterator[tuple[str, Change]]:
    if isinstance(was, dict) and isinstance(source, dict) and isinstance(value, dict):
        steps = [(key, f".{key}", was[key], source.get(key, MISSING)) for key in was if key in value]
    else:
        before, after, now = by_key(was), by_key(source), by_key(value)
        if before is None or after is None or now is None:
            return  # applied as a whole: what is in it now is what the source has
        places = {step: index for index, step in enumerate(now)}
        common = sorted((step for step in before if step in places), key=places.__getitem__)
        steps = [(places[step], step, before[step], after.get(step, MISSING)) for step in common]
    for at, step, old, new in steps:
        there = value[at]
        below = [found for each in others for found in _below(each, at, there)]
        if new is not MISSING or (isinstance(at, str) and isinstance(old, dict) and old):
            # A mapping goes field by field: by now there may be others' in it.
            rest = {} if new is MISSING else new
            yield from _abandoned(old, rest, there, below, f"{pointer}/{_escaped(str(at))}", path + step)
        elif not below:
            yield f"{pointer}/{_escaped(str(at))}", Change(path + step, there, MISSING)


def _below(fields: FieldSet, at: str | int, there: Any) -> list[FieldSet]:
    """The set one step further: at a field's name, or at an item of a list."""
    if isinstance(at, str):
        return [fields[f"f:{at}"]] if f"f:{at}" in fields else []
    return [fields[key] for key in fields if key.startswith("k:") and _has(there, json.loads(key[2:]))]


def _escaped(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")


def is_applied(value: Object, manager: str) -> bool:
    """Whether ``manager``, or the original ksonnet, made this object or some of its fields."""
    is_marked = PRISTINE in (value.get("metadata", {}).get("annotations") or {})
    return is_marked or any(_is_ours(entry, manager) or _is_original(entry, manager) for entry in _entries(value))


def owned(value: Object, manager: str) -> Object:
    """What of ``value`` is ``manager``'s or the original's, with its kind and name: what was applied, as it is now."""
    fields: FieldSet = {}
    for entry in _entries(value):
        if _is_ours(entry, manager) or _is_original(entry, manager):
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


def minus(first: FieldSet, second: FieldSet) -> dict[str, Any]:
    """The fields of ``first`` that are not in ``second``."""
    found = {}
    for key, children in first.items():
        rest = minus(children, second[key]) if key in second else children
        if key not in second or rest.keys() - {"."}:  # "." is the thing that holds the rest
            found[key] = rest
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
    if not isinstance(item, Mapping) or not wanted.keys() & item.keys():
        return False
    return all(item.get(key, value) == value for key, value in wanted.items())


def _entries(value: Object) -> Entries:
    found: Entries = value.get("metadata", {}).get("managedFields") or []
    return found


def _is_ours(entry: Mapping[str, Any], manager: str) -> bool:
    return entry.get("manager") == manager and entry.get("operation") == "Apply" and not entry.get("subresource")


def _is_original(entry: Mapping[str, Any], manager: str) -> bool:
    if entry.get("operation") != "Update" or entry.get("subresource") or entry.get("manager") == _UNKNOWN:
        return False
    fields: Any = entry.get("fieldsV1") or {}
    for step in _MARK:
        fields = fields.get(step) if isinstance(fields, Mapping) else None
    return entry.get("manager") == manager or fields is not None
