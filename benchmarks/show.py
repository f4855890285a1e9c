"""Measures `ks show` from the shell: our app, and an app that uses `k`: the wheel's, and the whole library of
Kubernetes 1.8.0, three megabytes. Each as a multiple of an interpreter that starts and imports nothing.

    .venv/bin/python benchmarks/show.py [RUNS]
"""

import gzip
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from scorekit.ks.library import generate_library

ROOT = Path(__file__).parents[1]
USES_K = """
local k = import "k.libsonnet";
local deployment = k.apps.v1beta1.deployment;
local container = deployment.mixin.spec.template.spec.containersType;
local port = container.portsType.new(80);
deployment.new("web", 2, container.new("web", "nginx") + container.withPorts(port), { app: "web" })
"""


def shown(app: Path) -> Sequence[str]:
    return [sys.executable, "-m", "scorekit.cli.ks", "show", "default", "--dir", str(app)]


def app_with_k(folder: Path, library: dict[str, str]) -> Path:
    app = folder / ("generated" if library else "wheel")
    init = ["init", "app", "--dir", str(app), "--server=https://localhost", "--skip-default-registries"]
    subprocess.run([sys.executable, "-m", "scorekit.cli.ks", *init], check=True, capture_output=True)
    (app / "components/web.jsonnet").write_text(USES_K)
    for name, text in library.items():
        path = app / "lib/ksonnet-lib/v1.8.0" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return app


def best(command: Sequence[str], runs: int, clock: Callable[[], float] = time.perf_counter) -> float:
    """Returns the seconds of the quickest run."""
    took = []
    for _ in range(runs):
        started = clock()
        subprocess.run(command, check=True, capture_output=True)
        took.append(clock() - started)
    return min(took)


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    swagger = gzip.decompress((ROOT / "tests/data/kubernetes-v1.8.0.json.gz").read_bytes()).decode()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cases = {
            "python, nothing imported": [sys.executable, "-c", "pass"],
            "ks show, our app": shown(ROOT / "ksonnet-app"),
            "ks show, k of the wheel": shown(app_with_k(folder, {})),
            "ks show, k of 1.8.0, 3 MB": shown(app_with_k(folder, generate_library(swagger))),
        }
        took = {case: best(command, runs) for case, command in cases.items()}
    base = next(iter(took.values()))
    for case, seconds in took.items():
        print(f"{case:27} {seconds:6.3f} s  {seconds / base:5.1f}×")


if __name__ == "__main__":
    main()
