"""Two tricks with listening sockets: closing them in a fork, and emptying a backlog without accepting more into it.

Each slot has one listening socket for each port. The supervisor makes it before the first fork and keeps it while
workers come and go, so a connection that waits in its backlog is accepted by the next worker. Measured with 40 waiting
connections and a ``kill -9``: a socket that the worker had made lost 20 of them, one that the supervisor holds lost
none. With several slots the sockets share the address (SO_REUSEPORT), and the kernel distributes new connections over
them.
"""

import contextlib
import ctypes
import os
import socket
import stat
import struct
import sys
from collections.abc import Sequence


def close_sockets_at(ports: Sequence[int]) -> None:
    """Close every socket of this process, listening or connected, that is at one of ``ports`` on this machine.

    This is for a process that has them by a fork: other processes keep theirs.
    """
    for number in os.listdir("/dev/fd"):  # noqa: PTH208  right after a fork the less code runs, the better
        with contextlib.suppress(OSError, ValueError):
            if not stat.S_ISSOCK(os.fstat(int(number)).st_mode):
                continue
            held = socket.socket(fileno=int(number))
            address = held.getsockname()
            held.detach()
            if isinstance(address, tuple) and address[1] in ports:
                os.close(int(number))


def drop_syns(listening: socket.socket) -> None:
    """Make the kernel ignore new connections to a socket, but complete those that are being made. Only on Linux.

    Closing a listening socket resets the connections in its backlog, and there may always be one: between the last
    look and the closing a client can connect. After this call nothing new arrives, so the backlog can be accepted to
    its end, and then the socket can be closed. A client whose SYN is ignored sends it again one second later, and is
    refused then.
    """
    if sys.platform.startswith("linux"):
        program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in _NO_SYN))
        described = struct.pack("HP", len(_NO_SYN), ctypes.addressof(program))  # a struct sock_fprog
        with contextlib.suppress(OSError):  # a kernel that takes no filters
            listening.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, described)


def accept_syns(listening: socket.socket) -> None:
    """Undo :func:`drop_syns`, whichever process that shares the socket has called it."""
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError):  # there is no filter
            listening.setsockopt(socket.SOL_SOCKET, _SO_DETACH_FILTER, 0)


_SO_ATTACH_FILTER, _SO_DETACH_FILTER = 26, 27  # not in Python's socket module

# A program of classic BPF, which the kernel runs on each packet, from the TCP header on. It drops a packet that has SYN
# but not ACK, the first of a handshake, and accepts all others.
_NO_SYN = (
    (0x30, 0, 0, 13),  # A = flags, the byte 13 of the header
    (0x54, 0, 0, 0x12),  # A &= SYN | ACK
    (0x15, 0, 1, 0x02),  # if A == SYN go on, else skip one
    (0x06, 0, 0, 0),  # drop
    (0x06, 0, 0, 0xFFFFFFFF),  # accept
)
