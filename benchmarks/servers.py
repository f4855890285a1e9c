"""Every server of the benchmark: its environment, its command and its requests."""

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RIVALS = HERE / "rivals"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "scorekit" / "bench"

Rows = list[list[float]]
Body = Callable[[Rows], Any]


def ndarray(rows: Rows) -> Any:
    return {"data": {"ndarray": rows}}


def tensor(rows: Rows) -> Any:
    return {
        "data": {"tensor": {"shape": [len(rows), len(rows[0])], "values": [value for row in rows for value in row]}}
    }


def inference(rows: Rows) -> Any:
    flat = [value for row in rows for value in row]
    return {"inputs": [{"name": "x", "shape": [len(rows), len(rows[0])], "datatype": "FP64", "data": flat}]}


@dataclass(frozen=True)
class Server:
    """One server. ``command`` is a function of the folder of its programs, its own folder and its ports."""

    name: str
    command: Callable[[Path, Path, Sequence[int]], list[str]]
    path: str
    bodies: dict[str, Body]
    """The JSON forms that the server accepts; the first one is compared."""
    package: str
    """The package whose version is reported."""
    environ: dict[str, str] = field(default_factory=dict)
    grpc: str = ""
    """The path of the prediction over gRPC, if there is one."""
    workers: Callable[[int], tuple[list[str], dict[str, str]]] | None = None
    """Arguments and variables for several workers."""
    folder: str = ""
    """The folder of its files in ``rivals``; its own name if empty."""
    source: Path | None = None
    """A folder that goes first on its Python path, or ``None``."""

    def body(self, rows: Rows, form: str = "") -> bytes:
        """Returns a request in one of its JSON forms, by default the first."""
        return json.dumps(self.bodies[form or next(iter(self.bodies))](rows)).encode()


def _scorekit(programs: Path, folder: Path, ports: Sequence[int]) -> list[str]:
    return [
        *(str(programs / "scorekit"), "serve", str(folder), "--host", "127.0.0.1", "--http-port", str(ports[0])),
        *("--grpc-port", str(ports[1]), "--metrics-port", str(ports[2])),
    ]


def _stock(programs: Path, folder: Path, ports: Sequence[int]) -> list[str]:
    numbers = ("--http-port", str(ports[0]), "--grpc-port", str(ports[1]), "--metrics-port", str(ports[2]))
    return [str(programs / "seldon-core-microservice"), "Bench", *numbers]


SERVERS = [
    Server(
        "scorekit",
        _scorekit,
        "/predict",
        {"ndarray": ndarray, "tensor": tensor},
        "scorekit",
        {"MODEL_NAME": "Bench", "BATCHING": "auto"},
        "/seldon.protos.Model/Predict",
        lambda count: ([], {"GUNICORN_WORKERS": str(count)}),
    ),
    Server(
        "seldon-core",
        _stock,
        "/predict",
        {"ndarray": ndarray, "tensor": tensor},
        "seldon-core",
        {},
        "/seldon.protos.Model/Predict",
        lambda count: ([], {"GUNICORN_WORKERS": str(count)}),
    ),
    Server(
        "FastAPI",
        lambda programs, folder, ports: [
            *(str(programs / "uvicorn"), "app:app", "--host", "127.0.0.1", "--port", str(ports[0])),
            *("--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"),
        ],
        "/predict",
        {"rows": lambda rows: {"rows": rows}},
        "fastapi",
        workers=lambda count: (["--workers", str(count)], {}),
    ),
    Server(
        "LitServe",
        lambda programs, folder, ports: [str(programs / "python"), "app.py", str(ports[0])],
        "/predict",
        {"rows": lambda rows: {"rows": rows}},
        "litserve",
    ),
    Server(
        "MLServer",
        lambda programs, folder, ports: [str(programs / "mlserver"), "start", str(folder)],
        "/v2/models/bench/infer",
        {"v2": inference},
        "mlserver",
        grpc="/inference.GRPCInferenceService/ModelInfer",
    ),
    Server(
        "BentoML",
        lambda programs, folder, ports: [
            *(str(programs / "bentoml"), "serve", "service:Bench", "--host", "127.0.0.1", "--port", str(ports[0])),
        ],
        "/predict",
        {"x": lambda rows: {"x": rows}},
        "bentoml",
        {"BENTOML_DO_NOT_TRACK": "True"},
    ),
]


# The plots are drawn in an environment of their own too.
PLOTS = Server("plots", lambda *_: [], "", {}, "matplotlib")


def folder_of(server: Server) -> Path:
    return RIVALS / (server.folder or server.name.lower())


def programs_of(server: Server) -> Path:
    """Returns ``bin`` of an environment with the server's pinned requirements, made once; ours has this source tree."""
    requirements = folder_of(server) / "requirements.txt"
    mark = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:12]
    home = CACHE / f"{server.name.lower()}-{mark}"
    done = home / "done"
    python = home / "bin" / "python"
    if not done.exists():
        print(f"bench: making the environment of {server.name} …", file=sys.stderr, flush=True)
        shutil.rmtree(home, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        _pip(python, "-r", str(requirements))
        done.touch()
    if server.name == "scorekit":
        _pip(python, "--force-reinstall", "--no-deps", str(HERE.parent))
        _pip(python, str(HERE.parent))
    return home / "bin"


def _pip(python: Path, *arguments: str) -> None:
    subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *arguments], check=True)


