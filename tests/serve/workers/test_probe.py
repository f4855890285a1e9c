"""A model is called before its first request only if that cannot change it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scorekit.contract import read_contract
from scorekit.contract.columns import Contract
from scorekit.model import Component
from scorekit.serve.workers.probe import ModelProbe


class Counting:
    """A component that counts its calls."""

    calls = 0

    def predict(self, X: Any, names: Any) -> Any:  # noqa: N803
        self.calls += 1
        return np.asarray(X)


class Unprobed(Counting):
    scorekit_probe = False


class Learning(Counting):
    def send_feedback(self, features: Any, names: Any, reward: Any, truth: Any, routing: Any = None) -> None: ...


class LearningRaw(Counting):
    def send_feedback_raw(self, feedback: Any) -> Any: ...


class ProbedLearning(Learning):
    scorekit_probe = True


class Delegating(Counting):
    """A class that has every attribute, as proxies and mocks do; none of them is a bool."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("scorekit"):
            return self
        raise AttributeError(name)


@pytest.fixture
def contract(tmp_path: Path) -> Contract:
    file = tmp_path / "contract.json"
    column = {"name": "x", "ftype": "continuous", "dtype": "FLOAT", "range": [0, 1]}
    file.write_text(json.dumps({"features": [column], "targets": [column]}))
    return read_contract(file)


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (Counting(), ""),
        (ProbedLearning(), ""),
        (Delegating(), ""),
        (Unprobed(), "scorekit_probe = False"),
        (Learning(), "send_feedback"),
        (LearningRaw(), "send_feedback"),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, Counting) else "",
)
def test_a_model_that_a_call_could_change_is_not_called(model: Counting, reason: str, contract: Contract) -> None:
    """A class that learns, or says that it must not be called, sees no call before its first request."""
    probe = ModelProbe(Component(model, "Model"), contract)
    probe.first()
    verdict = probe.verdict("auto")
    assert bool(model.calls) is not bool(reason)
    assert verdict.merges is not bool(reason)
    assert reason in verdict.reason
    assert not probe.failed


def test_the_operator_can_forbid_the_calls(contract: Contract) -> None:
    """With ``--no-probe`` no model is called, whatever its class says; ``BATCHING=on`` still merges requests."""
    model = ProbedLearning()
    probe = ModelProbe(Component(model, "Model"), contract, forbidden=True)
    probe.first()
    assert probe.verdict("auto").reason == "NO_PROBE=true"
    assert probe.verdict("on").merges
    assert model.calls == 0


def test_load_may_decide_about_the_calls(contract: Contract) -> None:
    """The attribute is read after ``load()``, which may set it."""

    class Model(Counting):
        def load(self) -> None:
            self.scorekit_probe = False

    model = Model()
    component = Component(model, "Model")
    component.load()
    ModelProbe(component, contract).first()
    assert model.calls == 0
