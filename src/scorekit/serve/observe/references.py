"""What may be said of a fault, and of what a client sent, in an answer or in a log line."""

import secrets


def new_reference() -> str:
    """A fresh name for one fault: the log tells the cause under it, the answer gives nothing but the name."""
    return secrets.token_hex(6)


def internal_error_text(reference: str) -> str:
    """What a caller is told of a fault of ours."""
    return f"internal error; the server's log tells why, under {reference}"


def printable(text: bytes) -> str:
    """Bytes of a client as ASCII that forges no log line, at most 200 of them."""
    return ascii(text[:200].decode("latin-1"))[1:-1]
