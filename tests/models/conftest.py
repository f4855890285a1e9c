"""Components with real model libraries, and servers in the environment of script/models."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ..e2e.conftest import ROOT, Command
from ..ports import free_ports

CONTRACT = {
    "features": [{"name": "x", "dtype": "FLOAT", "ftype": "continuous", "range": [-2, 2], "repeat": 4}],
    "targets": [{"name": "y", "dtype": "FLOAT", "ftype": "continuous"}],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedModel:
    """A component in a folder, and the answers that it gives without a server."""

    folder: Path
    version: str
    answers: list[float]


@pytest.fixture(scope="session")
def python() -> str:
    """The Python that has the libraries. Without an index to install them from, its tests skip; in CI they fail."""
    made = subprocess.run([ROOT / "script" / "models"], stdout=subprocess.PIPE, text=True, check=False)
    if made.returncode:
        assert os.environ.get("CI") != "true", "script/models has failed"
        pytest.skip("script/models has failed: there is no package index")
    return made.stdout.strip()


@pytest.fixture
def trained(python: str, tmp_path: Path) -> Callable[[str, str, bool], TrainedModel]:
    """Trains a model of a library; the component reads it in ``__init__`` or ``load``, with or without a contract."""

    def make(library: str, place: str, contract: bool) -> TrainedModel:
        script = str(Path(__file__).with_name("train.py"))
        done = subprocess.run([python, script, library, place, str(tmp_path)], stdout=subprocess.PIPE, check=True)
        result = json.loads(done.stdout.splitlines()[-1])
        print(library, result["version"])
        (tmp_path / ".s2i").mkdir()
        (tmp_path / ".s2i" / "environment").write_text("MODEL_NAME=Mine\n")
        if contract:
            (tmp_path / "contract.json").write_text(json.dumps(CONTRACT))
        return TrainedModel(folder=tmp_path, **result)

    return make


@pytest.fixture
def start(python: str) -> Iterator[Callable[..., Command]]:
    """Starts servers in the environment of the libraries; whatever still runs after the test is ended."""
    started: list[Command] = []

    def run(*arguments: str, **environ: str) -> Command:
        # A loop of threads shows a hang only if there is more than one.
        more = {"PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "2"} | environ
        started.append(Command(*arguments, cwd=None, python=python, **more))
        return started[-1]

    yield run
    for command in started:
        command.close()


@pytest.fixture
def port() -> int:
    """A free port."""
    return free_ports("127.0.0.1", 1)[0]
