"""`scorekit check`: it serves a component for a moment, and judges its answer to a row of its contract."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import COMPONENT, Command

pytestmark = pytest.mark.e2e

CONTRACT = json.dumps(
    {
        "features": [{"name": "x", "dtype": "FLOAT", "ftype": "continuous", "range": [0, 10], "repeat": 2}],
        "targets": [{"name": "y", "dtype": "FLOAT", "ftype": "continuous", "range": [0, 10], "repeat": 2}],
    }
)


def folder(path: Path, source: str, environment: str = "", contract: str = CONTRACT) -> str:
    (path / ".s2i").mkdir()
    (path / ".s2i" / "environment").write_text(f"MODEL_NAME=Mine\n{environment}")
    (path / "Mine.py").write_text(source)
    if contract:
        (path / "contract.json").write_text(contract)
    return str(path)


def test_the_example_passes(start: Callable[..., Command]) -> None:
    """The example component answers, and no process is left running."""
    command = start("check", str(COMPONENT))
    assert command.ended() == 0
    assert "check: MLModel answers predict for a row of contract.json, in" in command.output
    assert command.descendants() == []


@pytest.mark.parametrize(
    ("kind", "method", "verb"),
    [
        ("MODEL", "predict(self, X, names): return X", "predict"),
        ("TRANSFORMER", "transform_input(self, X, names): return X", "transform-input"),
        ("ROUTER", "route(self, X, names): return 0", "route"),
        ("COMBINER", "aggregate(self, Xs, names): return Xs[0]", "aggregate"),
    ],
)
def test_each_type_is_called_by_its_own_method(
    start: Callable[..., Command], tmp_path: Path, kind: str, method: str, verb: str
) -> None:
    """A router gets a call of route, a combiner one of aggregate."""
    command = start("check", folder(tmp_path, f"class Mine:\n    def {method}\n", f"SERVICE_TYPE={kind}\n"))
    assert command.ended() == 0, command.output
    assert f"Mine answers {verb} for a row" in command.output


@pytest.mark.parametrize(
    ("source", "environment", "contract", "sentence"),
    [
        ("class Mine: pass\n", "SERVICE_TYPE=ROUTER\n", CONTRACT, "route for a row of the contract: answered 400"),
        ("import nothing_of_this_name\n", "", CONTRACT, "the component does not start: Mine needs the package"),
        (
            "class Mine:\n    def load(self): raise OSError('no weights')\n",
            "",
            CONTRACT,
            "the component does not start: Mine.load() failed: OSError: no weights",
        ),
        (
            "class Mine:\n    def predict(self, X, names): return X * 100\n",
            "",
            CONTRACT,
            "target y:0 is 500.0 in row 0; the contract's range is [0, 10]",
        ),
        ("class Mine:\n    def predict(self, X, names): return {1, 2}\n", "", CONTRACT, "answered 400"),
        (
            "class Mine:\n    def predict(self, X, names): raise KeyError('no column')\n",
            "",
            CONTRACT,
            "answered 500: 'no column'",
        ),
        ("class Mine: pass\n", "CONTRACT=other.json\n", "", "other.json cannot be read"),
        ("class Mine: pass\n", "", "[]", "expected an object with the keys features and targets"),
        (
            "import os\nos._exit(3)\n",
            "",
            CONTRACT,
            "the worker ended with status 3 while it imported and constructed the model",
        ),
    ],
)
def test_a_component_that_fails_is_an_error_of_one_sentence(
    start: Callable[..., Command], tmp_path: Path, source: str, environment: str, contract: str, sentence: str
) -> None:
    """For a component that does not load or answers wrongly the status is 1, and the last line says why, once."""
    command = start("check", folder(tmp_path, source, environment, contract))
    assert command.ended() == 1
    last = command.output.splitlines()[-1]
    assert last.startswith("scorekit: ")
    assert sentence in last
    assert command.output.count("scorekit: ") == 1


def test_without_a_contract_it_is_only_loaded(start: Callable[..., Command], tmp_path: Path) -> None:
    """Without a contract the output says that no request was sent."""
    source = "class Mine:\n    def predict(self, X, names): raise ValueError\n"
    command = start("check", folder(tmp_path, source, contract=""))
    assert command.ended() == 0
    assert "Mine loads, in" in command.output
    assert "there is no contract.json, so no request was sent" in command.output
