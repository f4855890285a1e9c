"""The value of a parameter as a command line gives it (ksonnet-rules.md#parameter-edits)."""

import json
import re
from typing import Any

from ...errors import SetupError

_INTEGER = re.compile(r"[+-]?[1-9][0-9]*|0")
_FRACTION = re.compile(r"[+-]?(?:0|[1-9][0-9]*)\.[0-9]+")
# Every number of jsonnet is a 64-bit float. Beyond 2^53 not every integer is one, and digits would be lost silently.
_MAX_INTEGER = 2**53


def parse_value(text: str, as_string: bool = False) -> Any:
    """The value of ``text``: a number (``-1``, ``1.5``), a boolean, JSON that begins with ``[`` or ``{``, or else text.

    ``as_string`` gives the text itself. Raises ``SetupError`` for an empty text, for JSON that is malformed, and for an
    integer that is not exact as a float.
    """
    if as_string:
        return text
    if not text:
        raise SetupError("value is invalid: value was blank")
    if _INTEGER.fullmatch(text):
        if abs(int(text)) > _MAX_INTEGER:
            raise SetupError(f"value is invalid: {text} loses digits as a number; --as-string keeps it as text")
        return int(text)
    if _FRACTION.fullmatch(text):
        return float(text)
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if text[0] in "[{":
        return _collection(text)
    return text


def _collection(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse)
    except ValueError as error:
        kind = "array" if text[0] == "[" else "map"
        raise SetupError(f"value is invalid: {kind} value is badly formatted: {text}") from error


def _refuse(constant: str) -> None:
    """Python's decoder accepts NaN and Infinity, which are not JSON."""
    raise ValueError(constant)
