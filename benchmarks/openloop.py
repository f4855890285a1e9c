"""Sends requests at a fixed rate, whatever the server does, and measures latency without coordinated omission.

Each request has a time at which it is due, and its latency counts from that time, also where it had to wait for one of
the connections: a server that stalls for a second is charged with every request that was due in it. The loop is busy
while it runs, so that it is never late itself for want of sleep; it needs a core of its own.

    python openloop.py HOST PORT PATH BODY_FILE RATE SECONDS CONNECTIONS
"""

import asyncio
import json
import sys
import time
from collections import deque

import uvloop


class Connection(asyncio.Protocol):
    def __init__(self, run: "Run") -> None:
        self.run = run
        self.due = 0.0
        self.busy = False
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.run.free(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.run.lost(self)

    def ask(self, due: float) -> None:
        self.due, self.busy = due, True
        self.transport.write(self.run.request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.buffer = buffer = self.buffer + data if self.buffer else data
        end = buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        at = buffer.lower().find(b"content-length: ", 0, end)
        length = int(buffer[at + 16 : buffer.index(b"\r\n", at)])
        if len(buffer) < end + 4 + length:
            return
        self.buffer = b""
        self.busy = False
        self.run.answered(self, buffer.startswith(b"HTTP/1.1 200"), b"\r\nconnection: close" in buffer[:end].lower())


class Run:
    def __init__(self, request: bytes, rate: float, seconds: float, host: str, port: int) -> None:
        self.loop = asyncio.get_running_loop()
        self.address = host, port
        self.connecting: set[asyncio.Task[object]] = set()
        self.over = False
        self.request = request
        self.interval = 1 / rate
        self.count = int(rate * seconds)
        self.idle: deque[Connection] = deque()
        self.waiting: deque[float] = deque()
        self.latencies: list[float] = []
        self.errors = 0
        self.open = 0

    def answered(self, connection: Connection, good: bool, closes: bool) -> None:
        self.open -= 1
        if good:
            self.latencies.append(time.perf_counter() - connection.due)
        else:
            self.errors += 1
        if closes:
            connection.transport.close()
        else:
            self.free(connection)

    def free(self, connection: Connection) -> None:
        if self.waiting:
            connection.ask(self.waiting.popleft())
            self.open += 1
        else:
            self.idle.append(connection)

    def lost(self, connection: Connection) -> None:
        """Replaces a connection that the server has closed after an answer."""
        if connection.busy:
            self.errors += 1
            self.open -= 1
        if connection in self.idle:
            self.idle.remove(connection)
        if not self.over:
            self.connect()

    def connect(self) -> None:
        task = asyncio.ensure_future(self.loop.create_connection(lambda: Connection(self), *self.address))
        self.connecting.add(task)
        task.add_done_callback(self.connected)

    def connected(self, task: "asyncio.Task[object]") -> None:
        self.connecting.discard(task)
        if not task.cancelled() and task.exception() is not None and not self.over:
            self.loop.call_later(0.01, self.connect)  # refused: the server is at its limit

    async def go(self, grace_s: float) -> None:
        began = time.perf_counter()
        sent = 0
        while sent < self.count:
            now = time.perf_counter()
            while sent < self.count and (due := began + sent * self.interval) <= now:
                sent += 1
                if self.idle:
                    self.idle.popleft().ask(due)
                    self.open += 1
                else:
                    self.waiting.append(due)
            await asyncio.sleep(0)
        deadline = time.perf_counter() + grace_s
        while (self.open or self.waiting) and time.perf_counter() < deadline:
            await asyncio.sleep(0.001)
        self.over = True


async def main(host: str, port: str, path: str, body_file: str, rate: str, seconds: str, connections: str) -> None:
    with open(body_file, "rb") as file:  # noqa: PTH123  nothing else runs yet
        body = file.read()
    head = f"POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
    request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    run = Run(request, float(rate), float(seconds), host, int(port))
    for _ in range(int(connections)):
        run.connect()
    while run.connecting:
        await asyncio.sleep(0.01)
    await run.go(grace_s=10)
    found = sorted(run.latencies)
    unanswered = run.count - len(found)  # errors, and what was not answered in the end
    percentiles = {
        name: found[min(len(found) - 1, int(share * len(found)))] * 1000 if found else None
        for name, share in (("p50_ms", 0.5), ("p90_ms", 0.9), ("p99_ms", 0.99), ("p999_ms", 0.999))
    }
    print(json.dumps({"rate": float(rate), "requests": run.count, "errors": unanswered, **percentiles}))


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(*sys.argv[1:]))
