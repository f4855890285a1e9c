"""SeldonMessage as JSON: ``decoding`` reads documents, ``encoding`` writes them, once for a whole batch where it pays.

It imports the arrays and the strictness of the codec, and nothing that does I/O. Begin with ``decoding.decode``, the
order in which it tries the keys, and ``encoding.encode``.
"""

from .decoding import decode, from_value, messages_from_value, parse, take_metrics
from .encoding import encode, encode_error, encode_value

__all__ = [
    "decode",
    "encode",
    "encode_error",
    "encode_value",
    "from_value",
    "messages_from_value",
    "parse",
    "take_metrics",
]
