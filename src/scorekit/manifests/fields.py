"""Fields of objects: what differs between two, and where (``.spec.containers[name="web"].image``)."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from .documents import Object


class Missing(Enum):
    """What stands where a field is not; ``None`` is a value of its own."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING

# By one of these Kubernetes tells the items of a list apart: the first that all of them have, each another.
_KEYS = ("name", "key", "mountPath", "devicePath", "containerPort", "port", "type", "ip", "uid", "topologyKey")
# What the server writes and nobody applies.
_BOOKKEEPING = ("managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink")
_HIDDEN = "(hidden)"
# Where ksonnet and kubectl keep what they applied, the values of a Secret among it.
_COPIES = ("ksonnet.io/managed", "kubectl.kubernetes.io/last-applied-configuration")
_ANNOTATIONS = ".metadata.annotations"


@dataclass(frozen=True, slots=True)
class Change:
    """A field that is ``old`` on one side and ``new`` on the other."""

    path: str
    old: Any
    new: Any


def changes(old: Object, new: Object) -> list[Change]:
    """The fields in which two objects differ, the deepest that say it; status and the server's bookkeeping aside."""
    return list(_changes(without_bookkeeping(old), without_bookkeeping(new), ""))


def without_bookkeeping(value: Object) -> Object:
    """``value`` without its status and what the server writes into its metadata."""
    metadata = {key: child for key, child in value.get("metadata", {}).items() if key not in _BOOKKEEPING}
    return {key: child for key, child in value.items() if key != "status"} | {"metadata": metadata}


def hidden(found: Sequence[Change], kind: str) -> list[Change]:
    """``found``, with the values of a Secret replaced by a word."""
    if kind != "Secret":
        return list(found)
    return [Change(each.path, _veiled(each.path, each.old), _veiled(each.path, each.new)) for each in found]


def shown(value: Any) -> str:
    """A field's value on one line."""
    return "nothing" if value is MISSING else json.dumps(value, ensure_ascii=False, sort_keys=True)


def value_at(value: Any, path: str) -> Any:
    """The field at a path as the API server writes it in a conflict; ``MISSING`` if there is none.

    There names stand unquoted whatever is in them: ``.metadata.annotations.example.com/a`` is one annotation.
    """
    if not path:
        return value
    if path.startswith("["):
        return _item_at(value, path)
    if isinstance(value, Mapping):
        for key in sorted(value, key=len, reverse=True):
            rest = path.removeprefix(f".{key}")
            if rest != path and (not rest or rest[0] in ".["):
                found = value_at(value[key], rest)
                if found is not MISSING:
                    return found
    return MISSING


def by_key(items: Any) -> Mapping[str, Any] | None:
    """The items of a list by what tells them apart, written as in a path; None where nothing does."""
    if not isinstance(items, list) or not items or not all(isinstance(item, dict) for item in items):
        return None
    for key in _KEYS:
        found = {f"[{key}={json.dumps(item[key])}]": item for item in items if key in item}
        if len(found) == len(items):
            return found
    return None


def _changes(old: Any, new: Any, path: str) -> Iterator[Change]:
    sides = _sides(old, new)
    if sides is None:
        if not _same(old, new):
            yield Change(path or ".", old, new)
        return
    before, after = sides
    for step in dict.fromkeys([*before, *after]):
        yield from _changes(before.get(step, MISSING), after.get(step, MISSING), path + step)


def _same(old: Any, new: Any) -> bool:
    """Equality of JSON values: Python takes 1 and true for equal, and 1 and 1.0, which is right."""
    if isinstance(old, dict) and isinstance(new, dict):
        return old.keys() == new.keys() and all(_same(old[key], new[key]) for key in old)
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(_same, old, new))
    return bool(old == new) and isinstance(old, bool) == isinstance(new, bool)


def _sides(old: Any, new: Any) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
    """Both as mappings from a step of a path to what is there; None where they are compared as a whole."""
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


def _key_name(found: Mapping[str, Any]) -> str:
    return next(iter(found)).partition("=")[0]


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
    """``[containerPort=80,protocol="TCP"]`` at the start of a path, and how long it is."""
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


def _veiled(path: str, value: Any) -> Any:
    """What is shown of the value of a Secret's field."""
    if value is MISSING:
        return value
    if path == _ANNOTATIONS and isinstance(value, dict):
        return {key: _HIDDEN if key in _COPIES else child for key, child in value.items()}
    if path.startswith((".data", ".stringData", *(f"{_ANNOTATIONS}.{each}" for each in _COPIES))):
        return dict.fromkeys(value, _HIDDEN) if isinstance(value, dict) else _HIDDEN
    return value
