"""Whether a request's rows are what a contract describes, asked before the model is.

The whole array is compared at once; only a refusal looks at single values. Numbers are compared in double precision.
Names are not looked at: the columns of a request count by their place.
"""

import json
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import BadRequest, SetupError
from ..message import Message, PayloadKind
from .columns import Column, Contract

Array = npt.NDArray[Any]

_LARGEST = sys.float_info.max  # below infinity, so that an open end of a range is still a finite number
_FEW_ROWS = 64  # up to here a set is faster than numpy
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class _Place:
    """What one column of the rows must hold."""

    label: str
    column: Column
    numbers: frozenset[float]
    """The categories that are numbers; true and false are 1 and 0, as numpy has them beside numbers."""
    texts: frozenset[str]

    @property
    def categorical(self) -> bool:
        return self.column.ftype == "categorical"

    def expected(self) -> str:
        """In words."""
        column = self.column
        if self.categorical:
            listed = ", ".join(_shown(value) for value in column.values[:20])
            return f"one of {listed}" + (", …" if len(column.values) > 20 else "")
        noun = "a whole number" if column.dtype == "INT" else "a number"
        if column.low is not None and column.high is not None:
            return f"{noun} from {column.low} to {column.high}"
        if column.low is not None:
            return f"{noun} from {column.low}"
        return f"{noun} up to {column.high}" if column.high is not None else noun


class Conformity:
    """Calling it raises ``BadRequest`` for a message that is not what ``contract`` describes.

    Raises ``SetupError`` for a contract that no array can fulfil.
    """

    def __init__(self, contract: Contract) -> None:
        names = iter(contract.feature_names())
        self._places: list[_Place] = []
        self._inner = contract.features[0].shape[1:]
        for column in contract.features:
            if column.shape[1:] != self._inner:
                first = contract.features[0].name
                raise SetupError(f"the features {first} and {column.name} differ in shape: no array can hold both")
            for name in [next(names) for _ in range(column.repeat)]:
                wide = column.shape[0] if column.shape else 1
                self._places += [_place(f"{name}[{at}]" if column.shape else name, column) for at in range(wide)]
        columns = (len(self._places), *(1 for _ in self._inner))
        ranges = [(None, None) if each.categorical else (each.column.low, each.column.high) for each in self._places]
        self._low = np.array([-_LARGEST if low is None else low for low, _ in ranges], np.float64).reshape(columns)
        self._high = np.array([_LARGEST if high is None else high for _, high in ranges], np.float64).reshape(columns)
        self._shape = (len(self._places), *self._inner)
        whole = [not each.categorical and each.column.dtype == "INT" for each in self._places]
        self._whole, self._may_be_broken = any(whole), ~np.array(whole).reshape(columns)
        self._categorical = [at for at, each in enumerate(self._places) if each.categorical]
        self._has_texts = any(isinstance(each, str) for column in contract.features for each in column.values)

    def __repr__(self) -> str:
        return f"<Conformity {', '.join(each.label for each in self._places)}>"

    def __call__(self, message: Message) -> None:
        """Raise ``BadRequest`` that names the feature, the row, what was expected and what came."""
        if not message.kind.is_array:
            raise BadRequest(
                f"this model takes {self._rows()} as data.tensor or data.ndarray, not {message.kind.value}",
                f"$.{message.kind.value}",
            )
        array: Array = message.payload
        if array.shape[1:] != self._shape or not array.ndim:
            raise self._misshapen(array.shape, message.kind)
        good = self._good(array)
        if not good.all():
            raise self._fault(array, int(good.argmin()), message.kind)

    def admits(self, array: Array) -> bool:
        """Whether every row of ``array`` is what the contract describes."""
        return array.shape[1:] == self._shape and bool(self._good(array).all())

    def _good(self, array: Array) -> npt.NDArray[np.bool_]:
        """Which values are as expected."""
        kind = array.dtype.kind
        if kind in "fiu":
            numbers = array
            good = (array >= self._low) & (array <= self._high)  # never true of NaN
        elif kind == "U" and self._has_texts:
            # Beside a text every number is one: numpy has one type for all of an array.
            numbers, good = self._read(array)
        elif kind == "U":
            return np.zeros(array.shape, np.bool_)
        elif kind == "b":
            numbers, good = array, np.zeros(array.shape, np.bool_)
        else:
            return self._good_objects(array)
        if self._whole and numbers.dtype.kind == "f":
            good &= (np.floor(numbers) == numbers) | self._may_be_broken
        for at in self._categorical:
            good[:, at] = self._among(array[:, at], self._places[at])
        return good

    def _read(self, array: Array) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
        numbers = np.full(array.shape, np.nan)
        for at, place in enumerate(self._places):
            if not place.categorical:
                numbers[:, at] = _numbers(array[:, at])
        return numbers, (numbers >= self._low) & (numbers <= self._high)

    def _among(self, values: Array, place: _Place) -> Any:
        if values.dtype.kind == "U" and place.numbers:
            numeric = np.isin(_numbers(values), list(place.numbers))
            return numeric | np.isin(values, list(place.texts)) if place.texts else numeric
        allowed: frozenset[Any] = place.texts if values.dtype.kind == "U" else place.numbers
        if len(values) > _FEW_ROWS and allowed:
            return np.isin(values, list(allowed))
        flat = [value in allowed for value in values.reshape(-1).tolist()]
        return np.array(flat, np.bool_).reshape(values.shape)

    def _good_objects(self, array: Array) -> npt.NDArray[np.bool_]:
        """Of an array whose values kept their own types, because some are null, objects or beyond 64 bits."""
        good = np.empty(array.shape, np.bool_)
        for at, place in enumerate(self._places):
            flat = [_fits(value, place) for value in array[:, at].reshape(-1)]
            good[:, at] = np.array(flat, np.bool_).reshape(good[:, at].shape)
        return good

    def _rows(self) -> str:
        labels = [each.label for each in self._places[:10]] + ["…"] * (len(self._places) > 10)
        count = f"{len(self._places)} feature{'s' * (len(self._places) != 1)}"
        inner = f", each of shape {list(self._inner)}" if self._inner else ""
        return f"rows of {count} ({', '.join(labels)}){inner}"

    def _misshapen(self, shape: tuple[int, ...], kind: PayloadKind) -> BadRequest:
        tensor = kind is PayloadKind.TENSOR
        path = "$.data.tensor.shape" if tensor else "$.data.ndarray"
        expected = f"expected {self._rows()}"
        if shape == (0,):
            empty = [0, *self._shape]
            return BadRequest(f"{expected}, got no rows; an empty batch is a tensor of shape {empty}", path)
        if len(shape) == len(self._shape):
            return BadRequest(f"{expected}, got an array of shape {list(shape)}; one row is a list in a list", path)
        if len(shape) != len(self._shape) + 1:
            return BadRequest(f"{expected}, got an array of shape {list(shape)}", path)
        odd = next(at for at in range(1, len(shape)) if shape[at] != self._shape[at - 1])
        came = f"{shape[1]} in each" if odd == 1 else f"an array of shape {list(shape)}"
        return BadRequest(f"{expected}, got {came}", f"{path}[{odd}]" if tensor else path + "[0]" * (odd > 0))

    def _fault(self, array: Array, flat: int, kind: PayloadKind) -> BadRequest:
        if array.dtype.kind == "U" and not self._has_texts:
            # The text that made texts of the numbers beside it, if it can be told from them.
            strange = np.isnan(_numbers(array).reshape(-1))
            flat = int(strange.argmax()) if strange.any() else flat
        at = np.unravel_index(flat, array.shape)
        place, value = self._places[int(at[1])], array[at]
        came = _shown(value.item() if isinstance(value, np.generic) else value)
        path = f"$.data.tensor.values[{flat}]" if kind is PayloadKind.TENSOR else "$.data.ndarray" + _subscripts(at)
        return BadRequest(f"{place.label} in row {int(at[0])}: expected {place.expected()}, got {came}", path)


