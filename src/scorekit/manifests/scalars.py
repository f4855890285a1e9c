"""What a plain YAML scalar means: the rules of the go-yaml that ksonnet 0.13 was built with (YAML 1.1, roughly).

They differ from PyYAML's in both directions (``1:30`` is text, ``08`` is a number, dates are text), so reading and
printing share this one table instead.
"""

import math
import re

Scalar = str | int | float | bool | None

INT64 = range(-(2**63), 2**63)
_UINT64_END = 2**64

_TRUE = {"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"}
_FALSE = {"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"}
# ksonnet read these four as booleans too (ksonnet-rules.md#repair-yaml-letters). They are text here.
_LETTERS = {"y", "Y", "n", "N"}
_NULL = {"", "~", "null", "Null", "NULL"}
_SPECIAL = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")

_INT = re.compile(r"([-+]?)(?:(0[xX][0-9a-fA-F]+)|(0b[01]+)|(0[0-7]+)|(0|[1-9][0-9]*))")
_FLOAT = re.compile(r"[-+]?[0-9]*\.?[0-9]+(?:[eE][-+][0-9]+)?|\.[0-9]+[eE][0-9]+")
# What today's readers of YAML (kubectl's go-yaml, YAML 1.2) also take for a number, and base 60 of YAML 1.1: never read
# as one, always quoted. An image tag such as 1234e5 must survive `ks show | kubectl apply -f -`.
_NUMBER_TO_OTHERS = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|0o[0-7]+|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?"
)


def meaning(text: str) -> Scalar:
    """The value of a plain (unquoted) scalar. Integers beyond 64 bits are floats, as in Go."""
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    if text in _NULL:
        return None
    if _SPECIAL.fullmatch(text):
        return math.nan if text[1:2] in "nN" else -math.inf if text[0] == "-" else math.inf
    plain = text.replace("_", "") if text[0] in "+-0123456789" else text
    if (match := _INT.fullmatch(plain)) is not None:
        sign, hexadecimal, binary, octal, decimal = match.groups()
        number = int(
            hexadecimal or binary or octal or decimal, 16 if hexadecimal else 2 if binary else 8 if octal else 10
        )
        number = -number if sign == "-" else number
        if -(2**63) <= number < _UINT64_END:
            return number
    if _FLOAT.fullmatch(plain):
        return float(plain)
    return text


def needs_quotes(text: str) -> bool:
    """Whether some reader would take the plain ``text`` for something other than text (ksonnet-rules.md#printing)."""
    return (
        text in _LETTERS
        or text == "<<"
        or not isinstance(meaning(text), str)
        or bool(_NUMBER_TO_OTHERS.fullmatch(text))
    )
