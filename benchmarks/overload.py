"""Measures what is answered in time beyond the capacity: scorekit and the stock wrapper.

`script/bench overload` runs this. Each server is asked at shares of its own capacity, by clients that wait for a second
(`flood.py`), while its health is asked twenty times a second over connections of its own.
"""

import argparse
import dataclasses
import http.client
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from servers import HERE, PLOTS, SERVERS, Running, Server, programs_of, running, version_of

from scorekit.net import free_ports

SHARES = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0)
ROUNDS = 3  # one after the other over all shares, for a machine has better and worse minutes
ROW = [[5.1, 3.5, 1.4, 0.2]]
CASES: dict[str, dict[str, Any]] = {
    "a model that waits for 5 ms": {"sleep_s": 0.005},
    "a model that computes for 2 ms": {"spin_s": 0.002},
}
"""Work added to each call of the logistic regression."""


def flood(up: Running, rate: float, seconds: float) -> dict[str, Any]:
    """Sends ``rate`` requests per second, or, if it is 0, as many as the server answers."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(up.server.body(ROW))
        file.flush()
        argv = [sys.executable, str(HERE / "flood.py"), "127.0.0.1", str(up.ports[0]), up.server.path]
        done = subprocess.run([*argv, file.name, str(rate), str(seconds)], capture_output=True, text=True, check=True)
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


@contextmanager
def health(port: int) -> Iterator[dict[str, Any]]:
    """Asks for the health during the block; the yielded dictionary is filled when the block ends."""
    over = threading.Event()
    took: list[float] = []
    failed: list[str] = []
    figures: dict[str, Any] = {}

    def ask() -> None:
        while not over.wait(0.05):
            began = time.perf_counter()
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
            try:
                connection.request("GET", "/health/status")
                if (status := connection.getresponse().status) != 200:
                    failed.append(str(status))
            except OSError as error:
                failed.append(type(error).__name__)
            finally:
                connection.close()
            took.append(time.perf_counter() - began)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield figures
    finally:
        over.set()
        asking.join()
        took.sort()
        if took:
            figures |= {"health_p50_ms": took[len(took) // 2] * 1000, "health_max_ms": took[-1] * 1000}
            figures |= {"health_p99_ms": took[int(0.99 * len(took))] * 1000}
        figures |= {"health_asked": len(took), "health_failed": len(failed)}


def median_of(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """Returns the median of each figure over the rounds that have it."""
    names = [name for name in rounds[0] if name != "outcomes"]
    figures = {name: [each[name] for each in rounds if each.get(name) is not None] for name in names}
    return {name: statistics.median(values) if values else None for name, values in figures.items()}


def measured(server: Server, added: dict[str, Any], seconds: float) -> dict[str, Any]:
    programs = programs_of(server)

    def start() -> Any:
        return running(server, free_ports("127.0.0.1", 3), programs, **added)

    with start() as up:
        flood(up, 0, 2)
        capacity = flood(up, 0, seconds)["goodput_per_s"]
    print(f"  {server.name}: {capacity:,.0f} requests/s in a closed loop", flush=True)
    rounds: list[list[dict[str, Any]]] = [[] for _ in SHARES]
    for _ in range(ROUNDS):
        for share, points_of_share in zip(SHARES, rounds, strict=True):
            with start() as up:
                flood(up, 0, 1.5)  # warm, and known to be as slow as it is
                with health(up.ports[0]) as health_figures:
                    point = flood(up, share * capacity, seconds)
            points_of_share.append(point | health_figures)
    points = [median_of(each) | {"share": share} for share, each in zip(SHARES, rounds, strict=True)]
    for each in points:
        print(
            f"  {server.name} {each['share']:4.1f} × {each['offered_per_s']:8,.0f} /s: {each['goodput_per_s']:8,.0f} "
            f"in time, p50 {each['p50_ms'] or 0:6.1f} ms, refused p50 {each['refused_p50_ms'] or 0:5.1f} ms, "
            f"health p50 {each['health_p50_ms']:5.1f} max {each['health_max_ms']:7.1f} ms; "
            f"{[point['outcomes'] for point in rounds[SHARES.index(each['share'])]]}",
            flush=True,
        )
    return {"capacity_per_s": capacity, "points": points}


def main() -> None:
    parser = argparse.ArgumentParser(description="Goodput against offered load.")
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--case", choices=CASES, help="this one alone")
    arguments = parser.parse_args()
    # Without merging, which would make the capacity a matter of how many wait.
    servers = [
        dataclasses.replace(
            each, environ={**each.environ, "BATCHING": "off"} if each.name == "scorekit" else each.environ
        )
        for each in SERVERS
        if each.name in ("scorekit", "seldon-core")
    ]
    cases: dict[str, Any] = {}
    for case, added in CASES.items():
        if arguments.case not in (None, case):
            continue
        print(case, flush=True)
        cases[case] = {server.name: measured(server, added, arguments.seconds) for server in servers}
    record = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}",
        "python": platform.python_version(),
        "versions": {server.name: version_of(server, programs_of(server)) for server in servers},
        "seconds": arguments.seconds,
        "cases": cases,
    }
    (HERE / "results" / "overload.json").write_text(json.dumps(record, indent=1) + "\n")
    subprocess.run([programs_of(PLOTS) / "python", HERE / "robust.py"], check=True)


if __name__ == "__main__":
    main()
