"""Our server against the stock wrapper, one after the other: the same machine, model, row and load.

Run it with ``script/bench``. Only the ratio means anything: absolute figures drift by a third from run to run. The load
is closed-loop (`wrk`, 32 connections, one thread), so it shows throughput, not honest latency.
"""

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from scorekit.sockets import free_ports

ROOT = Path(__file__).parents[1]
COMPONENT = ROOT / "seldon-ml-score-component"
BIN = Path(sys.executable).parent
CONNECTIONS = 32
BODY = '{"data":{"ndarray":[[5.1,3.5]]}}'
SCRIPT = f"""
wrk.method = "POST"
wrk.body = '{BODY}'
wrk.headers["Content-Type"] = "application/json"
"""


def commands(http: int, grpc: int, metrics: int) -> dict[str, list[str]]:
    """Each server's command line; the component's folder is the current one."""
    ports = ["--http-port", str(http), "--grpc-port", str(grpc), "--metrics-port", str(metrics)]
    return {
        "scorekit serve": [str(BIN / "scorekit"), "serve", ".", "--host", "127.0.0.1", *ports],
        "scorekit serve, batching off": [
            *(str(BIN / "scorekit"), "serve", ".", "--host", "127.0.0.1", "--batching", "off"),
            *ports,
        ],
        "seldon-core 1.17.1, stock settings": [str(BIN / "seldon-core-microservice"), "MLModel", *ports],
    }


@contextmanager
def served(argv: list[str], port: int) -> Iterator[None]:
    """The server, from its first answer to its end."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(argv, cwd=COMPONENT, stdout=log, stderr=log, start_new_session=True)
        try:
            deadline = time.monotonic() + 60
            while not answers(port):
                if process.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    raise SystemExit(f"{argv[0]} did not start:\n{log.read().decode()}")
                time.sleep(0.1)
            yield
        finally:
            os.killpg(process.pid, 15)
            process.wait(30)


def answers(port: int) -> bool:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/predict", BODY.encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def load(port: int, seconds: int) -> dict[str, float]:
    """What `wrk` saw: requests per second, errors, and the closed-loop median and 99th percentile in milliseconds."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(SCRIPT)
        script.flush()
        url = f"http://127.0.0.1:{port}/predict"
        argv = [
            "wrk",
            "-t1",
            f"-c{CONNECTIONS}",
            f"-d{seconds}s",
            "--latency",
            "--timeout",
            "10s",
            "-s",
            script.name,
            url,
        ]
        text = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    errors = sum(int(count) for count in re.findall(r"(?:connect|read|write|timeout|responses:) (\d+)", text))
    return {
        "requests_per_s": float(found(r"Requests/sec:\s+([\d.]+)", text)),
        "errors": errors,
        "p50_ms": milliseconds(found(r"(?m)^ +50%\s+(\S+)", text)),
        "p99_ms": milliseconds(found(r"(?m)^ +99%\s+(\S+)", text)),
    }


def found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise SystemExit(f"wrk said something unexpected:\n{text}")
    return match[1]


def milliseconds(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()  # type: ignore[union-attr]  # wrk's three units
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def main() -> None:
    parser = argparse.ArgumentParser(description="Throughput of one process on one-row requests, ours against stock.")
    parser.add_argument("--seconds", type=int, default=10, help="load each server this long, after a warm-up (10)")
    arguments = parser.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("bench: `wrk` makes the load; install it (Debian: apt-get install wrk)")
    http, grpc, metrics = free_ports("127.0.0.1", 3)
    results = {}
    print(f"{'server':38} {'requests/s':>11} {'ratio':>7} {'p50 ms':>8} {'p99 ms':>8} {'errors':>7}")
    for name, argv in reversed(commands(http, grpc, metrics).items()):
        if not Path(argv[0]).exists():
            print(f"{name:38} left out: not installed on this Python")
            continue
        with served(argv, http):
            load(http, 2)
            results[name] = row = load(http, arguments.seconds)
        ratio = row["requests_per_s"] / next(iter(results.values()))["requests_per_s"]
        row["ratio"] = round(ratio, 2)
        print(
            f"{name:38} {row['requests_per_s']:11,.0f} {ratio:6.1f}× {row['p50_ms']:8.2f} {row['p99_ms']:8.2f} "
            f"{row['errors']:7.0f}",
            flush=True,
        )
    record = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        "versions": {name: version(name) for name in ("numpy", "scikit-learn", "orjson", "httptools", "uvloop")},
        "load": f"wrk, 1 thread, {CONNECTIONS} connections, {arguments.seconds} s, one row of two features",
        "results": results,
    }
    target = ROOT / "benchmarks" / "results" / "serve.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n")
    print(f"written to {target.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
