"""Ports are reserved before a server listens on them."""

import socket

import pytest

from scorekit.errors import SetupError
from scorekit.net import free_ports, reserve, reserve_shared


def test_a_reserved_port_refuses_connections() -> None:
    """A probe that connects to a reserved port is refused, so it cannot mistake a loading server for a ready one."""
    with reserve("127.0.0.1", 0) as bound, pytest.raises(ConnectionRefusedError):
        socket.create_connection(bound.getsockname(), 5)


def test_a_port_that_another_server_shares_is_not_shared() -> None:
    """Workers of one server share a port; a second server gets an error that says what to do."""
    sockets = reserve_shared("127.0.0.1", 0, 2)
    try:
        sockets[0].listen()
        (port,) = {each.getsockname()[1] for each in sockets}
        with pytest.raises(SetupError, match="another process listens there; stop it or choose another port"):
            reserve_shared("127.0.0.1", port, 2)
    finally:
        for each in sockets:
            each.close()


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 70000), ("not an address", 0)])
def test_an_address_that_cannot_be_bound_is_named(host: str, port: int) -> None:
    """The error names the address and gives the system's reason."""
    with pytest.raises(SetupError, match=f"cannot listen on {host}:{port}: "):
        reserve(host, port)


def test_free_ports_are_all_different() -> None:
    """Ports that are asked for together never coincide."""
    assert len(set(free_ports("127.0.0.1", 50))) == 50
