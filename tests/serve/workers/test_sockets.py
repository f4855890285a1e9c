"""Listening sockets are closed in a fork, and stop accepting connections before they are closed."""

import socket
import sys

import pytest

from scorekit.net import reserve
from scorekit.serve.workers.sockets import accept_syns, close_sockets_at, drop_syns


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's filters are Linux's")
def test_after_dropping_syns_the_backlog_is_still_accepted() -> None:
    """A client in the backlog is accepted with what it has sent; later ones are not, until SYNs are accepted again."""
    with reserve("127.0.0.1", 0) as listening:
        listening.listen(10)
        address = listening.getsockname()
        early = socket.create_connection(address, 5)
        early.sendall(b"hello")
        drop_syns(listening)
        with pytest.raises(TimeoutError):
            socket.create_connection(address, 0.3)
        listening.settimeout(5)
        accepted, _ = listening.accept()
        assert accepted.recv(10) == b"hello"
        accept_syns(listening)
        accept_syns(listening)
        late = socket.create_connection(address, 5)
        listening.accept()[0].close()
        for each in (early, accepted, late):
            each.close()


def test_only_sockets_at_the_port_are_closed() -> None:
    """Listening and accepted sockets at one port are closed in this process; all others stay open."""
    doomed, other = reserve("127.0.0.1", 0), reserve("127.0.0.1", 0)
    doomed.listen()
    client = socket.create_connection(doomed.getsockname(), 5)
    accepted, _ = doomed.accept()
    close_sockets_at([doomed.getsockname()[1]])
    for gone in (doomed, accepted):
        with pytest.raises(OSError, match="Bad file descriptor"):
            gone.getsockname()
        gone.detach()
    assert client.recv(1) == b""
    assert other.getsockname()
    other.close()
    client.close()
