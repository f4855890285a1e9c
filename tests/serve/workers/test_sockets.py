"""Sockets that are shared, let go of and shut."""

import socket
import sys

import pytest

from scorekit.net import reserve
from scorekit.serve.workers.sockets import accept_syns, close_sockets_at, drop_syns


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's filters are Linux's")
def test_a_door_that_is_shut_lets_out_who_is_inside() -> None:
    """Who has connected before is accepted, with what it has said; who comes after is not, until it is opened again."""
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


def test_only_what_is_at_the_port_is_let_go() -> None:
    """Listening and accepted sockets of one port are closed for this process; all others stay."""
    ours, theirs = reserve("127.0.0.1", 0), reserve("127.0.0.1", 0)
    ours.listen()
    client = socket.create_connection(ours.getsockname(), 5)
    accepted, _ = ours.accept()
    close_sockets_at([ours.getsockname()[1]])
    for gone in (ours, accepted):
        with pytest.raises(OSError, match="Bad file descriptor"):
            gone.getsockname()
        gone.detach()
    assert client.recv(1) == b""
    assert theirs.getsockname()
    theirs.close()
    client.close()
