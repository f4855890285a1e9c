"""Counts the requests that are lost on a real node while the pods of a component are replaced.

`script/bench cluster` runs `tests/cluster/test_component.py` three times, with 10,000 requests of REST and of gRPC
each in every case. The result is benchmarks/results/cluster.json.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "cluster.json"


def main() -> None:
    parser = argparse.ArgumentParser(prog="script/bench cluster", description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3, help="how often (default: 3)")
    parser.add_argument("--requests", type=int, default=10_000, help="requests of each kind in each case (10000)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        lines = Path(made) / "cases"
        environ = os.environ | {"CLUSTER_REQUESTS": str(arguments.requests), "CLUSTER_RESULTS": str(lines)}
        argv = [sys.executable, "-m", "pytest", "-q", "tests/cluster/test_component.py", "-k", "loses_nothing"]
        failed = 0
        for number in range(1, arguments.rounds + 1):
            print(f"round {number} of {arguments.rounds}", flush=True)
            failed += subprocess.run(argv, cwd=ROOT, env=environ, check=False).returncode != 0
        cases = [json.loads(line) for line in lines.read_text().splitlines()] if lines.exists() else []
    record = {"date": datetime.now(UTC).isoformat(timespec="seconds"), "rounds": arguments.rounds, "cases": cases}
    RESULTS.write_text(json.dumps(record, indent=1) + "\n")
    for case in cases:
        for kind in ("rest", "grpc"):
            counts = case[kind]
            print(f"{case['case']:16} {kind:5} {counts['answered']:8,} answered, lost {sum(counts['lost'].values())}")
    if failed:
        sys.exit(f"{failed} of {arguments.rounds} rounds failed")


if __name__ == "__main__":
    main()
