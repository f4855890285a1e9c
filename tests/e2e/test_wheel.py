"""The wheel, alone in an empty environment: what a container gets that installs `scorekit` and nothing else."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# The rooms of the serving half, as tests/test_layers.py has them, and the doors.
SERVING = ["errors", "settings", "message", "proto", "codec", "metrics", "model", "inference", "serve", "cli.serve"]
# The tester, but for what draws its random data, which needs the extra `test`.
TESTING = [
    *("contract", "tester.clients", "cli.test", "cli.contract", "cli.printing"),
    *("tester.session", "tester.report", "tester.cases", "tester.laws"),
]
ANY_GRPC_PORT = ["--grpc-port", "0"]
ANSWERED_WITHIN_S = 20

IMPORT_EACH = """
import importlib, pkgutil, sys
for name in sys.argv[1:]:
    module = importlib.import_module(f"scorekit.{name}")
    for each in pkgutil.walk_packages(getattr(module, "__path__", []), f"scorekit.{name}."):
        importlib.import_module(each.name)
"""
COMPONENT = """
class Doubler:
    def predict(self, X, features_names):
        return X * 2
"""


def output(*command: str | Path, cwd: Path | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, env=environ(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def pip(folder: Path, *arguments: str | Path) -> str:
    """Our own pip, at work on the environment whose bin folder this is: that one has none."""
    return output(sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", folder / "python", *arguments)


def environ() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tree, made = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("made")
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, tree)
    for name in ("src", "tests"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    output(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", made, tree)
    (found,) = made.glob("*.whl")
    return found


def lowest() -> list[str]:
    """The dependencies at the lowest versions that pyproject.toml declares."""
    return [requirement.replace(">=", "==") for requirement in PROJECT["dependencies"]]


@pytest.fixture(scope="module", params=["newest", "lowest"])
def installed(request: pytest.FixtureRequest, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an environment that holds the wheel and its base dependencies."""
    if request.param == "lowest" and sys.version_info >= (3, 13):
        pytest.skip("the lowest versions have no wheels from Python 3.13 on")
    folder = tmp_path_factory.mktemp(request.param)
    venv.create(folder, with_pip=False, symlinks=True)
    constraints = folder / "constraints.txt"
    constraints.write_text("\n".join(lowest() if request.param == "lowest" else []))
    pip(folder / "bin", "install", "--quiet", "--only-binary", ":all:", "--constraint", constraints, wheel)
    return folder / "bin"


def test_the_wheel_holds_the_package_and_its_licence(wheel: Path) -> None:
    """The wheel carries the licence, the mark of a typed package, and no tests or caches."""
    names = set(zipfile.ZipFile(wheel).namelist())
    folders = {name.split("/")[0] for name in names}
    assert {"scorekit/py.typed", "scorekit/proto/prediction.proto"} <= names
    data = ROOT / "src" / "scorekit" / "builtin"
    assert {f"scorekit/builtin/{path.relative_to(data)}" for path in data.rglob("*.*") if path.is_file()} <= names
    assert any(re.fullmatch(r"scorekit-[^/]+\.dist-info/licenses/LICENSE", name) for name in names)
    assert any(name.endswith(".dist-info/licenses/NOTICE") for name in names)
    assert folders == {"scorekit", wheel.name.split("-py3")[0] + ".dist-info"}
    assert not [name for name in names if "test_" in name or "__pycache__" in name]


def test_serving_brings_seven_packages(installed: Path) -> None:
    """`pip install scorekit` brings the seven packages that serving needs, what they need, and nothing else."""
    listed = {each["name"] for each in json.loads(pip(installed, "list", "--format", "json"))}
    assert listed - {"pip", "setuptools"} == {
        *("scorekit", "numpy", "orjson", "httptools", "uvloop", "protobuf"),
        *("python-multipart", "hpack"),
    }


def test_the_command_tells_its_version(installed: Path) -> None:
    """`scorekit --version` runs without the extras and tells the version that the wheel has."""
    told = output(installed / "scorekit", "--version")
    assert told.split() == ["scorekit", output(installed / "python", "-c", VERSION).strip()]


VERSION = "import importlib.metadata; print(importlib.metadata.version('scorekit'))"


def test_the_serving_half_imports_alone(installed: Path, tmp_path: Path) -> None:
    """Every module of the serving half imports without the extras and without a warning."""
    output(installed / "python", "-W", "error", "-c", IMPORT_EACH, *SERVING, cwd=tmp_path)


def test_the_tester_says_what_it_lacks(installed: Path, tmp_path: Path) -> None:
    """Its modules import without the extras; a contract is sampled; to test, it names the extra and exits with 2."""
    output(installed / "python", "-W", "error", "-c", IMPORT_EACH, *TESTING, cwd=tmp_path)
    contract = str(ROOT / "contract.json")
    sampled = output(installed / "scorekit", "contract", "sample", contract)
    assert json.loads(sampled.splitlines()[0])["data"]["names"] == ["petal_length_cm", "petal_width_cm"]
    test: list[str | Path] = [installed / "scorekit", "test"]
    done = subprocess.run([*test, contract, "127.0.0.1:1"], env=environ(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "pip install '.[test]' in a checkout of scorekit" in done.stderr


def test_it_serves_a_component(installed: Path, tmp_path: Path) -> None:
    """The installed command serves a component of the user's, in a folder that holds nothing but the class."""
    (tmp_path / "Doubler.py").write_text(COMPONENT)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    server = subprocess.Popen(
        [installed / "scorekit", "serve", "Doubler", "--host", "127.0.0.1", "--http-port", str(port), *ANY_GRPC_PORT],
        cwd=tmp_path,
        env=environ(),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        answer = json.loads(answered(server, f"http://127.0.0.1:{port}/predict", b'{"data":{"ndarray":[[1,2]]}}'))
        assert answer["data"]["ndarray"] == [[2.0, 4.0]]
    finally:
        server.terminate()
        server.communicate(timeout=10)


def test_it_writes_a_component(installed: Path, tmp_path: Path) -> None:
    """The templates of `scorekit init` are in the wheel, and none of their placeholders is left."""
    for how in ("npz", "joblib"):
        output(installed / "scorekit", "init", how, "--name", "Wine", "--model-file", how, cwd=tmp_path)
        compile((tmp_path / how / "Wine.py").read_text(), "Wine.py", "exec")
        assert f"model.{how}" in (tmp_path / how / "train.py").read_text()
        assert "MODEL_NAME=Wine\n" in (tmp_path / how / ".s2i" / "environment").read_text()


def answered(server: "subprocess.Popen[str]", url: str, body: bytes) -> bytes:
    deadline = time.monotonic() + ANSWERED_WITHIN_S
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    while True:
        try:
            with urllib.request.urlopen(request, timeout=5) as response:
                return bytes(response.read())
        except urllib.error.HTTPError as error:
            pytest.fail(f"{error.code} {error.read().decode()}")
        except OSError:
            if server.poll() is not None or time.monotonic() > deadline:
                server.kill()
                pytest.fail(f"no answer from the server:\n{server.communicate()[1]}")
            time.sleep(0.05)
