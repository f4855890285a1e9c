"""How the text of each setting becomes its value.

Every reading takes the text and where it comes from (``--http-port``, ``BATCHING``), and raises ``SetupError`` that
names this source if the text is not acceptable. Readings of the stock wrapper's variables accept what it accepts
(seldon-core 1.17.1), even where that is surprising.
"""

import json
import logging
from collections.abc import Callable
from typing import Any

from ..errors import SetupError
from .names import UNSET

log = logging.getLogger(__name__)

Reading = Callable[[str, str], Any]
"""Turns a setting's text into its value; the second argument is the flag or variable that has the text."""


def text(text: str, source: str) -> str:
    """Return the text unchanged."""
    return text


class OneOf:
    """Accepts one of a few texts."""

    __slots__ = ("choices",)

    def __init__(self, *choices: str) -> None:
        self.choices = choices

    def __repr__(self) -> str:
        return f"<OneOf {self.choices}>"

    def __call__(self, text: str, source: str) -> str:
        """Return the text. Raises ``SetupError`` if it is not one of the choices."""
        if text not in self.choices:
            raise SetupError(f"{source} is {text!r}; it must be one of {', '.join(self.choices)}")
        return text


def whole(low: int, high: int) -> Reading:
    """Return a reading of whole numbers from ``low`` to ``high``, both included."""

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
    """Return typed parameters from ``[{"name": …, "value": "…", "type": "INT"}]``.

    Raises ``SetupError``; its messages about types and values are the stock wrapper's.
    """
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
    """Return whether the text is ``1``, ``true`` or ``t``; anything else is false, as for the stock wrapper."""
    return text.lower() in ("1", "true", "t")


def not_false(text: str, source: str) -> bool:
    """Return whether the text is anything but ``false``, as for the stock wrapper."""
    return text.lower() != "false"


def path(text: str, source: str) -> str:
    """Return a path of a URL. Raises ``SetupError`` if no client could ask for it."""
    if not text.startswith("/") or not text.isprintable() or not text.isascii():
        raise SetupError(f"{source} is {text!r}; it must be a path such as /metrics")
    return text


def version_label(text: str, source: str) -> str:
    """Return the label ``version`` among a predictor's labels, a JSON object.

    Anything else has no version, which is not an error for the stock wrapper either.
    """
    try:
        labels = json.loads(text)
    except ValueError:
        labels = None
    return str(labels.get("version", UNSET)) if isinstance(labels, dict) else UNSET


def metadata(text: str, source: str) -> dict[str, Any]:
    """Return an object from YAML or JSON. Anything else is ignored with a warning, as by the stock wrapper.

    JSON is tried first although it is a subset of YAML, so that PyYAML is imported only if it is needed.
    Raises ``SetupError`` if the text is not JSON and PyYAML is not installed.
    """
    try:
        value = json.loads(text)
    except ValueError:
        value = _yaml(text, source)
    if isinstance(value, dict):
        return value
    log.warning("settings.ignored variable=%s: it is not an object in JSON or YAML", source)
    return {}


def _yaml(text: str, source: str) -> Any:
    try:
        import yaml
    except ImportError as error:
        raise SetupError(f"{source} is not JSON, and reading YAML needs PyYAML: pip install PyYAML") from error
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return None


port = whole(0, 65535)
"""Accepts a port; 0 leaves the choice to the system."""
positive = whole(1, 2**40)
"""Accepts a whole number from 1."""
