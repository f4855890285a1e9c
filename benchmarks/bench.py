"""Measures scorekit and its rivals: the same model, rows and load, one after the other on one machine.

`script/bench` sets everything up and runs this; `--quick` takes a minute and compares with the stock wrapper alone.
Absolute figures drift by a third from run to run, so only ratios taken in one run mean anything.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from load import Result, at_rate, h2load, wrk
from servers import HERE, PLOTS, SERVERS, Running, Server, nginx, programs_of, running, version_of

from scorekit.net import free_ports
from scorekit.proto import message_class

RESULTS = HERE / "results"
SHARES = (0.1, 0.25, 0.5, 0.75, 0.9, 1.1)
ONE_ROW = [[5.1, 3.5, 1.4, 0.2]]
MOST_RATE = 30_000  # from there on the generator is late itself


def rows(count: int, features: int) -> list[list[float]]:
    values: list[list[float]] = np.random.default_rng(1).normal(size=(count, features)).round(6).tolist()
    return values


def one_row_message() -> bytes:
    """Returns ``ONE_ROW`` as a SeldonMessage, for gRPC."""
    request = message_class("seldon.protos.SeldonMessage")()
    request.data.tensor.shape.extend([1, 4])
    request.data.tensor.values.extend(ONE_ROW[0])
    message: bytes = request.SerializeToString()
    return message


# The programs that make load, and nginx, which is the ceiling; each with Debian's package of it.
PACKAGES = {"wrk": "wrk", "h2load": "nghttp2-client", "nginx": "nginx"}


def require_tools(*tools: str) -> None:
    """Raises ``SystemExit`` with the package of a program that is missing."""
    for tool in tools:
        if not (shutil.which(tool) or Path("/usr/sbin", tool).exists()):
            raise SystemExit(f"bench: {tool} is missing; install it (Debian: apt-get install {PACKAGES[tool]})")


class Bench:
    """One run over ``servers``, with its results so far."""

    def __init__(self, servers: list[Server], seconds: float) -> None:
        self.seconds = seconds
        self.programs = {server.name: programs_of(server) for server in servers}
        self.servers = servers
        self.cases: dict[str, dict[str, Result]] = {}
        self.latency: dict[str, list[Result]] = {}
        self.memory: dict[str, list[Result]] = {}
        self.started: dict[str, float] = {}

    def start(self, server: Server, **how: Any) -> Any:
        return running(server, free_ports("127.0.0.1", 3), self.programs[server.name], **how)

    def compare(self, case: str, load: Callable[[Running], Result | None], **how: Any) -> None:
        """Loads each server in turn, from the slowest known to the fastest, and prints a line for each."""
        print(f"\n{case}", flush=True)
        results = self.cases.setdefault(case, {})
        for server in self.servers:
            with self.start(server, **how) as up:
                result = load(up)
                self.started.setdefault(server.name, up.started_s)
            if result is not None:
                results[server.name] = result
                self.line(server.name, result, results)

    def line(self, name: str, result: Result, results: dict[str, Result]) -> None:
        stock = results.get("seldon-core")
        ratio = f"{result['requests_per_s'] / stock['requests_per_s']:8.1f}×" if stock else " " * 9
        late = f"  p50 {result['p50_ms']:8.2f} ms  p99 {result['p99_ms']:8.2f} ms" if "p50_ms" in result else ""
        print(
            f"  {name:14}{result['requests_per_s']:12,.0f} /s {ratio}{late}  errors {result['errors']:.0f}", flush=True
        )

    def rest(self, rows: list[list[float]], form: str = "") -> Callable[[Running], Result | None]:
        """Measures closed-loop load of one request, in its JSON ``form`` if a server has several."""

        def load(up: Running) -> Result | None:
            if form and form not in up.server.bodies:
                return None
            body = up.server.body(rows, form)
            wrk(up.url, body, 2)
            return wrk(up.url, body, self.seconds)

        return load

    def grpc(self, up: Running) -> Result | None:
        if not up.server.grpc:
            return None
        if up.server.name == "MLServer":
            script = [self.programs["MLServer"] / "python", HERE / "rivals" / "mlserver" / "request.py"]
            message = subprocess.run(script, capture_output=True, check=True).stdout
        else:
            message = one_row_message()
        return h2load(up.grpc_url, message, self.seconds)

    def ceiling(self, case: str) -> None:
        """Measures nginx, which answers a constant as long as our answer."""
        (port,) = free_ports("127.0.0.1", 1)
        values = [0.123456789012345678] * 3
        answer = json.dumps({"data": {"names": ["t:0", "t:1", "t:2"], "ndarray": [values]}, "meta": {}}).encode()
        with nginx(port, answer) as url:
            result = wrk(url, json.dumps({"data": {"ndarray": ONE_ROW}}).encode(), self.seconds)
        self.cases[case]["nginx"] = result
        self.line("nginx", result, self.cases[case])

    def latencies(self, case: str) -> None:
        """Measures latency of each server at shares of the throughput that ``case`` measured for it."""
        print("\nlatency at fixed rates", flush=True)
        for server in self.servers:
            capacity = self.cases[case][server.name]["requests_per_s"]
            body = server.body(ONE_ROW)
            points = self.latency[server.name] = []
            for share in SHARES:
                if capacity * share > MOST_RATE:
                    continue
                with self.start(server) as up:
                    wrk(up.url, body, 1)
                    result = at_rate(up.url, body, capacity * share, self.seconds)
                result["share"] = share
                points.append(result)
                p50, p99 = result["p50_ms"], result["p99_ms"]
                print(
                    f"  {server.name:14}{result['rate']:10,.0f} /s ({share:.0%})  p50 {p50:9.2f} ms  p99 {p99:9.2f} ms"
                    f"  unanswered {result['errors']:.0f}",
                    flush=True,
                )

    def memories(self, most: int) -> None:
        """Measures the memory of all processes by number of workers, after each worker has predicted."""
        print("\nmemory by workers (proportional, private)", flush=True)
        for server in self.servers:
            if server.workers is None:
                continue
            sizes = self.memory[server.name] = []
            for count in range(1, most + 1):
                with self.start(server, workers=count) as up:
                    wrk(up.url, server.body(ONE_ROW), 2)
                    proportional, private = up.memory_mb()
                sizes.append({"workers": count, "proportional_mb": proportional, "private_mb": private})
                print(f"  {server.name:14}{count} workers {proportional:8.0f} MB {private:8.0f} MB", flush=True)


def stages(programs: Path) -> dict[str, dict[str, float]]:
    """Returns microseconds by stage, measured in the environment of our server."""
    stages = {}
    for count, features, connections in ((1, 4, 32), (1000, 20, 1)):
        environ = {**os.environ, "BENCH_FEATURES": str(features), "OMP_NUM_THREADS": "1"}
        argv = [str(programs / "python"), str(HERE / "stages.py"), str(count), str(connections)]
        done = subprocess.run(argv, capture_output=True, text=True, check=True, env=environ, cwd=HERE)
        stages[f"{count} × {features}"] = json.loads(done.stdout)
    return stages


def main() -> None:
    parser = argparse.ArgumentParser(description="Throughput, latency and memory of scorekit and its rivals.")
    parser.add_argument("--quick", action="store_true", help="ours against the stock wrapper, in a minute")
    parser.add_argument("--seconds", type=float, help="load each server this long in each case (5; quick 3)")
    parser.add_argument("--only", metavar="NAMES", help="these servers, by commas; scorekit and seldon-core always")
    arguments = parser.parse_args()
    require_tools(*PACKAGES)
    wanted = {"scorekit", "seldon-core"}
    if arguments.only:
        wanted |= set(arguments.only.split(","))
    elif not arguments.quick:
        wanted |= {server.name for server in SERVERS}
    # The stock wrapper first, for it is what all are compared with.
    servers = sorted((each for each in SERVERS if each.name in wanted), key=lambda each: each.name != "seldon-core")
    bench = Bench(servers, arguments.seconds or (3 if arguments.quick else 5))
    first = "REST 1 × 4, ndarray"
    bench.compare(first, bench.rest(ONE_ROW))
    bench.ceiling(first)
    bench.compare("gRPC 1 × 4, tensor", bench.grpc)
    bench.compare("REST 1000 × 20, ndarray", bench.rest(rows(1000, 20)), features=20)
    if not arguments.quick:
        bench.compare("REST 1 × 4, tensor", bench.rest(ONE_ROW, "tensor"))
        for count in (1, 10, 100):
            bench.compare(f"REST {count} × 20, ndarray", bench.rest(rows(count, 20)), features=20)
        for count in (100, 1000):
            bench.compare(f"REST {count} × 20, tensor", bench.rest(rows(count, 20), "tensor"), features=20)
        bench.compare("REST 1 × 4, a model of 5 ms", bench.rest(ONE_ROW), sleep_s=0.005)
        ours = [server for server in servers if server.name == "scorekit"]
        bench.servers = ours
        bench.compare("REST 1 × 4, two workers", bench.rest(ONE_ROW), workers=2)
        bench.compare("REST 1000 × 20, two workers", bench.rest(rows(1000, 20)), features=20, workers=2)
        bench.servers = servers
        bench.latencies(first)
        bench.memories(4)
    record: dict[str, Any] = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}",
        "python": platform.python_version(),
        "versions": {server.name: version_of(server, bench.programs[server.name]) for server in servers},
        "libraries": {name: version(name) for name in ("numpy", "orjson", "httptools", "uvloop", "protobuf")},
        "seconds": bench.seconds,
        "cases": bench.cases,
        "latency": bench.latency,
        "memory": bench.memory,
        "start_s": bench.started,
        "stages": stages(bench.programs["scorekit"]),
    }
    RESULTS.mkdir(exist_ok=True)
    target = RESULTS / ("quick.json" if arguments.quick else "bench.json")
    target.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    print(f"\nwritten to {target.relative_to(HERE.parent)}")
    for case, stage in record["stages"].items():
        print(f"{case}: " + ", ".join(f"{name} {micros:.1f} µs" for name, micros in stage.items()))
    if not arguments.quick:
        subprocess.run([programs_of(PLOTS) / "python", HERE / "render.py"], check=True)


if __name__ == "__main__":
    main()
