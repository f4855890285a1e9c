"""Errors that end a connection because a request on it cannot be read to its end."""

from ...errors import BadRequest, HeadTooLarge, Overloaded, PayloadTooLarge, RequestTimeout
from ...settings.limits import MAX_HEAD_BYTES

Refusal = BadRequest | PayloadTooLarge | HeadTooLarge | RequestTimeout | Overloaded
"""What can be wrong with a request before it is complete."""


class RequestRefused(Exception):
    """Carries a refusal out of a parser callback to the connection, which answers with it and closes."""

    def __init__(self, error: Refusal) -> None:
        self.error = error


def head_too_large() -> HeadTooLarge:
    """Return the error for a request line and headers above ``MAX_HEAD_BYTES``."""
    return HeadTooLarge(f"request line and headers are longer than {MAX_HEAD_BYTES} bytes")


def body_too_large(max_bytes: int) -> PayloadTooLarge:
    """Return the error for a body of more than ``max_bytes``."""
    return PayloadTooLarge(f"the body is larger than this server accepts ({max_bytes} bytes)")


def budget_exhausted() -> Overloaded:
    """Return the error for a body that does not fit into the worker's memory budget."""
    return Overloaded("this server has no memory left for request bodies; try again later")
