"""A model's columns: the schema of ``contract.json``, as the testers of seldon-core 1.17.1 read it.

A column is continuous (a ``dtype`` and a ``range``) or categorical (``values``). Two keys make it wider, and they
combine::

    "repeat": 3          three columns side by side          width 3
    "shape": [2, 4]      one column of 2 × 4 scalars         width 8
    both                 three such columns side by side     width 24

In an array a row's columns lie along the first axis after the rows, ``(rows, columns, …)``: repeats and the first
length of a shape add up there, and the remaining lengths are the axes behind. Three columns of shape ``[2, 4]`` make
rows of shape ``(6, 4)``.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One feature or target. ``low`` and ``high`` are ``None`` if the range is open at that end."""

    name: str
    ftype: str
    dtype: str = "FLOAT"
    low: float | None = None
    high: float | None = None
    values: tuple[Any, ...] = ()
    repeat: int = 1
    shape: tuple[int, ...] = ()

    def typical(self) -> Any:
        """A value that the contract allows: the middle of the range, or the first category.

        A number is rounded to three digits if the range allows that, because people read samples.
        """
        if self.ftype == "categorical":
            return self.values[0]
        low, high = self.low, self.high
        if low is None or high is None:
            middle = 0.0 if low == high else low + 1 if low is not None else (high or 0) - 1
        else:
            middle = low / 2 + high / 2  # (low + high) / 2 overflows for a range of nearly all floats
        if self.dtype == "INT":
            return math.floor(middle) if low is None or math.floor(middle) >= low else math.ceil(middle)
        short = round(middle, 3)
        return short if low is None or high is None or low <= short <= high else middle

    def draw(self, chance: random.Random) -> Any:
        """A random value that the contract allows."""
        if self.ftype == "categorical":
            return chance.choice(self.values)
        low, high = self.reach(1e3)
        if self.dtype == "INT":
            return chance.randint(math.ceil(low), max(math.floor(high), math.ceil(low)))
        return chance.uniform(low, high)

    @property
    def width(self) -> int:
        """How many scalars of it one row has."""
        return self.repeat * math.prod(self.shape)

    def unfolded(self) -> list[str]:
        """Its names as a target: ``y``, or ``y:0``, ``y:1`` … if one row has several scalars of it."""
        return [f"{self.name}:{at}" for at in range(self.width)] if self.width > 1 else [self.name]

    def reach(self, far: float) -> tuple[float, float]:
        """The range as two numbers: an open end is put ``far`` from the other end, or from zero."""
        low, high = self.low, self.high
        if low is None:
            return ((-far if high is None else high - far), (far if high is None else high))
        return low, (low + far if high is None else high)

    def ends(self) -> tuple[Any, ...]:
        """The extreme values that it allows: both ends of the range, or the first and the last category."""
        if self.ftype == "categorical":
            return self.values[0], self.values[-1]
        low, high = self.reach(1e3)
        return (math.ceil(low), math.floor(high)) if self.dtype == "INT" else (low, high)

    def side_by_side(self, scalars: Sequence[Any]) -> list[Any]:
        """``width`` scalars as a nested list of shape ``(repeat * shape[0], *shape[1:])``: its part of a row."""
        values = list(scalars)
        for length in reversed(self.shape[1:]):
            values = [values[at : at + length] for at in range(0, len(values), length)]
        return values


@dataclass(frozen=True, slots=True)
class Contract:
    """A model's columns, in order."""

    features: tuple[Column, ...]
    targets: tuple[Column, ...]

    def feature_names(self) -> list[str]:
        """The names that a request carries: ``x`` repeated twice is ``x1``, ``x2``, as the stock testers send it."""
        names: list[str] = []
        for column in self.features:
            wide = column.repeat > 1
            names += [f"{column.name}{at}" for at in range(1, column.repeat + 1)] if wide else [column.name]
        return names

    def target_names(self) -> list[str]:
        """The names that an answer carries: ``y`` repeated twice is ``y:0``, ``y:1``, as the stock testers expect."""
        return [name for column in self.targets for name in column.unfolded()]

    def sample_row(self) -> list[Any]:
        """One row of typical values."""
        row: list[Any] = []
        for column in self.features:
            row += column.side_by_side([column.typical()] * column.width)
        return row

    def edge_row(self, end: int) -> list[Any]:
        """One row with every feature at its lower (0) or upper (1) end."""
        row: list[Any] = []
        for column in self.features:
            row += column.side_by_side([column.ends()[end]] * column.width)
        return row

    def rows(self, count: int) -> list[list[Any]]:
        """``count`` rows, the same at every call: the typical one, both edges, and random ones."""
        chance = random.Random(0)  # noqa: S311  samples, not secrets
        rows = [self.sample_row(), self.edge_row(0), self.edge_row(1)][:count]
        while len(rows) < count:
            row: list[Any] = []
            for column in self.features:
                row += column.side_by_side([column.draw(chance) for _ in range(column.width)])
            rows.append(row)
        return rows

    @property
    def numeric(self) -> bool:
        """Whether every feature is a number, so that rows can be sent as a ``tensor``."""
        return all(
            column.ftype != "categorical" or all(type(value) in (int, float) for value in column.values)
            for column in self.features
        )

    def sample(self) -> dict[str, Any]:
        """A request body with one typical row: a ``tensor`` if the row is a list of numbers, else an ``ndarray``."""
        row = self.sample_row()
        names = self.feature_names()
        flat = all(isinstance(value, int | float) for value in row)
        if flat:
            return {"data": {"names": names, "tensor": {"shape": [1, len(row)], "values": row}}}
        return {"data": {"names": names, "ndarray": [row]}}
