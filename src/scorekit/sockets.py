"""Addresses on this machine: who may listen where."""

import errno
import socket

from .errors import SetupError


def reserve(host: str, port: int) -> socket.socket:
    """A socket bound to the address but not yet listening, so that connecting is still refused.

    Raises ``SetupError`` that says why the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except (OSError, OverflowError, TypeError, UnicodeError) as error:
        bound.close()
        taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        why = "another process listens there; stop it or choose another port" if taken else str(error)
        raise SetupError(f"cannot listen on {host}:{port}: {why}") from error
    return bound


def free_ports(host: str, count: int) -> list[int]:
    """``count`` different ports that nobody listens on at this moment."""
    bound = [reserve(host, 0) for _ in range(count)]
    ports = [each.getsockname()[1] for each in bound]
    for each in bound:
        each.close()
    return ports
