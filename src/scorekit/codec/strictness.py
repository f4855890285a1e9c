"""What is wrong with the shape of a JSON document, though every parser takes it: keys that come twice, depth."""

import json
from collections.abc import Iterable
from itertools import chain
from typing import Any

from ..errors import BadRequest
from ..settings.limits import MAX_JSON_DEPTH

# A table needs four levels, and what answers are written by ends at 254.

_OTHERS = ("meta", "jsonData")
_TOO_DEEP = f"nested deeper than {MAX_JSON_DEPTH} levels"


def refuse_doubled(value: dict[str, Any], text: bytes | str, path: str = "") -> None:
    """Raise ``BadRequest`` if an object in ``text``, whose value is ``value``, has a key twice.

    Of two, parsers take the one or the other, and who checks a request may not see what the model is asked. Every key
    has a colon: as many colons as keys where keys usually are, and there is no other key, and none twice.
    """
    colons = text.count(b":") if type(text) is bytes else text.count(":")  # type: ignore[arg-type]  # else it is a str
    keys = len(value)
    data = value.get("data")
    if type(data) is dict:
        keys += len(data)
        tensor = data.get("tensor")
        if type(tensor) is dict:
            keys += len(tensor)
    if colons == keys or colons == keys + sum(len(value[key]) for key in _OTHERS if type(value.get(key)) is dict):
        return
    try:
        json.loads(text, object_pairs_hook=lambda pairs: _once(pairs, path), parse_int=len, parse_float=len)
    except RecursionError:
        raise BadRequest(_TOO_DEEP, path) from None


def refuse_deep(value: Any, path: str) -> None:
    """Raise ``BadRequest`` if ``value`` has more than :data:`MAX_JSON_DEPTH` levels. No recursion."""
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


def _once(pairs: list[tuple[str, Any]], path: str) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise BadRequest(f"the key {ascii(twice[:40])[1:-1]!r} comes twice", path)
    return found
