"""Measures sizes and times of the example's image, built in several ways on one base, for docs/image.md.

Run by hand: `.venv/bin/python benchmarks/images.py`, with a Docker that answers (`script/docker start`). s2i is taken
from PATH or from `script/tools`. Takes some minutes.
"""

import datetime
import http.client
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "script"), str(ROOT / "benchmarks")]

import image as building  # noqa: E402  script/image.py

from scorekit.net import free_ports  # noqa: E402

RESULT = ROOT / "benchmarks" / "results" / "image.json"
PAGE = ROOT / "docs" / "image.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
STARTS = 7
PREFIX = "scorekit-bench"
BODY = json.dumps({"data": {"ndarray": [[1.4, 0.2]]}})

PLAIN_APP = """
from fastapi import FastAPI
from MLModel import MLModel

model, app = MLModel(), FastAPI()

@app.post("/predict")
def predict(body: dict):
    return {"data": {"ndarray": model.predict(body["data"]["ndarray"]).tolist()}}
"""
# The usual advice: packages first, then the sources.
BY_HAND = """
FROM {base}
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ARG PIP_TRUSTED_HOST
RUN python3 -m venv /venv
ENV PATH=/venv/bin:$PATH
COPY requirements.txt /app/
RUN pip install --no-cache-dir -r /app/requirements.txt {packages}
COPY . /app
WORKDIR /app
CMD {command}
"""
STOCK = "'seldon-core==1.17.1' 'setuptools<80' 'numpy<2'"


def quietly(command: list[str], text: str | None = None) -> str:
    done = subprocess.run(command, input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        sys.exit(f"{command}\n{done.stdout}")
    return done.stdout


def by_hand(folder: Path, name: str, base: str, packages: str, command: str) -> None:
    settings = building.index_settings()
    flags = [flag for each, value in settings.items() for flag in ("--build-arg", f"{building.SETTINGS[each]}={value}")]
    text = BY_HAND.format(base=base, packages=packages, command=command)
    quietly(["docker", "build", "--tag", name, *flags, "--file", "-", str(folder)], text)


def size(name: str) -> int:
    return int(quietly(["docker", "image", "inspect", "--format", "{{.Size}}", name]))


def timed(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def start_s(name: str) -> float:
    """Returns the seconds from `docker run` to the first answered prediction."""
    (port,) = free_ports("127.0.0.1", 1)
    began = time.perf_counter()
    container = quietly(["docker", "run", "--detach", "-p", f"127.0.0.1:{port}:9000", name]).split()[-1]
    try:
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            try:
                connection.request("POST", "/predict", BODY, {"Content-Type": "application/json"})
                if connection.getresponse().status == 200:
                    return time.perf_counter() - began
            except (OSError, http.client.HTTPException):
                time.sleep(0.01)
            finally:
                connection.close()
            if time.perf_counter() - began > 120:
                sys.exit(f"{name} does not answer:\n{quietly(['docker', 'logs', container])}")
    finally:
        quietly(["docker", "rm", "--force", container])


def ways(folder: Path, base: str, builder: str) -> dict[str, tuple[str, Callable[[], None]]]:
    """Returns the image of each way, and what builds it."""
    engine = building.engine()

    def ours(incremental: bool, by_s2i: bool, name: str) -> Callable[[], None]:
        return lambda: building.build_component(engine, folder, builder, name, incremental, by_s2i)

    def hand(name: str, packages: str, command: str) -> Callable[[], None]:
        return lambda: by_hand(folder, name, base, packages, command)

    names = {each: f"{PREFIX}/{each}" for each in ("dockerfile", "s2i", "fastapi", "stock")}
    stock = '["seldon-core-microservice", "MLModel", "--service-type", "MODEL"]'
    return {
        "scorekit, `scorekit dockerfile`": (names["dockerfile"], ours(False, False, names["dockerfile"])),
        "scorekit, `s2i build`": (names["s2i"], ours(False, True, names["s2i"])),
        "scorekit, `s2i build --incremental`": (names["s2i"], ours(True, True, names["s2i"])),
        "by hand, FastAPI": (
            names["fastapi"],
            hand(names["fastapi"], "fastapi uvicorn", '["uvicorn", "app:app", "--host", "0.0.0.0", "--port", "9000"]'),
        ),
        "by hand, the stock wrapper": (names["stock"], hand(names["stock"], STOCK, stock)),
    }


def measured(folder: Path, base: str, builder: str) -> list[dict[str, Any]]:
    rows = []
    for way, (name, build) in ways(folder, base, builder).items():
        print(f"image: {way}", flush=True)
        first = timed(build)
        model = folder / "MLModel.py"
        model.write_text(f"{model.read_text()}# {way}\n")
        again = timed(build)
        starts = [start_s(name) for _ in range(STARTS + 1)][1:]
        rows.append(
            {
                "way": way,
                "over_base_mb": round((size(name) - size(base)) / 1e6),
                "build_s": round(first, 1),
                "rebuild_s": round(again, 1),
                "start_s": round(statistics.median(starts), 2),
                "start_least_s": round(min(starts), 2),
            }
        )
    return rows


def requirements_mb(builder: str) -> float:
    """Returns the installed size of the component's own requirements, in MB."""
    used = quietly(["docker", "run", "--rm", f"{PREFIX}/dockerfile", "du", "-sb", "/opt/component"]).split()[0]
    empty = quietly(["docker", "run", "--rm", builder, "du", "-sb", "/opt/component"]).split()[0]
    return round((int(used) - int(empty)) / 1e6)


def page(record: dict[str, Any]) -> str:
    lines = [
        "| way | MB over the base | build | rebuild after a change of the model | start to first prediction |",
        "|---|---|---|---|---|",
    ]
    for row in record["rows"]:
        cells = [f"{row['build_s']} s", f"{row['rebuild_s']} s", f"{row['start_s']} s"]
        lines.append(f"| {row['way']} | {row['over_base_mb']} | {' | '.join(cells)} |")
    return "\n".join(
        [
            *lines,
            "",
            f"The component's own requirements are {record['requirements_mb']} MB of each; the builder adds "
            f"{record['builder_mb']} MB to its base.",
            "",
            f"{record['date']}, {record['machine']}, load {record['load']}; base {record['base_mb']} MB. "
            f"Starts: the median of {STARTS}, the image warm.",
        ]
    )


def main() -> None:
    os.environ["PATH"] += f"{os.pathsep}{Path.home() / '.cache' / 'scorekit' / 'bin'}"
    if shutil.which("s2i") is None:
        sys.exit("s2i is not here: script/tools builds it")
    base = os.environ.get("BASE_IMAGE") or quietly([str(ROOT / "script" / "docker"), "base"]).split()[-1]
    os.environ["BASE_IMAGE"] = base
    builder = f"{PREFIX}/builder"
    building.build_builder(building.engine(), builder)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "component"
        shutil.copytree(ROOT / "seldon-ml-score-component", folder, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "app.py").write_text(PLAIN_APP)
        folder.chmod(0o755)
        rows = measured(folder, base, builder)
    record = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} cores, {os.uname().machine}, {os.uname().sysname}",
        "load": round(os.getloadavg()[2], 1),
        "base_mb": round(size(base) / 1e6),
        "builder_mb": round((size(builder) - size(base)) / 1e6),
        "requirements_mb": requirements_mb(builder),
        "rows": rows,
    }
    RESULT.write_text(json.dumps(record, indent=2) + "\n")
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{page(record)}\n{END}{after}")


if __name__ == "__main__":
    main()
