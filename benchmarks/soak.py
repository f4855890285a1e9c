"""Sends minutes of mixed traffic to one server, and watches its memory, its descriptors, its latency and its errors.

`script/soak [MINUTES]` runs this. Clients over REST and gRPC send good, bad, slow and large requests, or leave before
they are answered. An answer that does not fit its request is an error. The verdict is good if there are no errors, and
at the end at most 5 % more memory and no more descriptors than after the first minute.
"""

import argparse
import asyncio
import contextlib
import json
import os
import platform
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
from servers import HERE, PLOTS, family, programs_of

from scorekit.net import free_ports
from scorekit.proto import message_class

COMPONENT = HERE.parent / "seldon-ml-score-component"
WARM_S = 60
MOST_GROWTH = 0.05
_LIMITS = ["--body-timeout-s", "2", "--head-timeout-s", "2", "--max-body-bytes", "4000000"]

Answer = tuple[int, bytes]


def rows(count: int) -> bytes:
    rows = [[round(random.uniform(1.0, 6.9), 3), round(random.uniform(0.1, 2.5), 3)] for _ in range(count)]  # noqa: S311
    return json.dumps({"data": {"names": ["a", "b"], "ndarray": rows}}).encode()


class Soak:
    def __init__(self, port: int, page: int) -> None:
        self.port = port
        self.page = page
        self.latencies: list[float] = []
        self.outcomes: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.over = False

    async def connect(self, port: int | None = None) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", port or self.port)

    @staticmethod
    def request(body: bytes, path: str = "/predict", method: str = "POST") -> bytes:
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body

    @staticmethod
    async def answer(reader: asyncio.StreamReader) -> Answer:
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        return int(head[9:12]), await asyncio.wait_for(reader.readexactly(length), 20)

    async def expect(self, what: str, request: bytes, *statuses: int, port: int | None = None) -> None:
        """Sends a request over a connection of its own; an answer with a status not in ``statuses`` is an error."""
        reader, writer = await self.connect(port)
        try:
            writer.write(request)
            with contextlib.suppress(ConnectionError):
                await writer.drain()
            self.saw(what, (await self.answer(reader))[0], *statuses)
        finally:
            writer.close()

    def saw(self, what: str, status: int, *statuses: int) -> None:
        self.outcomes[f"{what} {status}"] += 1
        if status not in statuses:
            self.errors[f"{what} {status}"] += 1

    # -- the clients

    async def good(self) -> None:
        """Sends some dozens of requests over one connection."""
        reader, writer = await self.connect()
        try:
            for _ in range(random.randint(10, 60)):  # noqa: S311
                began = time.perf_counter()
                writer.write(self.request(rows(random.choice((1, 1, 1, 5, 50)))))  # noqa: S311
                status, _ = await self.answer(reader)
                self.latencies.append(time.perf_counter() - began)
                self.saw("good", status, 200)
                await asyncio.sleep(0.005)
        finally:
            writer.close()

    async def calls(self) -> None:
        """Makes some dozens of calls over one channel, a broken one and a cancelled one."""
        message = message_class("seldon.protos.SeldonMessage")()
        message.data.tensor.shape.extend([1, 2])
        message.data.tensor.values.extend([1, 1])
        text = message.SerializeToString()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{self.port}") as channel:
            predict = channel.unary_unary("/seldon.protos.Seldon/Predict")
            for _ in range(random.randint(10, 60)):  # noqa: S311
                began = time.perf_counter()
                await predict(text, timeout=20)
                self.latencies.append(time.perf_counter() - began)
                self.outcomes["gRPC OK"] += 1
                await asyncio.sleep(0.005)
            # The second has a tenth of a millisecond: it is late, or refused because it would be.
            late = ("OK", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED")
            for what, timeout, expected in ((b"\xff\xff", 20.0, ("INVALID_ARGUMENT",)), (text, 0.0001, late)):
                try:
                    await predict(what, timeout=timeout)
                    name = "OK"
                except grpc.aio.AioRpcError as error:
                    name = error.code().name
                self.outcomes[f"gRPC {name}"] += 1
                if name not in expected:
                    self.errors[f"gRPC {name}"] += 1

    async def bad(self) -> None:
        await self.expect("broken JSON", self.request(b'{"data":{"ndarray":[[1,'), 400)
        await self.expect("outside of the contract", self.request(b'{"data":{"ndarray":[[1,2,3]]}}'), 400)
        await self.expect("no such path", self.request(b"{}", "/" + "x" * random.randint(1, 200)), 404)  # noqa: S311
        await self.expect("no HTTP", b"\x16\x03\x01\x02\x00nonsense\r\n\r\n", 400)
        await self.expect(
            "too large", self.request(b"")[:-5].replace(b"Length: ", b"Length: 9999999") + b"\r\n\r\n", 413
        )

    async def large(self) -> None:
        await self.expect("large", self.request(rows(20_000)), 200)

    async def slow(self) -> None:
        """Sends a body byte by byte and stops."""
        reader, writer = await self.connect()
        try:
            for byte in self.request(rows(1))[:-30][-20:]:
                writer.write(bytes([byte]))
                await asyncio.sleep(0.01)
        finally:
            writer.close()
        reader, writer = await self.connect()
        try:
            writer.write(self.request(rows(5))[:-30])
            self.saw("stopped", (await self.answer(reader))[0], 408)
        finally:
            writer.close()

    async def leaving(self) -> None:
        """Leaves in the middle of a request and before its answer, with and without a reset."""
        for cut in (-30, None):
            _, writer = await self.connect()
            writer.write(self.request(rows(50))[:cut])
            await writer.drain()
            if random.random() < 0.5:  # noqa: S311
                writer.transport.abort()
            writer.close()
            self.outcomes["left"] += 1

    async def watching(self) -> None:
        await self.expect("health", self.request(b"", "/health/status", "GET"), 200)
        await self.expect("metrics", self.request(b"", "/metrics", "GET"), 200, port=self.page)
        await asyncio.sleep(1)

    async def again(self, client: Callable[[], Awaitable[None]], pause_s: float) -> None:
        while not self.over:
            try:
                await client()
            except Exception as error:  # noqa: BLE001  whatever it is, it is counted
                self.errors[f"{client.__name__}: {type(error).__name__} {str(error)[:80]}"] += 1
            await asyncio.sleep(pause_s)


def state(root: int) -> tuple[float, int]:
    """Returns resident memory in MB and open descriptors of all processes of a server."""
    resident, descriptors = 0, 0
    for pid in family(root):
        with contextlib.suppress(OSError):
            resident += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            descriptors += len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208
    return resident / 1024 / 1024, descriptors


async def run(root: int, port: int, page: int, minutes: float) -> dict[str, Any]:
    soak = Soak(port, page)
    kinds = [(soak.good, 4, 0.05), (soak.calls, 2, 0.05), (soak.bad, 2, 0.1), (soak.large, 1, 0.5), (soak.slow, 4, 0.1)]
    kinds += [(soak.leaving, 2, 0.05), (soak.watching, 1, 0.1)]
    clients = [
        asyncio.ensure_future(soak.again(client, pause_s)) for client, count, pause_s in kinds for _ in range(count)
    ]
    samples: list[dict[str, float]] = []
    began = time.monotonic()
    while (now := time.monotonic() - began) < minutes * 60:
        await asyncio.sleep(2)
        latencies, soak.latencies = sorted(soak.latencies), []
        resident, descriptors = await asyncio.to_thread(state, root)
        samples.append(
            {
                "s": round(now, 1),
                "rss_mb": round(resident, 2),
                "descriptors": descriptors,
                "p99_ms": round(latencies[int(0.99 * len(latencies))] * 1000, 2) if latencies else 0.0,
                "errors": sum(soak.errors.values()),
                "requests": sum(soak.outcomes.values()),
            }
        )
        if len(samples) % 15 == 0:
            print(f"  {now:4.0f} s: {samples[-1]}", flush=True)
    soak.over = True
    await asyncio.wait(clients, timeout=30)
    return {"samples": samples, "outcomes": dict(sorted(soak.outcomes.items())), "errors": dict(soak.errors)}


def verdict(samples: list[dict[str, float]], errors: dict[str, int]) -> dict[str, Any]:
    """Returns medians of the half minute after the first minute, and of the last half minute."""
    seconds = samples[-1]["s"]
    first = [each for each in samples if WARM_S <= each["s"] <= WARM_S + 30]
    last = [each for each in samples if each["s"] >= seconds - 30]
    if not first:
        raise SystemExit("soak: a verdict needs more than a minute")

    def middle(samples: list[dict[str, float]], what: str) -> float:
        return statistics.median(each[what] for each in samples)

    growth = middle(last, "rss_mb") / middle(first, "rss_mb") - 1
    more = middle(last, "descriptors") - middle(first, "descriptors")
    good = growth <= MOST_GROWTH and more <= 0.1 * middle(first, "descriptors") and not errors
    return {
        "rss_mb_after_first_minute": middle(first, "rss_mb"),
        "rss_mb_at_the_end": middle(last, "rss_mb"),
        "growth": round(growth, 4),
        "more_descriptors": more,
        "errors": sum(errors.values()),
        "flat": good,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Minutes of mixed traffic, and whether the server stays as it was.")
    parser.add_argument("minutes", type=float, nargs="?", default=10)
    parser.add_argument("--workers", default="1")
    arguments = parser.parse_args()
    port, second, page = free_ports("127.0.0.1", 3)
    ports = ["--http-port", str(port), "--grpc-port", str(second), "--metrics-port", str(page)]
    argv = [sys.executable, "-m", "scorekit", "serve", str(COMPONENT), "--host", "127.0.0.1", *ports, *_LIMITS]
    with tempfile.TemporaryFile() as log:
        server = subprocess.Popen([*argv, "--workers", arguments.workers], stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + 60
            while b"serve.ready" not in _read(log):
                if server.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"soak: the server did not start:\n{_read(log).decode()}")
                time.sleep(0.1)
            print(f"soak: {arguments.minutes:g} minutes on port {port}", flush=True)
            record = asyncio.run(run(server.pid, port, page, arguments.minutes))
        finally:
            server.send_signal(signal.SIGTERM)
            status = server.wait(60)
        if status:
            record["errors"]["the server ended"] = status
        record["tracebacks"] = _read(log).count(b"Traceback")
    result = verdict(record["samples"], record["errors"])
    record = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}",
        "python": platform.python_version(),
        "minutes": arguments.minutes,
        "verdict": result,
        **record,
    }
    (HERE / "results" / "soak.json").write_text(json.dumps(record, indent=1) + "\n")
    subprocess.run([programs_of(PLOTS) / "python", HERE / "robust.py"], check=True)
    print(json.dumps(result, indent=1), *(f"{how}: {count}" for how, count in record["errors"].items()), sep="\n")
    if not result["flat"]:
        raise SystemExit("soak: the server is not flat")


def _read(log: Any) -> bytes:
    log.seek(0)
    text: bytes = log.read()
    return text


if __name__ == "__main__":
    main()
