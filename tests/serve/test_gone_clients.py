"""Clients that have gone and clients that have only ended their side are told apart, through real sockets."""

import asyncio
import socket
import struct
import time
from collections.abc import Callable
from functools import partial

import pytest

from scorekit.serve.http1.exchange import Exchange
from scorekit.serve.limits.gone_clients import abort_if_gone

from .conftest import Wire

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def holding(start: Callable[..., Wire]) -> tuple[Wire, list[Exchange]]:
    """A server that answers nothing by itself, and the exchanges that have arrived."""
    held: list[Exchange] = []
    return start(lambda loop: held.append), held


def wait_until(holds: Callable[[], object]) -> bool:
    deadline = time.monotonic() + 5
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.005)
    return bool(holds())


def close(client: socket.socket) -> None:
    client.close()


def reset(client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def end_then_close(client: socket.socket) -> None:
    client.shutdown(socket.SHUT_WR)
    time.sleep(0.05)
    client.close()


@pytest.mark.parametrize("leave", [close, reset, end_then_close])
@pytest.mark.parametrize("requests", [1, 3])
def test_a_client_that_leaves_is_noticed(
    start: Callable[..., Wire], leave: Callable[[socket.socket], None], requests: int
) -> None:
    """However a client closes its connection, its unanswered requests count as abandoned at once."""
    wire, held = holding(start)
    leave(wire.client().send(GET * requests).socket)
    assert wait_until(lambda: len(held) == requests)
    assert wait_until(lambda: all(exchange.connection.lost for exchange in held))
    assert not wire.fleet
    for exchange in held:
        wire.call(partial(exchange.respond, 200, b"late"))


def test_a_client_that_ends_its_side_and_reads_is_answered(start: Callable[..., Wire]) -> None:
    """A half-closed connection gets all its answers, whole, in order and however late they are, and is then closed."""
    wire, held = holding(start)
    client = wire.client().send(GET * 2 + b"GET / HTTP/1.0\r\n\r\n")
    client.socket.shutdown(socket.SHUT_WR)
    assert wait_until(lambda: len(held) == 3)
    assert client.socket.recv(1, socket.MSG_PEEK | socket.MSG_WAITALL) == b"H"
    time.sleep(0.2)
    assert not any(exchange.connection.lost for exchange in held)
    for at in (1, 0, 2):
        wire.call(partial(held[at].respond, 200 + at, b"%d" % at))
    assert [(status, body) for status, _, body in client.receive(3)] == [(200, b"0"), (201, b"1"), (202, b"2")]
    assert client.rest() == b""


def test_the_next_connection_of_a_number_is_not_mistaken(start: Callable[..., Wire]) -> None:
    """After a watched connection has ended, a new one, which may have the same file descriptor, is left alone."""
    wire, held = holding(start)
    for at in range(3):
        client = wire.client().send(GET)
        client.socket.shutdown(socket.SHUT_WR)
        assert wait_until(lambda: len(held) > at)  # noqa: B023  called before the next turn
        if at == 1:
            client.socket.close()
            assert wait_until(lambda: held[1].connection.lost)
            continue
        wire.call(partial(held[at].respond, 200, b"%d" % at))
        assert client.receive()[0][2] == b"%d" % at
        assert client.rest() == b""
        client.socket.close()


def test_a_transport_without_a_socket_is_not_watched() -> None:
    """A transport that has no socket, as in tests, is left alone."""

    class Bare(asyncio.Transport):
        pass

    abort_if_gone(Bare())()
