"""`scorekit test` against served components with a planted fault each."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import COMPONENT, Command

pytestmark = pytest.mark.e2e

CONTRACT = {
    "features": [
        {"name": "size", "ftype": "continuous", "dtype": "FLOAT", "range": [0, 10]},
        {"name": "colour", "ftype": "categorical", "values": [0, 1, 2]},
    ],
    "targets": [
        {"name": "low", "ftype": "continuous", "dtype": "FLOAT", "range": [0, 1]},
        {"name": "high", "ftype": "continuous", "dtype": "FLOAT", "range": [0, 1]},
    ],
}
HEALTHY = """
import numpy as np
class Planted:
    seen = 0.0
    def predict(self, X, names, meta=None):
        X = np.asarray(X, dtype=float).reshape(-1, 2)
        p = X[:, 0] / 10
        out = np.column_stack([1 - p, p])
        {fault}
        return out
"""
FAULTS = {
    "target count": "out = out[:, :1]",
    "finite numbers": "out[X[:, 1] == 2] = np.nan",
    "batch = single rows": "out = out[:, ::-1] if len(X) > 1 else out",
    "empty batch": "assert len(X), 'no rows'",
    "no memory": "last, self.seen = self.seen, float(p.sum()); out = out * (1 - 1e-3 * min(last, 10))",
    "target range": "out = out + (X[:, [0]] > 9.5)",
}


def served(start: Callable[..., Command], port: int, folder: Path, fault: str) -> None:
    (folder / "contract.json").write_text(json.dumps(CONTRACT, indent=1))
    (folder / "Planted.py").write_text(HEALTHY.replace("{fault}", fault))
    start("serve", "Planted", "--host", "127.0.0.1", "--http-port", str(port), cwd=folder).wait_for("serve.ready")


def verdicts_of(start: Callable[..., Command], port: int, folder: Path, *more: str) -> tuple[int, dict[str, str]]:
    """The exit status, and each law's verdict."""
    url = f"http://127.0.0.1:{port}"
    command = start("test", "contract.json", url, "--json", "out.json", "--max-examples", "20", *more, cwd=folder)
    status = command.ended()
    (server,) = json.loads((folder / "out.json").read_text())["servers"]
    return status, {law["law"]: law["verdict"] for law in server["laws"]}


@pytest.mark.parametrize("law", FAULTS)
def test_a_planted_fault_is_found_by_its_law(
    start: Callable[..., Command], port: int, tmp_path: Path, law: str
) -> None:
    """The exit status is 1, the law that the fault breaks is named, and its saved case breaks it again."""
    served(start, port, tmp_path, FAULTS[law])
    status, verdicts = verdicts_of(start, port, tmp_path, "--phases", "examples,boundaries,random")
    assert (status, verdicts[law]) == (1, "broken"), verdicts
    saved = f"scorekit-cases/{law.replace(' ', '-').replace('=', 'is')}.json"
    assert start("test", "contract.json", f"127.0.0.1:{port}", "--replay", saved, cwd=tmp_path).ended() == 1


def test_a_component_without_faults_passes(start: Callable[..., Command], port: int, tmp_path: Path) -> None:
    """Where nothing is planted nothing is found, and feedback that the server lacks is told, not blamed."""
    served(start, port, tmp_path, "")
    status, verdicts = verdicts_of(start, port, tmp_path, "--phases", "examples,boundaries,random,feedback")
    assert status == 0, verdicts
    assert verdicts["feedback"] in ("not available", "held")


def test_the_example_component_keeps_its_contract(start: Callable[..., Command], port: int, tmp_path: Path) -> None:
    """Our own component holds every law on rows that its contract allows."""
    start("serve", str(COMPONENT), "--host", "127.0.0.1", "--http-port", str(port)).wait_for("serve.ready")
    (tmp_path / "contract.json").write_text((COMPONENT / "contract.json").read_text())
    status, verdicts = verdicts_of(start, port, tmp_path, "--phases", "examples,boundaries,random,feedback")
    assert status == 0, verdicts


def test_a_server_that_is_not_there_is_told_in_a_sentence(
    start: Callable[..., Command], port: int, tmp_path: Path
) -> None:
    """Nothing could be tested: exit status 2 and no traceback, in the stock tester's form too."""
    (tmp_path / "contract.json").write_text(json.dumps(CONTRACT))
    command = start("test", "contract.json", "127.0.0.1", str(port), "-b", "2", "-n", "3", "-p", "-t", cwd=tmp_path)
    assert command.ended() == 2
    assert "cannot be reached" in command.output
    assert "Traceback" not in command.output
