"""What answers and log lines may reveal of an internal error, and of what a client sent."""

import secrets


def new_reference() -> str:
    """Return a new reference for one error: the log has the cause under it, and the answer has nothing else."""
    return secrets.token_hex(6)


def internal_error_text(reference: str) -> str:
    """Return the text that answers a request on which the server itself failed."""
    return f"internal error; the server's log has the details under {reference}"


def printable(text: bytes) -> str:
    """Return bytes of a client as printable ASCII that can forge no log line; at most 200 of them."""
    return ascii(text[:200].decode("latin-1"))[1:-1]
