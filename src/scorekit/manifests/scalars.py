"""The value of a plain YAML scalar, by the rules of the go-yaml that ksonnet 0.13 was built with (roughly YAML 1.1).

PyYAML's rules differ in both directions: for go-yaml ``1:30`` is text, ``08`` is a number and dates are text. Reading
(:mod:`.documents`) and printing (:mod:`.printing`) therefore share this one table: a scalar is printed without quotes
only if it is read back as the same text.
"""

import math
import re

Scalar = str | int | float | bool | None

_UINT64_END = 2**64

_TRUE = {"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"}
_FALSE = {"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"}
# ksonnet read these four as booleans as well, so that `name: y` became `name: true`
# (ksonnet-rules.md#repair-yaml-letters). Here they are text.
_LETTERS = {"y", "Y", "n", "N"}
_NULL = {"", "~", "null", "Null", "NULL"}
_SPECIAL = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")

_INT = re.compile(r"([-+]?)(?:(0[xX][0-9a-fA-F]+)|(0b[01]+)|(0[0-7]+)|(0|[1-9][0-9]*))")
_FLOAT = re.compile(r"[-+]?[0-9]*\.?[0-9]+(?:[eE][-+][0-9]+)?|\.[0-9]+[eE][0-9]+")
# Text that is no number for `meaning`, but is one for other readers: kubectl's go-yaml, YAML 1.2, and YAML 1.1 in base
# 60. Such text is always quoted: an image tag such as 1234e5 must survive `ks show | kubectl apply -f -`.
_NUMBER_TO_OTHERS = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|0o[0-7]+|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?"
)


def meaning(text: str) -> Scalar:
    """The value of a plain (unquoted) scalar. Integers that need more than 64 bits are floats, as in Go."""
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
    """Whether some YAML reader would take ``text``, printed without quotes, for something else.

    Source: ksonnet-rules.md#printing.
    """
    return (
        text in _LETTERS
        or text == "<<"
        or not isinstance(meaning(text), str)
        or bool(_NUMBER_TO_OTHERS.fullmatch(text))
    )
