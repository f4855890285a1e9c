"""Whether the rows of a request are what a contract describes, checked before the model is called.

A check costs every request, so it looks at no single value while the rows are good: with numpy the whole array is
compared with all lower and all upper ends at once. The ends are arrays of shape ``(columns, 1, …)``, one entry for each
feature, and numpy broadcasts them over the rows (and over the inner axes of features with a shape)::

    rows     (rows, columns, …)      low, high  (columns, 1, …)

    good = (rows >= low) & (rows <= high)       one boolean for each value; false for NaN, which no comparison holds for

An open end stands in as the largest float, which is below infinity, so that an infinite number is out of every range. A
whole number must equal its own floor. Categories are few and are looked up in a set. Only if some value is bad does
Python look for the first one, to name it.

An array has one type, and JSON with a single text in it makes an array of texts (numpy's kind "U"); then the numbers
are read back from their texts. Kind "O", objects, comes of null, of objects and of integers beyond 64 bits; such values
keep their own types and are checked one by one. Numbers are compared as doubles.

Columns count by their position. The names in a request are not checked: clients of seldon-core 1.17.1 need not send
any.
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

_LARGEST = sys.float_info.max
_FEW_ROWS = 64
"""Up to so many rows a look-up in a set is faster than ``numpy.isin``."""
_LONGEST_SHOWN = 60


@dataclass(frozen=True, slots=True)
class _Position:
    """What the values at one position of every row must be."""

    label: str
    column: Column
    numbers: frozenset[float]
    """The categories that are numbers. True and false are 1 and 0, as they are in a numpy array of numbers."""
    texts: frozenset[str]

    @property
    def categorical(self) -> bool:
        return self.column.ftype == "categorical"

    def expected(self) -> str:
        """What must stand here, in words."""
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


class ContractCheck:
    """Calling it raises ``BadRequest`` for a message that ``contract`` does not describe.

    Raises ``SetupError`` for a contract that no array can keep, because its features differ in the lengths of their
    inner axes.
    """

    def __init__(self, contract: Contract) -> None:
        names = iter(contract.feature_names())
        self._positions: list[_Position] = []
        self._inner = contract.features[0].shape[1:]
        for column in contract.features:
            if column.shape[1:] != self._inner:
                first = contract.features[0].name
                raise SetupError(f"the features {first} and {column.name} differ in shape: no array can hold both")
            for name in [next(names) for _ in range(column.repeat)]:
                wide = column.shape[0] if column.shape else 1
                labels = [f"{name}[{at}]" if column.shape else name for at in range(wide)]
                self._positions += [_position(label, column) for label in labels]
        columns = (len(self._positions), *(1 for _ in self._inner))
        ranges = [(None, None) if at.categorical else (at.column.low, at.column.high) for at in self._positions]
        self._low = np.array([-_LARGEST if low is None else low for low, _ in ranges], np.float64).reshape(columns)
        self._high = np.array([_LARGEST if high is None else high for _, high in ranges], np.float64).reshape(columns)
        self._shape = (len(self._positions), *self._inner)
        whole = [not each.categorical and each.column.dtype == "INT" for each in self._positions]
        self._has_whole, self._may_be_broken = any(whole), ~np.array(whole).reshape(columns)
        self._categorical = [at for at, each in enumerate(self._positions) if each.categorical]
        self._has_texts = any(isinstance(each, str) for column in contract.features for each in column.values)

    def __repr__(self) -> str:
        return f"<ContractCheck {', '.join(each.label for each in self._positions)}>"

    def __call__(self, message: Message) -> None:
        """Raises ``BadRequest`` that names the feature, the row, what was expected and what came instead."""
        if not message.kind.is_array:
            raise BadRequest(
                f"this model takes {self._rows()} as data.tensor or data.ndarray, not {message.kind.value}",
                f"$.{message.kind.value}",
            )
        array: Array = message.payload
        if array.shape[1:] != self._shape or not array.ndim:
            raise self._shape_fault(array.shape, message.kind)
        good = self._good(array)
        if not good.all():
            raise self._value_fault(array, int(good.argmin()), message.kind)

    def admits(self, array: Array) -> bool:
        """Whether every row of ``array``, of shape ``(rows, columns, …)``, is what the contract describes."""
        return array.shape[1:] == self._shape and bool(self._good(array).all())

    def _good(self, array: Array) -> npt.NDArray[np.bool_]:
        """Which values are as expected; the same shape as ``array``."""
        kind = array.dtype.kind
        if kind in "fiu":
            numbers = array
            good = (array >= self._low) & (array <= self._high)
        elif kind == "U" and self._has_texts:
            numbers = self._numbers_beside_texts(array)
            good = (numbers >= self._low) & (numbers <= self._high)
        elif kind == "U":
            return np.zeros(array.shape, np.bool_)
        elif kind == "b":
            numbers, good = array, np.zeros(array.shape, np.bool_)
        else:
            return self._good_objects(array)
        if self._has_whole and numbers.dtype.kind == "f":
            good &= (np.floor(numbers) == numbers) | self._may_be_broken
        for at in self._categorical:
            good[:, at] = self._among_categories(array[:, at], self._positions[at])
        return good

    def _numbers_beside_texts(self, array: Array) -> npt.NDArray[np.float64]:
        """The numeric columns of an array of texts, as numbers again; NaN for anything else."""
        numbers = np.full(array.shape, np.nan)
        for at, position in enumerate(self._positions):
            if not position.categorical:
                numbers[:, at] = _numbers(array[:, at])
        return numbers

    def _among_categories(self, values: Array, position: _Position) -> Any:
        if values.dtype.kind == "U" and position.numbers:
            numeric = np.isin(_numbers(values), list(position.numbers))
            return numeric | np.isin(values, list(position.texts)) if position.texts else numeric
        allowed: frozenset[Any] = position.texts if values.dtype.kind == "U" else position.numbers
        if len(values) > _FEW_ROWS and allowed:
            return np.isin(values, list(allowed))
        flat = [value in allowed for value in values.reshape(-1).tolist()]
        return np.array(flat, np.bool_).reshape(values.shape)

    def _good_objects(self, array: Array) -> npt.NDArray[np.bool_]:
        """The same for an array whose values kept their own types."""
        good = np.empty(array.shape, np.bool_)
        for at, position in enumerate(self._positions):
            flat = [_fits(value, position) for value in array[:, at].reshape(-1)]
            good[:, at] = np.array(flat, np.bool_).reshape(good[:, at].shape)
        return good

    def _rows(self) -> str:
        """The rows that are expected, in words."""
        labels = [each.label for each in self._positions[:10]] + ["…"] * (len(self._positions) > 10)
        count = f"{len(self._positions)} feature{'s' * (len(self._positions) != 1)}"
        inner = f", each of shape {list(self._inner)}" if self._inner else ""
        return f"rows of {count} ({', '.join(labels)}){inner}"

    def _shape_fault(self, shape: tuple[int, ...], kind: PayloadKind) -> BadRequest:
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

    def _value_fault(self, array: Array, flat: int, kind: PayloadKind) -> BadRequest:
        if array.dtype.kind == "U" and not self._has_texts:
            # Every value of this array is a text now, and so a fault. The one to name is the one that was a text in the
            # request: of those that are not a number the first, if there is one.
            strange = np.isnan(_numbers(array).reshape(-1))
            flat = int(strange.argmax()) if strange.any() else flat
        at = np.unravel_index(flat, array.shape)
        position, value = self._positions[int(at[1])], array[at]
        came = _shown(value.item() if isinstance(value, np.generic) else value)
        path = f"$.data.tensor.values[{flat}]" if kind is PayloadKind.TENSOR else "$.data.ndarray" + _subscripts(at)
        return BadRequest(f"{position.label} in row {int(at[0])}: expected {position.expected()}, got {came}", path)


def _position(label: str, column: Column) -> _Position:
    numbers = frozenset(float(value) for value in column.values if isinstance(value, int | float))
    # Beside texts numpy turns true into the text "True".
    texts = [str(value) for value in column.values if isinstance(value, str | bool)]
    return _Position(label, column, numbers, frozenset(texts))


def _numbers(texts: Array) -> npt.NDArray[np.float64]:
    """The numbers in an array of texts, of the same shape; NaN for a text that is not a number."""
    try:
        return texts.astype(np.float64)
    except ValueError:
        return np.array([_number(each) for each in texts.reshape(-1).tolist()]).reshape(texts.shape)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _fits(value: Any, position: _Position) -> bool:
    """Whether a single value, of its own type, is as expected."""
    if position.categorical:
        return value in position.column.values
    column = position.column
    if type(value) is not int and type(value) is not float:
        return False
    low = -_LARGEST if column.low is None else column.low
    high = _LARGEST if column.high is None else column.high
    return bool(low <= value <= high) and (column.dtype != "INT" or value % 1 == 0)


def _subscripts(at: tuple[Any, ...]) -> str:
    return "".join(f"[{int(each)}]" for each in at)


def _shown(value: Any) -> str:
    """``value`` as JSON, cut to 60 characters."""
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"
