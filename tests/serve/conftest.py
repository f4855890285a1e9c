"""A real server that listens on loopback, and a client that sends it raw bytes."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import uvloop

from scorekit.inference.service import Service
from scorekit.model.component import Component
from scorekit.net import reserve
from scorekit.serve.http1.connection import ExchangeHandler, Http1Connection
from scorekit.serve.limits.open_connections import OpenConnections, drain
from scorekit.serve.rest import RestRoutes, refuse

MAX_BODY = 10_000_000


class Client:
    """One connection."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)

    def send(self, data: bytes) -> "Client":
        self.socket.sendall(data)
        return self

    def receive(self, count: int = 1) -> list[tuple[int, dict[str, str], bytes]]:
        """Return status, headers and body of each of the next ``count`` responses."""
        stream = self.socket.makefile("rb")
        responses = []
        for _ in range(count):
            status_line = stream.readline()
            assert status_line.startswith(b"HTTP/1.1 "), status_line
            headers: dict[str, str] = {}
            while (line := stream.readline().strip()) != b"":
                name, _, value = line.decode().partition(":")
                headers[name.lower()] = value.strip()
            body = stream.read(int(headers.get("content-length", 0)))
            responses.append((int(status_line.split()[1]), headers, body))
        return responses

    def rest(self) -> bytes:
        """Return everything up to the end of the connection."""
        with contextlib.suppress(ConnectionResetError):
            return self.socket.makefile("rb").read()
        return b""


class Wire:
    """A server on a free port, with its loop in a thread of its own."""

    def __init__(self, make_handler: Callable[[asyncio.AbstractEventLoop], ExchangeHandler]) -> None:
        self.fleet: OpenConnections = set()
        self.loop = uvloop.new_event_loop()
        self._clients: list[Client] = []
        self._handler = make_handler(self.loop)
        self._listener = reserve("127.0.0.1", 0)
        self.port: int = self._listener.getsockname()[1]
        self._server = self.loop.run_until_complete(self.loop.create_server(self._connection, sock=self._listener))
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()

    def _connection(self) -> Http1Connection:
        return Http1Connection(self._handler, refuse, self.fleet, MAX_BODY)

    def client(self) -> Client:
        self._clients.append(Client(self.port))
        return self._clients[-1]

    def call(self, function: Callable[[], Any]) -> Any:
        """Run ``function`` in the loop's thread."""

        async def run() -> Any:
            return function()

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(10)

    def drain(self, grace_s: float) -> None:
        self.call(self._server.close)
        asyncio.run_coroutine_threadsafe(drain(self.fleet, grace_s), self.loop).result(20)

    def close(self) -> None:
        for client in self._clients:
            with contextlib.suppress(OSError):
                client.socket.shutdown(socket.SHUT_RDWR)
            client.socket.close()
        self.drain(0.05)  # nobody is left to read an answer
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


class Doubling:
    """A model that doubles its input."""

    def predict(self, X: Any, features_names: Any) -> Any:  # noqa: N803
        if isinstance(X, str):
            if X == "fail":
                raise ValueError("the secret cause")
            return X
        return X * 2


@pytest.fixture
def start() -> Iterator[Callable[[Callable[[asyncio.AbstractEventLoop], ExchangeHandler]], Wire]]:
    """Start servers, and end them after the test."""
    wires: list[Wire] = []

    def make(make_handler: Callable[[asyncio.AbstractEventLoop], ExchangeHandler]) -> Wire:
        wires.append(Wire(make_handler))
        return wires[-1]

    yield make
    for wire in wires:
        wire.close()


@pytest.fixture
def wire(start: Callable[[Callable[[asyncio.AbstractEventLoop], ExchangeHandler]], Wire]) -> Wire:
    """Start the REST server as it ships, over a model that doubles."""
    return start(lambda loop: RestRoutes(Service(Component(Doubling(), "Doubling"), loop, max_batch_rows=100)))
