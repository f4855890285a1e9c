"""Objects as text, byte for byte as ksonnet 0.13.1 printed them (ksonnet-rules.md#printing): go-yaml's block style, or
Go's indented JSON.

The exact bytes matter because apps have these texts in review and in version control: a diff must show what changed in
the app, not that another program printed it. PyYAML's emitter (libyaml, of which go-yaml is a translation) does the
layout: indentation, folding at 80 columns, block scalars. Four things differ between PyYAML and go-yaml and are decided
here instead:

* which texts need quotes: ``_node`` asks :mod:`.scalars`, the table that reading uses;
* the order of keys: ``_compare``, go-yaml's natural order, in which ``a2`` comes before ``a10``;
* numbers: Go's ``%g`` in YAML and ``encoding/json``'s format in JSON, which change to exponents at different sizes;
* the end of a document whose last text keeps its line breaks: libyaml writes ``...`` there.

The one deliberate difference: ksonnet printed fractions with 32 bits; here every digit is kept (docs/design/0003).
"""

import functools
import json
import math
from collections.abc import Iterable
from typing import Any

import yaml

from .documents import Object
from .scalars import needs_quotes

_TEXT = "tag:yaml.org,2002:str"
_MAP = "tag:yaml.org,2002:map"
_SEQ = "tag:yaml.org,2002:seq"


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]  # not every wheel of PyYAML has libyaml
    """Emits nodes as they are. No scalar resolves to another type, so none is quoted unless ``_node`` says so."""

    def resolve(self, kind: type[yaml.Node], value: str | None, implicit: Any) -> str:
        return _TEXT if kind is yaml.ScalarNode else _MAP if kind is yaml.MappingNode else _SEQ


def as_yaml(objects: Iterable[Object]) -> str:
    """Each object after a ``---`` line: keys in go-yaml's natural order, lists not indented, folded at 80 columns."""
    texts = []
    for value in objects:
        text: str = yaml.serialize(_node(value), Dumper=_Dumper, width=80, allow_unicode=True, indent=2)
        # libyaml ends a document with `...` if its last text keeps trailing line breaks; go-yaml does not.
        texts.append("---\n" + (text[:-4] if text.endswith("\n...\n") else text))
    return "".join(texts)


def in_order(value: Object) -> str:
    """One mapping in the style of :func:`as_yaml`, without ``---`` and with its keys in the order that they have."""
    text: str = yaml.serialize(_node(value, is_sorted=False), Dumper=_Dumper, width=80, allow_unicode=True, indent=2)
    return text


def as_json(objects: Iterable[Object]) -> str:
    """One v1 ``List`` of the objects: keys sorted, indented by two spaces, ``<``, ``>`` and ``&`` escaped as in Go."""
    return _json({"apiVersion": "v1", "items": list(objects), "kind": "List"}, "\n") + "\n"


def compact_json(value: Any) -> str:
    """One value on one line as Go's ``encoding/json`` writes it: keys sorted, no spaces, Go's escapes."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{_json(key, '')}:{compact_json(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(compact_json, value)) + "]"
    return _json(value, "")


def _node(value: Any, is_sorted: bool = True) -> yaml.Node:
    if isinstance(value, dict):
        keys = sorted(value, key=functools.cmp_to_key(_compare)) if is_sorted else value
        pairs = [(_node(key), _node(value[key], is_sorted)) for key in keys]
        return yaml.MappingNode(_MAP, pairs, flow_style=False)
    if isinstance(value, list):
        return yaml.SequenceNode(_SEQ, [_node(child, is_sorted) for child in value], flow_style=False)
    if isinstance(value, str):
        # libyaml breaks lines at these three characters; other YAML readers take them for ordinary ones.
        quoted = needs_quotes(value) or any(mark in value for mark in "\x85\u2028\u2029")
        return yaml.ScalarNode(_TEXT, value, style='"' if quoted else "|" if "\n" in value else None)
    return yaml.ScalarNode(_TEXT, "null" if value is None else _yaml_number(value))


def _yaml_number(value: float) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    # ksonnet printed JSON and read that as YAML before it printed YAML: whole numbers of up to 64 bits were integers
    # then.
    if value.is_integer() and abs(value) < 2**64:
        return _json_number(value)
    # Go's %g writes an exponent below 1e-4 and from 1e6 on. ksonnet formatted 32 bits and so lost digits of most
    # fractions. Here all digits are printed, so that the text reads back as the same number.
    digits, exponent = _shortest(value)
    if -5 < exponent < 6:
        return _positional(value, digits, exponent)
    mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    return f"{'-' if value < 0 else ''}{mantissa}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"


def _json_number(value: float) -> str:
    digits, exponent = _shortest(value)
    if -7 < exponent < 21:  # encoding/json writes an exponent below 1e-6 and from 1e21 on
        return _positional(value, digits, exponent)
    mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    return f"{'-' if value < 0 else ''}{mantissa}e{'-' if exponent < 0 else '+'}{abs(exponent)}"


def _shortest(value: float) -> tuple[str, int]:
    """The fewest digits that read back as ``value``, and the power of ten of the first of them."""
    mantissa, _, exponent = f"{value!r}".lstrip("-").partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    power = int(exponent or 0) + len(whole) - 1 - (len(whole + fraction) - len(digits) if digits else 0)
    return digits.rstrip("0") or "0", power if digits else 0


def _positional(value: float, digits: str, exponent: int) -> str:
    sign = "-" if math.copysign(1, value) < 0 else ""
    if exponent < 0:
        return f"{sign}0.{'0' * (-exponent - 1)}{digits}"
    whole = digits[: exponent + 1].ljust(exponent + 1, "0")
    fraction = digits[exponent + 1 :]
    return f"{sign}{whole}{'.' + fraction if fraction else ''}"


def _json(value: Any, newline: str) -> str:
    inner = newline + "  "
    if isinstance(value, dict) and value:
        fields = (f"{_json(key, inner)}: {_json(value[key], inner)}" for key in sorted(value))
        return "{" + inner + ("," + inner).join(fields) + newline + "}"
    if isinstance(value, list) and value:
        return "[" + inner + ("," + inner).join(_json(child, inner) for child in value) + newline + "]"
    if isinstance(value, float):
        return _json_number(value)
    text = json.dumps(value, ensure_ascii=False)
    if isinstance(value, str):
        for character in "<>&\u2028\u2029":
            text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _compare(left: str, right: str) -> int:
    """Compare keys as go-yaml does: numbers inside them by value, letters after all other characters.

    Returns a negative number if ``left`` sorts first, a positive one if ``right`` does, and 0 for equal keys.
    """
    for at, (one, other) in enumerate(zip(left, right, strict=False)):
        if one == other:
            continue
        if one.isalpha() or other.isalpha():
            if one.isalpha() and other.isalpha():
                return -1 if one < other else 1
            return -1 if other.isalpha() else 1
        first, second = _digits(left, at), _digits(right, at)
        if int(first or 0) != int(second or 0):
            return -1 if int(first or 0) < int(second or 0) else 1
        if len(first) != len(second):
            return -1 if len(first) < len(second) else 1
        return -1 if one < other else 1
    return len(left) - len(right)


def _digits(text: str, start: int) -> str:
    end = start
    while end < len(text) and text[end] in "0123456789":
        end += 1
    return text[start:end]
