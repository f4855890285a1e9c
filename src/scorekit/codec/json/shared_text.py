"""The numbers of a batch's answer as JSON, written once for all its requests and cut by rows.

Up to 64 numbers a request, most of the time that it takes to write an array is spent on the call and not on the
numbers. So a batch's answer is written once, by the first of its requests, and cut at the brackets between its rows::

    payload of the batch, shape (4, 2)         [[0.1,0.9],[0.8,0.2],[0.5,0.5],[0.3,0.7]]
    its text without the outer brackets          0.1,0.9 | 0.8,0.2 | 0.5,0.5 | 0.3,0.7
    rows 1 up to 3, joined again                           0.8,0.2],[0.5,0.5

Cutting is safe because the text of a number has neither brackets nor commas, which is why only arrays of numbers are
written this way. Each request puts its own names and meta around its rows.
"""

import numpy as np
import orjson

from ...message import BatchRows
from ..tensor import Array
from .native import writable

_MAX_SHARED = 64  # numbers in the answer to one request on average; from there on, writing each by itself is as quick


class _SharedText:
    """The text of ``array``, of shape ``(rows,)`` or ``(rows, columns)``, by rows."""

    __slots__ = ("_flat", "_rows")

    def __init__(self, array: Array) -> None:
        text = orjson.dumps(writable(array), option=orjson.OPT_SERIALIZE_NUMPY)
        self._flat = array.ndim == 1
        self._rows = text[1:-1].split(b",") if self._flat else text[2:-2].split(b"],[")

    def __repr__(self) -> str:
        return f"<_SharedText rows={len(self._rows)}>"

    def cut(self, start: int, end: int) -> bytes:
        """Return the rows from ``start`` up to ``end`` without their outer brackets."""
        rows = self._rows
        if end == start + 1:
            return rows[start]
        return (b"," if self._flat else b"],[").join(rows[start:end])


def shared_text(rows: BatchRows) -> bytes | None:
    """Return the numbers of ``rows`` without their outer brackets; ``None`` if the batch's answer cannot be cut."""
    answer = rows.answer
    text = answer.encoded
    if text is None:  # this is the first request of its batch
        text = answer.encoded = _SharedText(answer.payload) if _pays(answer.payload, answer.requests) else False
    return text.cut(rows.start, rows.end) if text else None


def _pays(payload: object, requests: int) -> bool:
    """Whether a batch's answer is an array of numbers, with so few in each request's share that cutting is quicker."""
    if type(payload) is not np.ndarray or payload.dtype.kind not in "fiu":
        return False
    return 0 < payload.ndim <= 2 and 0 < payload.size <= _MAX_SHARED * requests
