"""Sends requests at a fixed rate, each from a client that waits for one second, and counts those answered in time.

Unlike `openloop.py` there is no fixed number of connections: a request that finds none free opens one, as new users do.
A client that has waited for long enough closes its connection; the header that a gateway sends
(x-envoy-expected-rq-timeout-ms) has told the server so. Without a rate 16 clients ask again and again (closed loop).

    python flood.py HOST PORT PATH BODY_FILE RATE SECONDS
"""

import asyncio
import json
import sys
import time
from collections import deque
from pathlib import Path
from typing import Any

import uvloop

PATIENCE_S = 1.0
MOST_CONNECTIONS = 4000
WARM_S = 1.0  # until a queue is as long as it gets; from then until the last request is sent answers are counted
CLOSED_LOOP = 16


class Client(asyncio.Protocol):
    """One connection and the request that is open on it."""

    def __init__(self, flood: "Flood", due: float) -> None:
        self.flood = flood
        self.due = due
        self.sent = 0.0
        self.open = True
        self.buffer = b""
        self.timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        if self.open:
            self.send()
        else:
            transport.close()

    def ask(self, due: float) -> None:
        self.due, self.open = due, True
        self.send()

    def send(self) -> None:
        now = self.sent = time.perf_counter()
        self.timer = self.flood.loop.call_later(max(0.0, self.due + PATIENCE_S - now), self.give_up)
        self.transport.write(self.flood.request)

    def give_up(self) -> None:
        if self.open:
            self.open = False
            self.flood.ended(self, "too late")
            self.transport.close()
            self.flood.closed()

    def data_received(self, data: bytes) -> None:
        self.buffer = buffer = self.buffer + data
        end = buffer.find(b"\r\n\r\n")
        if end < 0 or not self.open:
            return
        at = buffer.lower().find(b"content-length: ", 0, end)
        if len(buffer) < end + 4 + int(buffer[at + 16 : buffer.index(b"\r\n", at)]):
            return
        self.buffer, self.open = b"", False
        if self.timer is not None:
            self.timer.cancel()
        status = buffer[9:12].decode()
        if b"\r\nconnection: close" in buffer[:end].lower():
            self.transport.close()
            self.flood.ended(self, status)
            self.flood.closed()
        else:
            self.flood.ended(self, status)
            self.flood.free(self)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.open:
            self.open = False
            self.flood.ended(self, "cut off")
        if self.timer is not None:
            self.timer.cancel()
        self.flood.gone(self)


class Flood:
    def __init__(self, host: str, port: int, path: str, body: bytes) -> None:
        self.loop = asyncio.get_running_loop()
        self.address = host, port
        head = f"POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
        patience = f"x-envoy-expected-rq-timeout-ms: {PATIENCE_S * 1000:.0f}\r\n"
        self.request = f"{head}{patience}Content-Length: {len(body)}\r\n\r\n".encode() + body
        self.idle: deque[Client] = deque()
        self.connections = 0
        self.again = False
        self.asked = 0
        self.in_time = 0
        self.counted_from = time.perf_counter() + WARM_S
        self.sent_all = False
        self.latencies: dict[str, list[float]] = {}
        self.tasks: set[asyncio.Task[Any]] = set()

    def begin(self, due: float) -> None:
        self.asked += 1
        if self.idle:
            self.idle.popleft().ask(due)
        elif self.connections >= MOST_CONNECTIONS:
            self.latencies.setdefault("no connection left", []).append(0.0)
        else:
            self.connections += 1
            task = asyncio.ensure_future(self.connect(Client(self, due)))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def connect(self, client: Client) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self.loop.create_connection(lambda: client, *self.address)
        except OSError:  # a timeout is one
            self.connections -= 1
            client.open = False
            self.ended(client, "no connection")

    def ended(self, client: Client, how: str) -> None:
        now = time.perf_counter()
        # What was answered counts from when it was due, a refusal from when it was asked.
        begun = client.due if how == "200" else client.sent or now
        self.latencies.setdefault(how, []).append(now - begun)
        if how == "200" and now - begun <= PATIENCE_S and now >= self.counted_from and not self.sent_all:
            self.in_time += 1

    def free(self, client: Client) -> None:
        if self.again:
            self.asked += 1
            client.ask(time.perf_counter())
        else:
            self.idle.append(client)

    def closed(self) -> None:
        if self.again:
            self.begin(time.perf_counter())

    def gone(self, client: Client) -> None:
        self.connections -= 1
        if client in self.idle:
            self.idle.remove(client)

    async def open_loop(self, rate: float, seconds: float) -> None:
        began = time.perf_counter()
        sent = 0
        while sent < rate * seconds:
            now = time.perf_counter()
            while sent < rate * seconds and (due := began + sent / rate) <= now:
                sent += 1
                self.begin(due)
            await asyncio.sleep(0.0005)
        self.sent_all = True
        await asyncio.sleep(PATIENCE_S + 0.5)

    async def closed_loop(self, seconds: float) -> None:
        self.again = True
        for _ in range(CLOSED_LOOP):
            self.begin(time.perf_counter())
        await asyncio.sleep(seconds)
        self.again, self.sent_all = False, True


def percentile(found: list[float], share: float) -> float | None:
    found = sorted(found)
    return found[min(len(found) - 1, int(share * len(found)))] * 1000 if found else None


async def main(host: str, port: str, path: str, body_file: str, rate: str, seconds: str) -> None:
    flood = Flood(host, int(port), path, Path(body_file).read_bytes())
    if float(rate):
        await flood.open_loop(float(rate), float(seconds))
    else:
        await flood.closed_loop(float(seconds))
    good, refused = flood.latencies.get("200", []), [*flood.latencies.get("503", []), *flood.latencies.get("429", [])]
    result = {
        "offered_per_s": flood.asked / float(seconds),
        "goodput_per_s": flood.in_time / (float(seconds) - WARM_S),
        "p50_ms": percentile(good, 0.5),
        "p99_ms": percentile(good, 0.99),
        "refused_p50_ms": percentile(refused, 0.5),
        "refused_p99_ms": percentile(refused, 0.99),
        "outcomes": {how: len(found) for how, found in sorted(flood.latencies.items())},
    }
    print(json.dumps(result))


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(*sys.argv[1:]))
