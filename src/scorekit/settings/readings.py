"""How the text of each setting becomes its value. All raise ``SetupError`` that names the flag or variable."""

import json
import logging
from collections.abc import Callable
from typing import Any

from ..errors import SetupError

log = logging.getLogger(__name__)

Reading = Callable[[str, str], Any]
"""Turns a setting's text into its value; the second argument names the flag or variable for the error."""

UNSET = "NOT_IMPLEMENTED"
"""What the stock wrapper answers for an identity nobody told it."""


def text(text: str, source: str) -> str:
    return text


def one_of(*choices: str) -> Reading:
    def parse(text: str, source: str) -> str:
        if text not in choices:
            raise SetupError(f"{source} is {text!r}; it must be one of {', '.join(choices)}")
        return text

    return parse


def whole(low: int, high: int) -> Reading:
    def parse(text: str, source: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = low - 1
        if not low <= number <= high:
            raise SetupError(f"{source} is {text!r}; it must be a whole number from {low} to {high}")
        return number

    return parse


_TRUE = frozenset({"y", "yes", "t", "true", "on", "1"})
_FALSE = frozenset({"n", "no", "f", "false", "off", "0"})


def _boolean(text: str) -> bool:
    lowered = text.lower()
    if lowered not in _TRUE | _FALSE:
        raise ValueError(text)
    return lowered in _TRUE


_PARAMETER_TYPES: dict[str, Callable[[str], Any]] = {
    "INT": int,
    "FLOAT": float,
    "DOUBLE": float,
    "STRING": str,
    "BOOL": _boolean,
}


def parameters(text: str, source: str) -> dict[str, Any]:
    """Typed parameters from ``[{"name": …, "value": "…", "type": "INT"}]``; the messages are the stock wrapper's."""
    try:
        entries = json.loads(text)
        triples = [(entry["name"], entry["value"], entry["type"]) for entry in entries]
        if not all(isinstance(part, str) for triple in triples for part in triple):
            raise TypeError("name, value and type are strings")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise SetupError(
            f'{source} must be a JSON list of {{"name", "value", "type"}} objects of strings; got {text[:200]!r}'
        ) from error
    parameters: dict[str, Any] = {}
    for name, value, kind in triples:
        convert = _PARAMETER_TYPES.get(kind)
        if convert is None:
            raise SetupError(f"Bad model parameter type: {kind} valid are INT, FLOAT, DOUBLE, STRING, BOOL")
        try:
            parameters[name] = convert(value)
        except (ValueError, OverflowError) as error:
            raise SetupError(f"Bad model parameter: {name} with value {value} can't be parsed as a {kind}") from error
    return parameters


def truth(text: str, source: str) -> bool:
    return text.lower() in ("1", "true", "t")  # the stock wrapper's reading: anything else is false


def not_false(text: str, source: str) -> bool:
    return text.lower() != "false"


def path(text: str, source: str) -> str:
    if not text.startswith("/") or not text.isprintable() or not text.isascii():
        raise SetupError(f"{source} is {text!r}; it must be a path such as /metrics")
    return text


def version_label(text: str, source: str) -> str:
    """The label ``version`` of a predictor; labels that are no JSON object tell none, as for the stock wrapper."""
    try:
        labels = json.loads(text)
    except ValueError:
        labels = None
    return str(labels.get("version", UNSET)) if isinstance(labels, dict) else UNSET


def metadata(text: str, source: str) -> dict[str, Any]:
    """YAML, of which JSON is a part. What is no object is passed over with a warning, as the stock wrapper does."""
    try:
        value = json.loads(text)
    except ValueError:
        value = _yaml(text, source)
    if isinstance(value, dict):
        return value
    log.warning("settings.ignored variable=%s: it is no object in JSON or YAML", source)
    return {}


def _yaml(text: str, source: str) -> Any:
    try:
        import yaml
    except ImportError as error:
        raise SetupError(f"{source} is not JSON, and to read YAML PyYAML is needed: pip install PyYAML") from error
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return None


port = whole(0, 65535)
positive = whole(1, 2**40)