def version_of(server: Server, programs: Path) -> str:
    code = f"import importlib.metadata as m; print(m.version({server.package!r}))"
    argv = [str(programs / "python"), "-c", code]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()


class Running:
    """A running server that answers."""

    def __init__(self, server: Server, process: subprocess.Popen[bytes], ports: list[int], started_s: float) -> None:
        self.server = server
        self.process = process
        self.ports = ports
        self.started_s = started_s
        """Seconds from its command to its first answer."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports[0]}{self.server.path}"

    @property
    def grpc_url(self) -> str:
        return f"http://127.0.0.1:{self.ports[1]}{self.server.grpc}"

    def cpu_s(self) -> float:
        """Returns the CPU seconds of all its processes up to now (Linux)."""
        ticks = 0
        for pid in family(self.process.pid):
            with contextlib.suppress(OSError):
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12])  # utime, stime: fields 14 and 15 of proc(5)
        return ticks / os.sysconf("SC_CLK_TCK")

    def memory_mb(self) -> tuple[float, float]:
        """Returns proportional and private memory of all its processes, in MB (Linux)."""
        proportional = private = 0
        for pid in family(self.process.pid):
            with contextlib.suppress(OSError):
                for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                    key, _, value = line.partition(":")
                    if key == "Pss":
                        proportional += int(value.split()[0])
                    elif key in ("Private_Clean", "Private_Dirty"):
                        private += int(value.split()[0])
        return proportional / 1024, private / 1024


@contextlib.contextmanager
def running(
    server: Server,
    ports: list[int],
    programs: Path,
    features: int = 4,
    sleep_s: float = 0.0,
    spin_s: float = 0.0,
    workers: int = 1,
) -> Iterator[Running]:
    """Yields the server after its first answer, and ends it with the block."""
    with tempfile.TemporaryDirectory() as made, tempfile.TemporaryFile() as log:
        folder = _component(server, Path(made), features, ports)
        more, variables = server.workers(workers) if server.workers and workers > 1 else ([], {})
        environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))},
            **server.environ,
            **variables,
            "PYTHONPATH": os.pathsep.join(map(str, filter(None, (server.source, HERE, RIVALS, folder)))),
            "BENCH_FEATURES": str(features),
            "BENCH_SLEEP_S": str(sleep_s),
            "BENCH_SPIN_S": str(spin_s),
        }
        began = time.perf_counter()
        process = subprocess.Popen(
            server.command(programs, folder, ports) + more,
            cwd=folder,
            env=environ,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            body = server.body([[0.5] * features])
            url = f"http://127.0.0.1:{ports[0]}{server.path}"
            while not answers(url, body):
                if process.poll() is not None or time.perf_counter() - began > 120:
                    log.seek(0)
                    raise SystemExit(f"{server.name} did not start:\n{log.read().decode()[-3000:]}")
                time.sleep(0.01)
            yield Running(server, process, ports, time.perf_counter() - began)
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends a server and waits for all its processes: a remaining one would take CPU time from the next server."""
    processes = family(process.pid)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, 15)
    deadline = time.perf_counter() + 15
    while any(map(_runs, processes)) and time.perf_counter() < deadline:
        process.poll()
        time.sleep(0.05)
    for pid in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, 9)
    process.wait(30)


def family(root: int) -> list[int]:
    """Returns a process and all its descendants."""
    table = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = [tuple(map(int, line.split())) for line in table.splitlines()]
    found = {root}
    for _ in pairs:
        found |= {pid for pid, parent in pairs if parent in found}
    return sorted(found)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _component(server: Server, made: Path, features: int, ports: Sequence[int]) -> Path:
    """Writes a folder with the server's own files and with those that depend on the model and the ports."""
    shutil.copytree(folder_of(server), made, dirs_exist_ok=True)
    if folder_of(server).name == "scorekit":
        column = {"name": "x", "ftype": "continuous", "dtype": "FLOAT", "range": [-10, 10], "repeat": features}
        target = {"name": "y", "ftype": "continuous", "dtype": "FLOAT", "range": [0, 1], "repeat": 3}
        (made / "contract.json").write_text(json.dumps({"features": [column], "targets": [target]}))
    if server.name == "MLServer":
        settings = {"host": "127.0.0.1", "parallel_workers": 0, "debug": False, "metrics_port": ports[2]}
        settings |= {"http_port": ports[0], "grpc_port": ports[1]}
        (made / "settings.json").write_text(json.dumps(settings))
    return made


def answers(url: str, body: bytes) -> bool:
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return bool(response.status == 200)
    except OSError:
        return False


@contextlib.contextmanager
def nginx(port: int, answer: bytes) -> Iterator[str]:
    """Runs nginx with one worker, which answers every request with the same bytes: the ceiling."""
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    with tempfile.TemporaryDirectory() as made:
        config = Path(made) / "nginx.conf"
        text = answer.decode().strip().replace("'", "")
        config.write_text(
            f"worker_processes 1; daemon off; pid {made}/pid; error_log {made}/error.log;\n"
            "events { worker_connections 1024; }\n"
            f"http {{ access_log off; keepalive_requests 1000000000; server {{ listen 127.0.0.1:{port};\n"
            f"location / {{ default_type application/json; return 200 '{text}'; }} }} }}\n"
        )
        process = subprocess.Popen([program, "-c", str(config), "-e", f"{made}/error.log"])
        try:
            time.sleep(0.5)
            yield f"http://127.0.0.1:{port}/predict"
        finally:
            process.terminate()
            process.wait(10)
