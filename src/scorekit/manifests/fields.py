"""The fields in which two objects differ, and the paths that name them: ``.spec.containers[name="web"].image``.

Lists of mappings are compared item by item, and items are matched by a key as Kubernetes matches them (its "map lists",
whose keys are part of a path in every conflict that the API server reports)::

    containers[name="web"]      the item whose name is web, wherever in the list it is
    ports[containerPort=80,protocol="TCP"]      two fields together are the key (paths of the server only)
    finalizers[="a/b"]          the item that is this value (lists that are sets)
    args[0]                     the item at this place (lists without keys)

The schema that names each list's key is the server's and not at hand here. ``_KEYS`` stands in for it: the first of
those fields that all items have, each with another value, is taken for the key.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from .documents import Object


class Missing(Enum):
    """The type of :data:`MISSING`, which stands for a field that is absent; ``None`` is a value of its own (null)."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING

# The fields that Kubernetes uses as keys of list items, the most common first.
_KEYS = ("name", "key", "mountPath", "devicePath", "containerPort", "port", "type", "ip", "uid", "topologyKey")
# Metadata that the server writes itself.
_BOOKKEEPING = ("managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink")
_HIDDEN = "(hidden)"
# The annotations in which ksonnet and kubectl keep a copy of what they applied, with the values of a Secret.
_COPIES = ("ksonnet.io/managed", "kubectl.kubernetes.io/last-applied-configuration")
_ANNOTATIONS = ".metadata.annotations"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field that is ``old`` in one object and ``new`` in another; :data:`MISSING` where an object lacks it."""

    path: str
    old: Any
    new: Any


def changes(old: Object, new: Object) -> list[FieldChange]:
    """The fields in which two objects differ, as deep as they differ.

    ``status`` and the metadata that the server writes itself are left out.
    """
    return list(_changes(without_bookkeeping(old), without_bookkeeping(new), ""))


def without_bookkeeping(value: Object) -> Object:
    """``value`` without its ``status`` and without the metadata that the server writes itself."""
    metadata = {key: child for key, child in value.get("metadata", {}).items() if key not in _BOOKKEEPING}
    return {key: child for key, child in value.items() if key != "status"} | {"metadata": metadata}


def redacted(changed: Sequence[FieldChange], kind: str) -> list[FieldChange]:
    """``changed`` with the values of a Secret replaced by ``(hidden)``; other kinds are returned as they are."""
    if kind != "Secret":
        return list(changed)
    return [FieldChange(each.path, _redacted(each.path, each.old), _redacted(each.path, each.new)) for each in changed]


def one_line(value: Any) -> str:
    """A field's value as JSON on one line, or ``nothing`` for :data:`MISSING`."""
    return "nothing" if value is MISSING else json.dumps(value, ensure_ascii=False, sort_keys=True)


def value_at(value: Any, path: str) -> Any:
    """The field at a path as the API server writes it in a conflict; :data:`MISSING` if there is none.

    The server does not quote names, whatever characters they have: ``.metadata.annotations.example.com/a`` names one
    annotation. So the longest key that fits is tried first at each step.
    """
    if not path:
        return value
    if path.startswith("["):
        return _item_at(value, path)
    if isinstance(value, Mapping):
        for key in sorted(value, key=len, reverse=True):
            rest = path.removeprefix(f".{key}")
            if rest != path and (not rest or rest[0] in ".["):
                child = value_at(value[key], rest)
                if child is not MISSING:
                    return child
    return MISSING


def by_key(items: Any) -> Mapping[str, Any] | None:
    """The items of a list by their key, written as in a path (``[name="web"]``); None if no field can be the key."""
    if not isinstance(items, list) or not items or not all(isinstance(item, dict) for item in items):
        return None
    for key in _KEYS:
        keyed = {f"[{key}={json.dumps(item[key])}]": item for item in items if key in item}
        if len(keyed) == len(items):
            return keyed
    return None


def _changes(old: Any, new: Any, path: str) -> Iterator[FieldChange]:
    sides = _sides(old, new)
    if sides is None:
        if not _same(old, new):
            yield FieldChange(path or ".", old, new)
        return
    before, after = sides
    for step in dict.fromkeys([*before, *after]):
        yield from _changes(before.get(step, MISSING), after.get(step, MISSING), path + step)


def _same(old: Any, new: Any) -> bool:
    """Whether two JSON values are equal. To Python 1 equals 1.0, which is right, and true, which is wrong in JSON."""
    if isinstance(old, dict) and isinstance(new, dict):
        return old.keys() == new.keys() and all(_same(old[key], new[key]) for key in old)
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(_same, old, new))
    return bool(old == new) and isinstance(old, bool) == isinstance(new, bool)


def _sides(old: Any, new: Any) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
    """Both values as mappings from a step of a path to the child there; None if they are compared as a whole."""
    if isinstance(old, dict) and isinstance(new, dict):
        before, after = ({f".{key}": child for key, child in each.items()} for each in (old, new))
        return before, after
    if isinstance(old, list) and isinstance(new, list):
        first, second = by_key(old), by_key(new)
        if first is not None and second is not None and _key_name(first) == _key_name(second):
            return first, second
        if all(isinstance(item, dict) for item in (*old, *new)):
            first, second = ({f"[{number}]": item for number, item in enumerate(each)} for each in (old, new))
            return first, second
    return None


def _key_name(keyed: Mapping[str, Any]) -> str:
    return next(iter(keyed)).partition("=")[0]


def _item_at(value: Any, path: str) -> Any:
    if not isinstance(value, list):
        return MISSING
    for index, item in enumerate(value):
        for step in (f"[{index}]", f"[={json.dumps(item)}]"):
            if path.startswith(step):
                return value_at(item, path.removeprefix(step))
    wanted, length = _selector(path)
    for item in value:
        if isinstance(item, dict) and wanted and all(item.get(key, MISSING) == each for key, each in wanted.items()):
            return value_at(item, path[length:])
    return MISSING


def _selector(path: str) -> tuple[Object, int]:
    """The fields of ``[containerPort=80,protocol="TCP"]`` at the start of a path, and the length of that text.

    The length is 0 if the path does not begin with a selector.
    """
    wanted: Object = {}
    decoder, at = json.JSONDecoder(), 1
    while True:
        equals = path.find("=", at)
        if equals < 0:
            return {}, 0
        try:
            value, end = decoder.raw_decode(path, equals + 1)
        except ValueError:
            return {}, 0
        wanted[path[at:equals]] = value
        if path[end : end + 1] != ",":
            return (wanted, end + 1) if path[end : end + 1] == "]" else ({}, 0)
        at = end + 1


def _redacted(path: str, value: Any) -> Any:
    """A field of a Secret with everything secret in it replaced."""
    if value is MISSING:
        return value
    if path == _ANNOTATIONS and isinstance(value, dict):
        return {key: _HIDDEN if key in _COPIES else child for key, child in value.items()}
    if path.startswith((".data", ".stringData", *(f"{_ANNOTATIONS}.{each}" for each in _COPIES))):
        return dict.fromkeys(value, _HIDDEN) if isinstance(value, dict) else _HIDDEN
    return value