def _place(label: str, column: Column) -> _Place:
    numbers = frozenset(float(value) for value in column.values if isinstance(value, int | float))
    texts = [value if isinstance(value, str) else str(value) for value in column.values if _is_text(value)]
    return _Place(label, column, numbers, frozenset(texts))


def _is_text(value: Any) -> bool:
    """Whether ``value`` is a text beside texts: ``true`` among them is ``"True"`` to numpy."""
    return isinstance(value, str | bool)


def _numbers(texts: Array) -> npt.NDArray[np.float64]:
    """The numbers that stand in ``texts``, NaN where none does."""
    try:
        return texts.astype(np.float64)
    except ValueError:
        return np.array([_number(each) for each in texts.reshape(-1).tolist()]).reshape(texts.shape)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _fits(value: Any, place: _Place) -> bool:
    """Whether a value of its own type is as expected."""
    if place.categorical:
        return value in place.column.values
    column = place.column
    if type(value) is not int and type(value) is not float:
        return False
    low = -_LARGEST if column.low is None else column.low
    high = _LARGEST if column.high is None else column.high
    return bool(low <= value <= high) and (column.dtype != "INT" or value % 1 == 0)


def _subscripts(at: tuple[Any, ...]) -> str:
    return "".join(f"[{int(each)}]" for each in at)


def _shown(value: Any) -> str:
    """``value`` as JSON has it, short."""
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
