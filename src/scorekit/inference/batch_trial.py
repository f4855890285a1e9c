"""Tests on the model itself, before it serves, whether requests may be merged: with rows that its contract describes.

Requests may be merged if the model answers each row of a batch as it answers the row alone. Most models do; one that
scales its input by the batch's own mean, draws random numbers, remembers earlier rows, or adds tags or metrics to each
call does not. The trial makes these calls of ``predict``, and compares their answers row by row::

    alone      p(r0)   p(r1)   …   p(rn)       one row each: what callers would get without merging
    again      p(r0)                           as before? if not, it is random or has a memory
    together   p([r0, r1, …, rn])              as alone? if not, rows of a batch influence each other
    reversed   p([rn, …, r1, r0])              as alone? if not, the place in the batch matters

It proves nothing about rows that it has not tried, and it can only fail in the safe direction: a model in doubt is
served without merging, and the reason is logged and shown in ``/metadata``.
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
"""The relative and absolute difference that two floats may have: sums of many rows are added in another order."""

MAX_ROWS = 32
"""The number of rows that are tried at most."""

_WITHIN_S = 2.0  # the whole trial; a slow model is tried on fewer rows

Predict = Callable[[Array, Sequence[str] | None], Prediction]
"""Calls the model with rows of shape ``(rows, columns, …)`` and their names. Raises ``RequestError`` if it fails."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether requests are merged, and why."""

    merges: bool
    reason: str


def try_batching(
    predict: Predict, rows: Array, names: Sequence[str] | None, clock: Callable[[], float] = time.perf_counter
) -> Verdict:
    """Return whether ``predict`` answers ``rows``, of shape ``(rows, columns, …)``, in a batch as it does alone.

    Labels and whole numbers must be equal, floats within ``RTOL`` and ``ATOL``. At least two rows are tried, however
    long the model takes.
    """
    began = clock()
    try:
        first = predict(rows[:1], names)
        if why := unsplittable(first, 1):
            return Verdict(False, why)
        # The rows alone may take a quarter of the time: each of the two batches may take as long again.
        count = min(len(rows), max(2, int(_WITHIN_S / 4 / max(clock() - began, 1e-6))))
        rows = rows[:count]
        alone = [first, *(predict(rows[at : at + 1], names) for at in range(1, count))]
        again = predict(rows[:1], names)
        together, backwards = predict(rows, names), predict(rows[::-1].copy(), names)
    except RequestError as error:
        return Verdict(False, f"predict failed on a row of the contract: {error.__cause__ or error}")
    for prediction, length in ((together, count), (backwards, count), *((each, 1) for each in alone)):
        if why := unsplittable(prediction, length):
            return Verdict(False, why)
    try:
        if not _same_row(first, 0, again, 0):
            return Verdict(False, "predict answered the same row differently the second time")
        for at in range(count):
            for batch, place in ((together, at), (backwards, count - 1 - at)):
                if not _same_row(alone[at], 0, batch, place):
                    return Verdict(False, f"predict answered row {at} of {count} differently in a batch than alone")
    except Exception as error:  # noqa: BLE001  the border around user values: looking at them runs their code
        return Verdict(False, f"predict's answers cannot be compared: {type(error).__name__}")
    return Verdict(True, f"{count} rows of the contract have the same answers in a batch as alone")


def _same_row(one: Prediction, at: int, other: Prediction, place: int) -> bool:
    if one.class_names != other.class_names:
        return False
    left, right = np.asarray(one.payload[at]), np.asarray(other.payload[place])
    if left.dtype.kind != right.dtype.kind or left.shape != right.shape:
        return False
    if left.dtype.kind in "fc":
        return bool(np.allclose(left, right, rtol=RTOL, atol=ATOL, equal_nan=True))
    return bool(left.tolist() == right.tolist())
