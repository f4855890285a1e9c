"""The text of a ``contract.json`` to a :class:`Contract`, with errors that say where in the file the fault is."""

import difflib
import json
import logging
import math
from typing import Any

from ..errors import SetupError
from .columns import Column, Contract
from .lines import line_of

log = logging.getLogger(__name__)

_KEYS = ("name", "ftype", "dtype", "range", "values", "repeat", "shape")
_LONGEST_SHOWN = 60


class ContractError(SetupError):
    """A contract that cannot be used: its file cannot be read, is not JSON, or does not describe columns.

    ``line`` is the line in ``file``, counted from 1, and ``path`` the place in the JSON, such as ``features[0].dtype``;
    both are empty if the whole file is at fault.
    """

    def __init__(self, message: str, *, file: str, line: int | None = None, path: str = "") -> None:
        self.file = file
        self.line = line
        self.path = path
        super().__init__(message)


def parse_contract(text: str, file: str = "contract.json") -> Contract:
    """The contract in a JSON text. ``file`` is the name to use in errors.

    Raises ``ContractError`` if the text is not JSON or not a contract; it names file, line, place and what is expected.
    """
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise ContractError(f"{file} is not JSON: {error}", file=file, line=error.lineno) from error
    except ValueError as error:  # an integer of more digits than Python converts
        raise ContractError(f"{file} is not JSON: {error}", file=file) from error
    except RecursionError as error:
        raise ContractError(f"{file} is nested too deeply to be a contract", file=file) from error
    try:
        if not isinstance(value, dict):
            raise _Fault("expected an object with the keys features and targets")
        return Contract(_columns(value, "features"), _columns(value, "targets"))
    except _Fault as fault:
        line = line_of(text, *fault.path)
        path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in fault.path)[1:]
        message = f"{file}, line {line}: {path} {fault.message}" if path else f"{file}, line {line}: {fault.message}"
        raise ContractError(message, file=file, line=line, path=path) from fault


class _Fault(Exception):
    """What is wrong with the value at ``path``."""

    def __init__(self, message: str, *path: str | int) -> None:
        self.message = message
        self.path = path
        super().__init__(message)


def _columns(value: dict[str, Any], key: str) -> tuple[Column, ...]:
    columns = _required(value, key, "must be a list of at least one column")
    if not isinstance(columns, list) or not columns:
        raise _Fault("must be a list of at least one column", key)
    return tuple(_column(each, key, at) for at, each in enumerate(columns))


def _column(value: Any, *at: str | int) -> Column:
    if not isinstance(value, dict):
        raise _Fault('must be an object with a "name"', *at)
    name = _required(value, "name", "must be a text", *at)
    if not isinstance(name, str):
        raise _Fault(f"is {_shown(name)}; it must be a text", *at, "name")
    for key in value.keys() - set(_KEYS):
        # The stock testers ignore keys that they do not know, and so do we. But a key that is spelt almost like one of
        # theirs is probably a mistake.
        if near := difflib.get_close_matches(key, _KEYS, 1, 0.75):
            log.warning("contract.key_passed_over column=%s key=%s: did you mean %s?", name, key, near[0])
    ftype = _required(value, "ftype", "must be continuous or categorical", *at)
    repeat, shape = value.get("repeat", 1), value.get("shape", [])
    if ftype not in ("continuous", "categorical"):
        raise _Fault(f"is {_shown(ftype)}; it must be continuous or categorical", *at, "ftype")
    if type(repeat) is not int or repeat < 1:
        raise _Fault(f"is {_shown(repeat)}; it must be a whole number from 1", *at, "repeat")
    if not isinstance(shape, list) or any(type(each) is not int or each < 1 for each in shape):
        raise _Fault("must be a list of whole numbers from 1", *at, "shape")
    if ftype == "categorical":
        values = _categories(value, *at)
        return Column(name=name, ftype=ftype, values=values, repeat=repeat, shape=tuple(shape))
    dtype = _required(value, "dtype", "must be FLOAT or INT", *at)
    if dtype not in ("FLOAT", "INT"):
        raise _Fault(f"is {_shown(dtype)}; it must be FLOAT or INT", *at, "dtype")
    low, high = _range(value.get("range", ["inf", "inf"]), *at, "range")
    return Column(name=name, ftype=ftype, dtype=dtype, low=low, high=high, repeat=repeat, shape=tuple(shape))


def _required(value: dict[str, Any], key: str, expected: str, *at: str | int) -> Any:
    if key not in value:
        raise _Fault(f"is missing; it {expected}", *at, key)
    return value[key]


def _categories(value: dict[str, Any], *at: str | int) -> tuple[Any, ...]:
    values = _required(value, "values", "must list at least one category", *at)
    if not isinstance(values, list) or not values:
        raise _Fault("must list at least one category", *at, "values")
    if any(isinstance(each, list | dict) for each in values):
        raise _Fault("must list texts or numbers", *at, "values")
    return tuple(values)


def _range(value: Any, *at: str | int) -> tuple[float | None, float | None]:
    """Both ends; ``None`` for an open one, which the file writes as the text "inf" at either end."""
    ends = value if isinstance(value, list) else []
    numbers = [end for end in ends if isinstance(end, int | float) and not isinstance(end, bool)]
    # Each end must be a number or "inf": anything else leaves the two counts below 2. Only two numbers have an order.
    finite = all(math.isfinite(number) for number in numbers)
    if len(ends) != 2 or len(numbers) + ends.count("inf") != 2 or numbers != sorted(numbers) or not finite:
        raise _Fault('must be [low, high] with low ≤ high, either of them possibly "inf"', *at)
    low, high = (None if end == "inf" else end for end in ends)
    return low, high


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"
