"""Why an HTTP/1.1 request is refused before it is one."""

from ...errors import BadRequest, HeadTooLarge, Overloaded, PayloadTooLarge, TooSlow
from ...settings.limits import MAX_HEAD_BYTES

Refusal = BadRequest | PayloadTooLarge | HeadTooLarge | TooSlow | Overloaded
"""What can be wrong with a request before it is one."""


class RequestRefused(Exception):
    """A signal out of a parser callback, not an error of its own."""

    def __init__(self, error: Refusal) -> None:
        self.error = error


def head_too_large() -> HeadTooLarge:
    """Of a request line and headers."""
    return HeadTooLarge(f"the head of a request may be {MAX_HEAD_BYTES} bytes long")


def body_too_large(most: int) -> PayloadTooLarge:
    """Of a body longer than ``most`` bytes."""
    return PayloadTooLarge(f"the body is larger than this server accepts ({most} bytes)")


def too_many() -> Overloaded:
    """Of a body that would be one too many."""
    return Overloaded("this server holds as many bytes of requests as it may")


def exceeds(digits: bytes, limit: int) -> bool:
    """Whether a Content-Length is over ``limit``; what is no number is left to the parser to refuse."""
    significant = digits.lstrip(b"0")
    return digits.isdigit() and (len(significant) > 18 or int(significant or b"0") > limit)
