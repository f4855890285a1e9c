"""Addresses on this machine: who may listen where."""

import contextlib
import ctypes
import os
import socket
import stat
import struct
import sys
from collections.abc import Sequence


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
