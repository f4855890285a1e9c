"""Sockets that are bound to an address of this machine before anything listens there."""

import errno
import socket

from ..errors import SetupError


def reserve(host: str, port: int, shared: bool = False) -> socket.socket:
    """Return a socket that is bound to the address but does not listen yet, so clients are still refused.

    With ``shared`` other sockets of this machine may be bound to the same address (SO_REUSEPORT).
    Raises ``SetupError`` if the address cannot be bound; the message says why.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        bound.bind((host, port))
    except (OSError, OverflowError, TypeError, UnicodeError) as error:
        bound.close()
        taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        why = "another process listens there; stop it or choose another port" if taken else str(error)
        raise SetupError(f"cannot listen on {host}:{port}: {why}") from error
    return bound


def reserve_shared(host: str, port: int, count: int) -> list[socket.socket]:
    """Return ``count`` sockets bound to one address, none of which listens yet.

    Raises ``SetupError`` as :func:`reserve` does, and also if another server shares the address (SO_REUSEPORT).

    The kernel keeps a queue of new connections for each listening socket and distributes connections over the
    sockets by a hash of the two addresses. Each worker gets a socket of its own, so a connection that waits in the
    queue of a worker that has died is still there for its successor, which is given the same socket.
    """
    first = reserve(host, port)
    if count == 1:
        return [first]
    # SO_REUSEPORT lets any process of the same user join the address, so a second server would silently take half of
    # the connections of the first. A socket without the option cannot be bound while another one listens, with or
    # without the option, so binding one alone first detects such a server.
    port = first.getsockname()[1]
    first.close()
    return [reserve(host, port, shared=True) for _ in range(count)]


def free_ports(host: str, count: int) -> list[int]:
    """Return ``count`` different ports on which nothing listens at this moment.

    All are bound at once before any is released, so the kernel cannot hand out the same port twice.
    """
    bound = [reserve(host, 0) for _ in range(count)]
    ports = [each.getsockname()[1] for each in bound]
    for each in bound:
        each.close()
    return ports
