"""Runs the load generators: wrk and h2load in closed loops, openloop.py at fixed rates."""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

HERE = Path(__file__).parent
CONNECTIONS = 32

Result = dict[str, float]


def wrk(url: str, body: bytes, seconds: float) -> Result:
    """Requests per second, errors, and the closed-loop median and 99th percentile in milliseconds."""
    with tempfile.TemporaryDirectory() as made:
        (Path(made) / "body").write_bytes(body)
        script = Path(made) / "script.lua"
        script.write_text(
            f'local file = io.open("{made}/body", "rb")\nwrk.method = "POST"\nwrk.body = file:read("*a")\n'
            'wrk.headers["Content-Type"] = "application/json"\n'
        )
        argv = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", "--latency", "--timeout", "10s"]
        text = _printed([*argv, "-s", str(script), url])
    errors = sum(int(count) for count in re.findall(r"(?:connect|read|write|timeout|responses:) (\d+)", text))
    return {
        "requests_per_s": float(_found(r"Requests/sec:\s+([\d.]+)", text)),
        "errors": errors,
        "p50_ms": _milliseconds(_found(r"(?m)^ +50%\s+(\S+)", text)),
        "p99_ms": _milliseconds(_found(r"(?m)^ +99%\s+(\S+)", text)),
    }


def h2load(url: str, message: bytes, seconds: float, warm_up_s: int = 1) -> Result:
    """Returns gRPC calls per second over 4 connections of 8 streams, and the failed calls."""
    with tempfile.NamedTemporaryFile() as body:
        body.write(b"\0" + len(message).to_bytes(4, "big") + message)
        body.flush()
        argv = [
            "h2load",
            "-t1",
            "-c4",
            "-m8",
            f"-D{max(1, round(seconds))}",
            "--warm-up-time",
            str(warm_up_s),
            "-d",
            body.name,
        ]
        text = _printed([*argv, "-H", "content-type: application/grpc", "-H", "te: trailers", url])
    failed = int(_found(r"(\d+) failed", text)) + int(_found(r"(\d+) errored", text))
    return {"requests_per_s": float(_found(r"([\d.]+) req/s", text)), "errors": failed}


def at_rate(url: str, body: bytes, rate: float, seconds: float, connections: int = 64) -> Result:
    """Returns latency percentiles, in milliseconds, at a fixed rate."""
    parts = urlsplit(url)
    with tempfile.NamedTemporaryFile() as file:
        file.write(body)
        file.flush()
        where = [str(parts.hostname), str(parts.port), parts.path]
        numbers = [str(rate), str(seconds), str(connections)]
        text = _printed([sys.executable, str(HERE / "openloop.py"), *where, file.name, *numbers])
    result: Result = json.loads(text)
    return result


def _printed(argv: list[str]) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{argv[0]} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise SystemExit(f"the load generator said something unexpected:\n{text}")
    return match[1]


def _milliseconds(text: str) -> float:
    match = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text)
    if match is None:
        raise SystemExit(f"wrk said something unexpected: {text}")
    return float(match[1]) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60_000}[match[2]]
