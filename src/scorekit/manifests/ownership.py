"""Who owns which fields of an object (``metadata.managedFields``), and how the original ksonnet's become ours.

The API server keeps one entry for each writer of an object. An entry names the manager (a program), the operation
(``Apply`` for server-side apply, ``Update`` for everything else), the API version, and the fields as a set, in which
each step is a key of its own::

    metadata:                      f:metadata
      finalizers: [a/b]              f:finalizers
                                       v:"a/b"                 an item of a set, by its value
    spec:                          f:spec
      containers:                    f:containers
      - name: web                      k:{"name":"web"}        an item of a list, by its merge key
                                         .                     the item itself
        image: example/web:1             f:image               a field of the item
      places: [x]                    f:places
                                       i:0                     an item of a list, by its place

A field that leaves what a manager applies is removed from the object if no other entry has it. That is why the
original's entries cannot stay. It wrote by merge patch, so the server booked its fields under the name of its program
(``ks``) with the operation Update. Once we apply the same fields they have two owners, one of which never comes back,
and a field that is later taken out of the source would stay for ever. So the original's entries become ours before our
first apply, as kubectl does with the entries of its own client-side apply.
"""

import base64
import gzip
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from .documents import Object
from .fields import MISSING, FieldChange, by_key, without_bookkeeping

PRISTINE = "ksonnet.io/managed"
"""The annotation in which the original kept a copy of what it applied."""

# The manager of all fields that are older than the server's books (objects made before Kubernetes 1.18).
_UNKNOWN = "before-first-apply"
_MARK = ("f:metadata", "f:annotations", f"f:{PRISTINE}")

Entries = list[dict[str, Any]]
"""The entries of ``metadata.managedFields``."""
FieldSet = Mapping[str, Any]
"""``fieldsV1`` of an entry: steps such as ``f:spec``, each with the set below it."""


