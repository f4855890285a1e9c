"""Addresses on this machine: who may listen where."""

import contextlib
import ctypes
import errno
import os
import socket
import stat
import struct
import sys
from collections.abc import Sequence

from ...errors import SetupError


def reserve_each(host: str, port: int, count: int) -> list[socket.socket]:
    """``count`` sockets bound to one address, none listening yet; of those that listen the kernel picks one by chance.

    Raises ``SetupError`` as :func:`reserve` does, where anyone else has the address, a sharer (SO_REUSEPORT) included.
    """
    first = reserve(host, port)
    if count == 1:
        return [first]
    port = first.getsockname()[1]
    first.close()  # bound alone, to learn that nobody else is: a socket that shares sees no other that does
    return [reserve(host, port, shared=True) for _ in range(count)]


def reserve(host: str, port: int, shared: bool = False) -> socket.socket:
    """A socket bound to the address but not yet listening, so that connecting is still refused.

    Raises ``SetupError`` that says why the address cannot be had.
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


def let_go_of(ports: Sequence[int]) -> None:
    """Close every socket of this process, listening or connected, that is at one of ``ports`` here.

    For a process that has them by fork: they are closed for it alone, whoever else has them keeps them.
    """
    for number in os.listdir("/dev/fd"):  # noqa: PTH208  right after a fork, the less the better
        with contextlib.suppress(OSError, ValueError):
            if not stat.S_ISSOCK(os.fstat(int(number)).st_mode):
                continue
            held = socket.socket(fileno=int(number))
            address = held.getsockname()
            held.detach()
            if isinstance(address, tuple) and address[1] in ports:
                os.close(int(number))


def refuse_new(listening: socket.socket) -> None:
    """Have the kernel pass over new connections, but go on with those that are being made (Linux; elsewhere nothing).

    Closing a listening socket resets what waits in its backlog, and something always may: between the last look and the
    closing a client can connect. After this nothing new comes, so that what waits can be accepted to the last. A client
    whose SYN was passed over sends it again a second later, and is refused then.
    """
    if sys.platform.startswith("linux"):
        program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in _NO_SYN))
        described = struct.pack("HP", len(_NO_SYN), ctypes.addressof(program))  # a struct sock_fprog
        with contextlib.suppress(OSError):  # a kernel that takes no filters
            listening.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, described)


def take_new(listening: socket.socket) -> None:
    """Undo :func:`refuse_new`, by whichever process that has the socket it was done."""
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError):  # there was none
            listening.setsockopt(socket.SOL_SOCKET, _SO_DETACH_FILTER, 0)


_SO_ATTACH_FILTER, _SO_DETACH_FILTER = 26, 27

# Classic BPF, over the TCP header: drop what has SYN and not ACK, pass the rest.
_NO_SYN = (
    (0x30, 0, 0, 13),  # A = flags
    (0x54, 0, 0, 0x12),  # A &= SYN | ACK
    (0x15, 0, 1, 0x02),  # if A == SYN
    (0x06, 0, 0, 0),  # drop
    (0x06, 0, 0, 0xFFFFFFFF),  # pass
)


def free_ports(host: str, count: int) -> list[int]:
    """``count`` different ports that nobody listens on at this moment."""
    bound = [reserve(host, 0) for _ in range(count)]
    ports = [each.getsockname()[1] for each in bound]
    for each in bound:
        each.close()
    return ports
