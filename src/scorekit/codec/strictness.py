"""Refuses JSON documents that parsers take but that mean trouble: keys that occur twice, and deep nesting."""

import json
from collections import Counter
from collections.abc import Iterable
from itertools import chain
from typing import Any

from ..errors import BadRequest
from ..settings.limits import MAX_JSON_DEPTH

_MORE_OBJECTS = ("meta", "jsonData")
_TOO_DEEP = f"nested deeper than {MAX_JSON_DEPTH} levels"


def refuse_doubled(value: dict[str, Any], text: bytes | str, path: str = "") -> None:
    """Raise ``BadRequest`` if an object in ``text``, whose value is ``value``, has a key twice.

    Some parsers take the first of two and some the last, so a gateway that checks requests may see another value than
    the model does. Parsing again to find out would double the cost, so colons are counted first: each key has one, and
    if the text has as many colons as there are keys in the objects where keys usually are, no other object has any, and
    no key occurs twice. Only a text with more colons (in a string, in a nested object, or of a second key) is parsed
    again, by Python's own parser, which reports every pair.
    """
    colons = text.count(b":") if type(text) is bytes else text.count(":")  # type: ignore[arg-type]  # else it is a str
    keys = len(value)
    data = value.get("data")
    if type(data) is dict:
        keys += len(data)
        tensor = data.get("tensor")
        if type(tensor) is dict:
            keys += len(tensor)
    if colons == keys or colons == keys + sum(len(value[key]) for key in _MORE_OBJECTS if type(value.get(key)) is dict):
        return
    try:
        json.loads(text, object_pairs_hook=lambda pairs: _unique(pairs, path), parse_int=len, parse_float=len)
    except RecursionError:
        raise BadRequest(_TOO_DEEP, path) from None


def refuse_deep(value: Any, path: str) -> None:
    """Raise ``BadRequest`` if ``value`` has more than :data:`MAX_JSON_DEPTH` levels.

    There is no recursion, because how deep the value nests is the caller's choice.
    """
    level = [value]
    for _ in range(MAX_JSON_DEPTH):
        level = [each for each in chain.from_iterable(map(_members, level)) if type(each) is list or type(each) is dict]
        if not level:
            return
    raise BadRequest(_TOO_DEEP, path)


def _members(value: Any) -> Iterable[Any]:
    if type(value) is dict:
        return value.values()
    return value if type(value) is list else ()


def _unique(pairs: list[tuple[str, Any]], path: str) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        counts = Counter(name for name, _ in pairs)  # names.count() for each name would be quadratic
        twice = next(name for name, count in counts.items() if count > 1)
        raise BadRequest(f"the key {ascii(twice[:40])[1:-1]!r} occurs twice", path)
    return members
