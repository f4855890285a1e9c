"""Literals of jsonnet: the source of a JSON value, and the value of a string in source."""

import json
import re
from typing import Any

from .tokens import KEYWORDS

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# What a string literal of jsonnet may contain and one of JSON may not.
_NOT_JSON = re.compile(r'\\.|["\n\r\t]', re.DOTALL)
_AS_JSON = {"\\'": "'", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_NOT_SINGLE = {"'": "\\'", '\\"': '"'}


def field_name(name: str, quote: str = '"') -> str:
    """The name of a field, in quotes unless it is an identifier."""
    return name if _NAME.fullmatch(name) and name not in KEYWORDS else quoted(name, quote)


def quoted(text: str, quote: str = '"') -> str:
    """A string literal in these quotes, or in the other ones if that saves escapes."""
    if quote in text and ("'" if quote == '"' else '"') not in text:
        quote = "'" if quote == '"' else '"'
    body = json.dumps(text, ensure_ascii=False)[1:-1]
    if quote == "'":
        body = re.sub(r"\\.|'", lambda match: _NOT_SINGLE.get(match[0], match[0]), body)
    return f"{quote}{body}{quote}"


def source(value: Any, quote: str = '"', newline: str | None = None, unit: str = "  ") -> str:
    """The source of a value.

    ``newline`` is the line end and the indentation of the line where the value stands; the fields of objects then have
    lines of their own, indented by ``unit``. If it is None, all of it is on one line.
    """
    if isinstance(value, dict):
        if not value:
            return "{}"
        inner = None if newline is None else newline + unit
        fields = [f"{field_name(key, quote)}: {source(child, quote, inner, unit)}" for key, child in value.items()]
        if newline is None:
            return "{ " + ", ".join(fields) + " }"
        return "{" + "".join(f"{inner}{field}," for field in fields) + newline + "}"
    if isinstance(value, list):
        return "[" + ", ".join(source(child, quote, newline, unit) for child in value) + "]"
    if isinstance(value, str):
        return quoted(value, quote)
    return json.dumps(value)


def string_value(literal: str) -> str:
    """The value of a string literal. A text block is returned as it is: nobody uses one as a key."""
    if literal.startswith("|||"):
        return literal
    if literal.startswith("@"):
        quote = literal[1]
        return literal[2:-1].replace(quote * 2, quote)
    body = _NOT_JSON.sub(lambda match: _AS_JSON.get(match[0], match[0]), literal[1:-1])
    try:
        return str(json.loads(f'"{body}"'))
    except ValueError:
        return literal
