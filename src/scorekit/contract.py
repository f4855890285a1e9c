"""``contract.json``: what a model's features and targets look like (the schema of seldon-core's testers, 1.17.1)."""

import json
import math
from dataclasses import dataclass
from typing import Any

from .errors import SetupError


@dataclass(frozen=True, slots=True)
class Column:
    """One feature or target. ``repeat`` columns of it stand side by side, named ``name1`` … for features."""

    name: str
    ftype: str
    dtype: str = "FLOAT"
    low: float | None = None
    high: float | None = None
    values: tuple[Any, ...] = ()
    repeat: int = 1
    shape: tuple[int, ...] = ()

    def typical(self) -> Any:
        """A value the contract allows: the middle of the range, the first category."""
        if self.ftype == "categorical":
            return self.values[0]
        low, high = self.low, self.high
        if low is None or high is None:
            middle = 0.0 if low == high else low + 1 if low is not None else (high or 0) - 1
        else:
            middle = low / 2 + high / 2
        if self.dtype == "INT":
            return math.floor(middle) if low is None or math.floor(middle) >= low else math.ceil(middle)
        short = round(middle, 3)
        return short if low is None or high is None or low <= short <= high else middle


@dataclass(frozen=True, slots=True)
class Contract:
    """A model's columns, in order."""

    features: tuple[Column, ...]
    targets: tuple[Column, ...]

    def feature_names(self) -> list[str]:
        """The names a request carries: ``x`` repeated twice is ``x1``, ``x2``, as the stock testers send it."""
        names: list[str] = []
        for column in self.features:
            wide = column.repeat > 1
            names += [f"{column.name}{at}" for at in range(1, column.repeat + 1)] if wide else [column.name]
        return names

    def sample(self) -> dict[str, Any]:
        """A request body of one typical row: ``tensor`` where all is numeric, ``ndarray`` otherwise."""
        row: list[Any] = []
        for column in self.features:
            value = column.typical()
            for length in reversed(column.shape):
                value = [value] * length
            row += value * column.repeat if column.shape else [value] * column.repeat
        names = self.feature_names()
        flat = all(isinstance(value, int | float) for value in row)
        if flat:
            return {"data": {"names": names, "tensor": {"shape": [1, len(row)], "values": row}}}
        return {"data": {"names": names, "ndarray": [row]}}


def parse_contract(text: str, where: str = "contract.json") -> Contract:
    """The contract in a JSON text. Raises ``SetupError`` that names the file, the place and what is expected there."""
    try:
        value = json.loads(text)
    except ValueError as error:
        raise SetupError(f"{where} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise SetupError(f"{where}: expected an object with the keys features and targets")
    features, targets = (_columns(value.get(key), f"{where}: {key}") for key in ("features", "targets"))
    return Contract(features, targets)


def _columns(value: Any, where: str) -> tuple[Column, ...]:
    if not isinstance(value, list) or not value:
        raise SetupError(f"{where} must be a list of at least one column")
    return tuple(_column(each, f"{where}[{at}]") for at, each in enumerate(value))


def _column(value: Any, where: str) -> Column:
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        raise SetupError(f'{where} must be an object with a "name"')
    ftype, repeat, shape = value.get("ftype"), value.get("repeat", 1), value.get("shape", [])
    if ftype not in ("continuous", "categorical"):
        raise SetupError(f"{where}.ftype is {ftype!r}; it must be continuous or categorical")
    if type(repeat) is not int or repeat < 1:
        raise SetupError(f"{where}.repeat is {repeat!r}; it must be a whole number from 1")
    if not isinstance(shape, list) or any(type(each) is not int or each < 1 for each in shape):
        raise SetupError(f"{where}.shape must be a list of whole numbers from 1")
    if ftype == "categorical":
        values = value.get("values")
        if not isinstance(values, list) or not values:
            raise SetupError(f"{where}.values must list at least one category")
        return Column(value["name"], ftype, values=tuple(values), repeat=repeat, shape=tuple(shape))
    if value.get("dtype") not in ("FLOAT", "INT"):
        raise SetupError(f"{where}.dtype is {value.get('dtype')!r}; it must be FLOAT or INT")
    low, high = _range(value.get("range", ["inf", "inf"]), f"{where}.range")
    return Column(value["name"], ftype, value["dtype"], low, high, repeat=repeat, shape=tuple(shape))


def _range(value: Any, where: str) -> tuple[float | None, float | None]:
    ends = value if isinstance(value, list) else []
    numbers = [end for end in ends if isinstance(end, int | float) and not isinstance(end, bool)]
    # Only two numbers have an order to keep, and whatever is neither a number nor "inf" leaves too few.
    finite = all(math.isfinite(number) for number in numbers)
    if len(ends) != 2 or len(numbers) + ends.count("inf") != 2 or numbers != sorted(numbers) or not finite:
        raise SetupError(f'{where} must be [low, high] with low ≤ high, either of them possibly "inf"')
    low, high = (None if end == "inf" else end for end in ends)
    return low, high