def taken_over(value: Object, manager: str, api_version: str) -> Entries | None:
    """``value``'s managedFields with the original's entries merged into ``manager``'s; None if nothing changes.

    The original's entries are those of operation Update that have ``manager``'s name, or that have the annotation which
    only the original writes (its binary may have had another name). The merged entry gets ``api_version``, because the
    server forgets entries of versions that it no longer serves. Fields of the merged entry are taken out of the entry
    ``before-first-apply``, which would own them for ever as well.
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


def abandoned(value: Object, source: Object, manager: str) -> list[tuple[str, FieldChange]]:
    """The fields that the original applied, the source no longer has and nobody owns: JSON pointer and change of each.

    The server does not know that the original owned a field if it kept no books yet (before Kubernetes 1.18) or if the
    version of the entry is no longer served. The original's own copy in the annotation still has the field. Pointers
    come in an order in which they can be removed one after the other: later items of a list before earlier ones, and
    the annotation itself last, so that a run that is killed in between finds the rest.
    """
    if PRISTINE not in (value.get("metadata", {}).get("annotations") or {}):
        return []
    others = [entry.get("fieldsV1") or {} for entry in _entries(value) if not _is_nobodys(entry, manager)]
    was = pristine(value)
    fields = list(_abandoned(without_bookkeeping(was), source, value, others, _FieldPlace())) if was else []
    annotation = value["metadata"]["annotations"][PRISTINE]
    mark = f"/metadata/annotations/{_escaped(PRISTINE)}"
    return [*fields[::-1], (mark, FieldChange(f".metadata.annotations.{PRISTINE}", annotation, MISSING))]


class _FieldPlace(NamedTuple):
    """A place in an object, as a JSON pointer (``/spec/list/2``) and as a path (``.spec.list[name="y"]``)."""

    pointer: str = ""
    path: str = ""

    def below(self, at: str | int, step: str) -> "_FieldPlace":
        return _FieldPlace(f"{self.pointer}/{_escaped(str(at))}", self.path + step)


def _is_nobodys(entry: Mapping[str, Any], manager: str) -> bool:
    return entry.get("manager") == _UNKNOWN or _is_ours(entry, manager)


def _abandoned(
    was: Any, source: Any, value: Any, others: Sequence[FieldSet], place: _FieldPlace
) -> Iterator[tuple[str, FieldChange]]:
    if isinstance(was, dict) and isinstance(source, dict) and isinstance(value, dict):
        steps = [(key, f".{key}", was[key], source.get(key, MISSING)) for key in was if key in value]
    else:
        before, after, now = by_key(was), by_key(source), by_key(value)
        if before is None or after is None or now is None:
            return  # the server replaces such a list as a whole, so it has nothing of the original's left
        places = {step: index for index, step in enumerate(now)}
        common = sorted((step for step in before if step in places), key=places.__getitem__)
        steps = [(places[step], step, before[step], after.get(step, MISSING)) for step in common]
    for at, step, old, new in steps:
        there, below = value[at], place.below(at, step)
        owners = [fields for each in others for fields in _below(each, at, there)]
        if new is not MISSING or (isinstance(at, str) and isinstance(old, dict) and old):
            # A mapping that left the source goes field by field, because others may have put fields into it since.
            rest = {} if new is MISSING else new
            yield from _abandoned(old, rest, there, owners, below)
        elif not owners:
            yield below.pointer, FieldChange(below.path, there, MISSING)


def _below(fields: FieldSet, at: str | int, there: Any) -> list[FieldSet]:
    """The part of ``fields`` below a field's name or an item's place; ``there`` is the value at that step."""
    if isinstance(at, str):
        return [fields[f"f:{at}"]] if f"f:{at}" in fields else []
    return [fields[key] for key in fields if key.startswith("k:") and _has(there, json.loads(key[2:]))]


def _escaped(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")


def is_applied(value: Object, manager: str) -> bool:
    """Whether ``manager`` or the original ksonnet owns any field of the object."""
    is_marked = PRISTINE in (value.get("metadata", {}).get("annotations") or {})
    return is_marked or any(_is_ours(entry, manager) or _is_original(entry, manager) for entry in _entries(value))


def owned(value: Object, manager: str) -> Object:
    """The object reduced to the fields of ``manager`` and of the original, and to its kind, name and namespace.

    This is what was applied, with the values that it has on the cluster now.
    """
    fields: FieldSet = {}
    for entry in _entries(value):
        if _is_ours(entry, manager) or _is_original(entry, manager):
            fields = union(fields, entry.get("fieldsV1") or {})
    own: Object = _picked(value, fields)
    metadata = {key: value["metadata"][key] for key in ("name", "namespace") if key in value["metadata"]}
    own["metadata"] = {**own.get("metadata", {}), **metadata}
    return {"apiVersion": value["apiVersion"], "kind": value["kind"], **own}


def pristine(value: Object) -> Object | None:
    """The object as the original applied it last: the gzipped copy in its annotation.

    None if the object has no such annotation, or a damaged one.
    """
    annotation: Any = (value.get("metadata", {}).get("annotations") or {}).get(PRISTINE)
    try:
        applied = json.loads(gzip.decompress(base64.b64decode(json.loads(annotation)["pristine"])))
    except (TypeError, ValueError, KeyError, OSError, EOFError, zlib.error):
        return None
    return applied if isinstance(applied, dict) else None


def union(first: FieldSet, second: FieldSet) -> dict[str, Any]:
    """The fields of both sets."""
    merged = dict(first)
    for key, child in second.items():
        merged[key] = union(merged[key], child) if key in merged else child
    return merged


def minus(first: FieldSet, second: FieldSet) -> dict[str, Any]:
    """The fields of ``first`` that are not in ``second``."""
    kept = {}
    for key, children in first.items():
        rest = minus(children, second[key]) if key in second else children
        if key not in second or rest.keys() - {"."}:  # "." alone is an item or a mapping with nothing left in it
            kept[key] = rest
    return kept


def _picked(value: Any, fields: FieldSet) -> Any:
    """The part of ``value`` that ``fields`` name; a step without any below it means all that is there."""
    steps = [key for key in fields if key != "."]
    if not steps:
        return value
    pairs = [(key, *_child(value, key)) for key in steps]
    if isinstance(value, list):
        chosen = [(child, fields[key]) for key, is_there, child in pairs if is_there]
        # The items keep the order that they have in the object.
        return [
            _picked(item, children) for item in value for child, children in chosen if child is item or child == item
        ]
    return {key[2:]: _picked(child, fields[key]) for key, is_there, child in pairs if is_there}


def _child(value: Any, key: str) -> tuple[bool, Any]:
    """Whether ``value`` has a child at a step of a field set (such as ``f:name`` or ``i:0``), and that child."""
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
    # A merge key can have a field that the server fills in (a port's protocol). An item of the source lacks it.
    if not isinstance(item, Mapping) or not wanted.keys() & item.keys():
        return False
    return all(item.get(key, value) == value for key, value in wanted.items())


def _entries(value: Object) -> Entries:
    entries: Entries = value.get("metadata", {}).get("managedFields") or []
    return entries


def _is_ours(entry: Mapping[str, Any], manager: str) -> bool:
    return entry.get("manager") == manager and entry.get("operation") == "Apply" and not entry.get("subresource")


def _is_original(entry: Mapping[str, Any], manager: str) -> bool:
    if entry.get("operation") != "Update" or entry.get("subresource") or entry.get("manager") == _UNKNOWN:
        return False
    fields: Any = entry.get("fieldsV1") or {}
    for step in _MARK:
        fields = fields.get(step) if isinstance(fields, Mapping) else None
    return entry.get("manager") == manager or fields is not None
