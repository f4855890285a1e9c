"""Counts requests that are lost while servers end, reload and replace their workers under load, in three runs.

`script/bench drain` runs this: `tests/e2e/test_drain.py` with 20,000 requests of REST and of gRPC each in every case.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from typing import Any

from servers import HERE, PLOTS, programs_of

REQUESTS, RUNS = 20_000, 3


def main() -> None:
    runs: list[list[dict[str, Any]]] = []
    for number in range(1, RUNS + 1):
        with tempfile.NamedTemporaryFile("r") as told:
            environ = {**os.environ, "DRAIN_REQUESTS": str(REQUESTS), "DRAIN_RESULTS": told.name}
            argv = [sys.executable, "-m", "pytest", "-q", "tests/e2e/test_drain.py"]
            status = subprocess.run(argv, cwd=HERE.parent, env=environ, check=False).returncode
            cases = [json.loads(line) for line in told]
        for case in cases:
            rest, calls = case["rest"], case["grpc"]
            lost = sum(rest["lost"].values()) + sum(calls["lost"].values())
            answered = f"{rest['answered']:,} + {calls['answered']:,} answered"
            print(f"run {number}: {case['case']:50} {answered:30} {lost} lost", flush=True)
        if status:
            raise SystemExit(f"drain: run {number} failed")
        runs.append(cases)
    record = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}",
        "python": platform.python_version(),
        "runs": runs,
    }
    (HERE / "results" / "drain.json").write_text(json.dumps(record, indent=1) + "\n")
    subprocess.run([programs_of(PLOTS) / "python", HERE / "robust.py"], check=True)


if __name__ == "__main__":
    main()
