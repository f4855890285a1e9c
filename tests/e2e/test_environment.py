"""What a model reads of its own `.s2i/environment`, in the processes that `scorekit serve` starts."""

import json
import signal
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Command

pytestmark = pytest.mark.e2e

MODEL = """
import os
FOUND = [os.environ.get(name, "-") for name in ("THRESHOLD", "REGION", "TOKEN", "OMP_NUM_THREADS")]

class Reads:
    def predict(self, X, features_names):
        return [[each, *FOUND] for each in [os.getpid()] * len(X)]
"""


def found(port: int) -> tuple[int, list[str]]:
    """The id of a worker, and what its model read when it was imported."""
    url, body = f"http://127.0.0.1:{port}/predict", json.dumps({"data": {"ndarray": [[1]]}}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        pid, *values = json.load(answer)["data"]["ndarray"][0]
    return pid, values


def test_the_model_reads_what_its_environment_file_says(
    start: Callable[..., Command], port: int, tmp_path: Path
) -> None:
    """The file's variables are there before the model is imported; the environment wins; SIGHUP reads the file anew."""
    (tmp_path / "Reads.py").write_text(MODEL)
    (tmp_path / ".s2i").mkdir()
    file = tmp_path / ".s2i" / "environment"
    file.write_text("MODEL_NAME=Reads\nTHRESHOLD=a = 'b' $c\nREGION=file\nTOKEN=old\nOMP_NUM_THREADS=3\n")
    more = {"REGION": "told", "GUNICORN_WORKERS": "2"}
    command = start("serve", str(tmp_path), "--host", "127.0.0.1", "--http-port", str(port), **more)
    command.wait_for("serve.ready")
    seen = dict(found(port) for _ in range(40))
    assert set(map(tuple, seen.values())) == {("a = 'b' $c", "told", "old", "3")}

    file.write_text("MODEL_NAME=Reads\nTHRESHOLD=0.7\nREGION=new\nOMP_NUM_THREADS=3\n")
    command.process.send_signal(signal.SIGHUP)
    command.wait_for("worker.left", 2)
    renewed = dict(found(port) for _ in range(40))
    assert not seen.keys() & renewed.keys()
    assert set(map(tuple, renewed.values())) == {("0.7", "told", "-", "3")}
    assert command.stop() == 0
