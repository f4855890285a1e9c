"""Ports for the servers that tests start.

The system gives the ports from 32768 on to clients (Linux's default). A port from there that is free now may be a
client's when the server comes to listen on it, and a test run makes thousands of connections. So tests choose below
that range, and at random: two that run beside each other hardly ever choose the same one.
"""

import errno
import random
import socket
from contextlib import ExitStack

_FROM, _TO = 15_000, 32_768
_random = random.SystemRandom()


def free_ports(host: str, count: int) -> list[int]:
    """Different ports on which nothing listens, and on which the system will let no client go out."""
    found: list[int] = []
    with ExitStack() as bound:
        while len(found) < count:
            port = _random.randrange(_FROM, _TO)
            try:
                bound.enter_context(socket.create_server((host, port)))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
            else:
                found.append(port)
    return found
