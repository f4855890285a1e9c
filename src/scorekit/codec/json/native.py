"""Arrays as orjson can write them straight from numpy's memory."""

from typing import Any

import numpy as np

from ..tensor import Array


def writable(array: Array) -> Any:
    """Return ``array``, of any shape, in a form that orjson writes natively, or as a list.

    Native is an array that is contiguous, in the machine's byte order, of numbers or booleans, and has an axis.
    """
    if isinstance(array, np.ma.MaskedArray):
        return array.tolist()  # type: ignore[no-untyped-call]  # masked values are null
    array = np.asarray(array)  # a matrix is an ordinary array on the wire
    if array.dtype.kind == "f" and array.dtype.itemsize != 8:
        # The shortest text of a single-precision number is another number to a reader of 64 bits, as all of them are:
        # float32(0.1) would be sent as 0.1 where the model's value is 0.10000000149011612.
        array = array.astype(np.float64)
    if array.dtype.kind not in "fiub" or not array.ndim:
        return array.tolist()
    if array.flags.c_contiguous and array.dtype.isnative:
        return array
    return array.astype(array.dtype.newbyteorder("="), order="C")
