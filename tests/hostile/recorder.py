"""A server that records every request it sees: alone, on a transport of the test's own, or behind a real Envoy."""

import asyncio
import contextlib
import json
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import uvloop

from scorekit.gateway import Route, bootstrap
from scorekit.local.envoy import find_envoy
from scorekit.net import reserve
from scorekit.serve.detect import ProtocolDetector
from scorekit.serve.http1.connection import Http1Connection
from scorekit.serve.http1.exchange import Exchange
from scorekit.serve.http2.connection import Http2Connection
from scorekit.serve.http2.streams import StreamListener
from scorekit.serve.limits.open_connections import OpenConnections
from scorekit.serve.rest import refuse

from ..ports import free_ports

MAX_BODY = 100_000
PREFIX = b"/seldon/ns/m"

Seen = tuple[str, bytes, bytes]
"""Method, path and body of one request."""


def of(exchange: Exchange) -> Seen:
    path = exchange.head.path.removeprefix(PREFIX)
    return exchange.head.method, path, exchange.body


class Transport:
    """Records what a connection writes, and whether it has closed."""

    def __init__(self, takes: bool = True) -> None:
        self.written = bytearray()
        self.closed = self.aborted = self.paused = self.ended = False
        self.takes = takes

    def write(self, data: bytes) -> None:
        if self.ended:
            raise RuntimeError("Cannot call write() after write_eof()")  # as uvloop's transports
        self.written += data

    def get_write_buffer_size(self) -> int:
        return 0 if self.takes else len(self.written)

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ended = True

    def is_closing(self) -> bool:
        return self.closed

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = self.aborted = True

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    def statuses(self) -> list[int]:
        return [int(line[9:12]) for line in bytes(self.written).split(b"\n") if line.startswith(b"HTTP/1.1 ")]


@dataclass
class Heard:
    """What a recorder has made of some bytes."""

    requests: list[Seen]
    statuses: list[int]
    closed: bool


class Recorder:
    """A listening server. ``take`` returns what it has seen since the last call."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.refusals: list[str] = []
        self._fleet: OpenConnections = set()
        self._loop = uvloop.new_event_loop()
        listener = reserve("127.0.0.1", 0)
        self.port: int = listener.getsockname()[1]
        self._server = self._loop.run_until_complete(self._loop.create_server(self._connect, sock=listener))
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    def _connect(self) -> ProtocolDetector:
        return ProtocolDetector(
            lambda: Http1Connection(self._handle, self._refuse, self._fleet, MAX_BODY),
            lambda: Http2Connection(lambda stream, head: StreamListener(), self._fleet),
            self._fleet,
        )

    def _handle(self, exchange: Exchange) -> None:
        self.seen.append(of(exchange))
        exchange.respond(200, b"ok")

    def _refuse(self, exchange: Exchange, error: Any) -> None:
        self.refusals.append(str(error))
        refuse(exchange, error)

    def take(self) -> tuple[list[Seen], list[str]]:
        """Return the requests and the refusals since the last call."""
        took = self.seen, self.refusals
        self.seen, self.refusals = [], []
        return took

    def close(self) -> None:
        async def end() -> None:
            self._server.close()
            for connection in list(self._fleet):
                connection.abort()
            await asyncio.sleep(0.05)
            self._loop.stop()

        asyncio.run_coroutine_threadsafe(end(), self._loop)
        self._thread.join()
        self._loop.close()


class Gateway:
    """A real Envoy with the configuration of ``scorekit up`` in front of a recorder, which counts what it forwards."""

    def __init__(self, recorder: Recorder) -> None:
        self.port, self._admin, grpc = free_ports("127.0.0.1", 3)
        route = Route(
            name="m",
            namespace="ns",
            host="127.0.0.1",
            port=recorder.port,
            timeout_ms=5000,
            grpc_port=grpc,
            grpc_timeout_ms=5000,
        )
        config = bootstrap("127.0.0.1", self.port, [route])
        address = {"socket_address": {"address": "127.0.0.1", "port_value": self._admin}}
        config["admin"] = {"address": address}
        argv = [str(find_envoy()), "--config-yaml", json.dumps(config), "--disable-hot-restart", "--concurrency", "1"]
        self._process = subprocess.Popen([*argv, "--log-level", "off"])
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError):
                if b"LIVE" in self._get("/ready"):
                    return
            assert time.monotonic() < deadline, "Envoy did not start"
            assert self._process.poll() is None, "Envoy ended"
            time.sleep(0.05)

    def _get(self, path: str) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{self._admin}{path}", timeout=10) as answer:
            return bytes(answer.read())

    def forwarded(self) -> int:
        """Return the number of requests that it has sent on so far."""
        text = self._get("/stats?filter=^cluster.ns/m.upstream_rq_total$").decode()
        return int(text.rpartition(":")[2])

    def protocol_errors(self) -> int:
        """Return the number of our responses so far that it could not understand."""
        text = self._get("/stats?filter=^cluster.ns/m.upstream_cx_protocol_error$").decode()
        return int(text.rpartition(":")[2])

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(30)


def spoken(port: int, data: bytes, quiet_s: float) -> tuple[list[int], bool]:
    """Return the statuses that answer ``data``, and whether the other side closed before we did."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(data)
        got = bytearray()
        closed = _read(client, got, quiet_s)
        if not closed:
            client.shutdown(socket.SHUT_WR)
            _read(client, got, 10)
    return [int(line[9:12]) for line in bytes(got).split(b"\n") if line.startswith(b"HTTP/1.1 ")], closed


def _read(client: socket.socket, into: bytearray, quiet_s: float) -> bool:
    client.settimeout(quiet_s)
    with contextlib.suppress(TimeoutError):
        try:
            while data := client.recv(65536):
                into += data
        except ConnectionError:
            pass
        return True
    return False


@contextlib.contextmanager
def behind() -> Iterator[tuple[Recorder, Gateway]]:
    recorder = Recorder()
    try:
        gateway = Gateway(recorder)
        try:
            yield recorder, gateway
        finally:
            gateway.close()
    finally:
        recorder.close()
