"""Whether requests may be merged: tried on the model itself, with rows its contract describes, before it serves.

A model may be merged where it answers each row of a batch as it answers the row alone. Most do; one that scales its
input by the batch's own mean, draws random numbers, remembers earlier rows or tells of each call by tags does not.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..codec.tensor import Array
from ..errors import RequestError
from ..message import Prediction
from .answers import unsplittable

RTOL, ATOL = 1e-9, 1e-12
"""How far two floats may differ: the order of a sum is not the same for one row as for many."""

MAX_ROWS = 32
_WITHIN_S = 2.0  # a model that takes long is tried on fewer rows

Predict = Callable[[Array, Sequence[str] | None], Prediction]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether requests are merged, and why."""

    merges: bool
    reason: str


def tried(
    predict: Predict, rows: Array, names: Sequence[str] | None, clock: Callable[[], float] = time.perf_counter
) -> Verdict:
    """Predict ``rows`` one by one, one of them again, all together, and in reverse; then compare.

    Labels and whole numbers must be equal, floats within ``RTOL`` and ``ATOL``. At least two rows are tried, however
    long the model takes.
    """
    began = clock()
    try:
        first = predict(rows[:1], names)
        if why := unsplittable(first, 1):
            return Verdict(False, why)
        count = min(len(rows), max(2, int(_WITHIN_S / 4 / max(clock() - began, 1e-6))))
        rows = rows[:count]
        alone = [first, *(predict(rows[at : at + 1], names) for at in range(1, count))]
        again = predict(rows[:1], names)
        together, reversed_ = predict(rows, names), predict(rows[::-1].copy(), names)
    except RequestError as error:
        return Verdict(False, f"predict failed on a row of the contract: {error.__cause__ or error}")
    for prediction, length in ((together, count), (reversed_, count), *((each, 1) for each in alone)):
        if why := unsplittable(prediction, length):
            return Verdict(False, why)
    try:
        if not _same(first, 0, again, 0):
            return Verdict(False, "predict answered the same row differently the second time")
        for at in range(count):
            for merged, place in ((together, at), (reversed_, count - 1 - at)):
                if not _same(alone[at], 0, merged, place):
                    return Verdict(False, f"predict answered row {at} of {count} differently in a batch than alone")
    except Exception as error:  # noqa: BLE001  the border around user values: looking at them runs their code
        return Verdict(False, f"predict's answers cannot be compared: {type(error).__name__}")
    return Verdict(True, f"{count} rows of the contract were answered in a batch as alone")


def _same(one: Prediction, at: int, other: Prediction, place: int) -> bool:
    if one.class_names != other.class_names:
        return False
    left, right = np.asarray(one.payload[at]), np.asarray(other.payload[place])
    if left.dtype.kind != right.dtype.kind or left.shape != right.shape:
        return False
    if left.dtype.kind in "fc":
        return bool(np.allclose(left, right, rtol=RTOL, atol=ATOL, equal_nan=True))
    return bool(left.tolist() == right.tolist())
