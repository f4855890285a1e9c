"""Requests are merged only if the model is found to answer a batch as it answers each row alone."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from scorekit.errors import ComponentError
from scorekit.inference.batch_trial import MAX_ROWS, try_batching
from scorekit.message import Prediction
from scorekit.model.component import Component

COUNT = itertools.count()
ROWS = np.random.default_rng(0).normal(size=(MAX_ROWS, 3))


class Hostile:
    """A value that raises when it is inspected, as a torch tensor that requires grad does."""

    def __array__(self, *arguments: Any, **keywords: Any) -> Any:
        raise RuntimeError("not here")


def judged(predict: Callable[[Any], Any], rows: Any = ROWS) -> tuple[bool, str]:
    class Model:
        def predict(self, X: Any, names: Any) -> Any:  # noqa: N803
            return predict(X)

    verdict = try_batching(Component(Model(), "Model").predict, rows, ["a", "b", "c"])
    return verdict.merges, verdict.reason


@pytest.mark.parametrize(
    "predict",
    [
        lambda rows: rows * 2,
        lambda rows: rows @ np.ones((3, 4)),
        lambda rows: (rows * 2).tolist(),
        lambda rows: np.where(rows[:, 0] > 0, "yes", "no"),
        lambda rows: (rows[:, 0] > 0).astype(int),
        lambda rows: [None for _ in rows],
        lambda rows: rows * (1 + 1e-13 * len(rows)),
        lambda rows: np.full(len(rows), np.nan),
    ],
)
def test_rows_that_do_not_depend_on_each_other_are_proof(predict: Callable[[Any], Any]) -> None:
    """Answers may be arrays, lists, labels, numbers and NaN; floats may differ in their last digits."""
    merges, reason = judged(predict)
    assert merges, reason
    assert reason == "32 rows of the contract have the same answers in a batch as alone"


@pytest.mark.parametrize(
    ("predict", "reason"),
    [
        (lambda rows: rows - rows.mean(axis=0), "row 0 of 32 differently in a batch than alone"),
        (lambda rows: rows * (1 + 1e-8 * len(rows)), "differently in a batch than alone"),
        (lambda rows: np.argsort(rows[:, 0]), "differently in a batch than alone"),
        (lambda rows: np.cumsum(rows, axis=0), "differently in a batch than alone"),
        (lambda rows: np.random.default_rng().normal(size=len(rows)), "the same row differently the second time"),
        (lambda rows: rows + next(COUNT), "the same row differently the second time"),
        (lambda rows: rows.sum(), "does not return one row for each row"),
        (lambda rows: "text", "does not return one row for each row"),
        (lambda rows: rows[:1], "does not return one row for each row"),
        (lambda rows: [rows.tolist()], "does not return one row for each row"),
        (lambda rows: rows.astype(int) if len(rows) > 1 else rows, "differently in a batch than alone"),
        (lambda rows: [[1, [2, 3]] for _ in rows], "answers cannot be compared: ValueError"),
        (lambda rows: [Hostile() for _ in rows], "answers cannot be compared: RuntimeError"),
        (lambda rows: 1 / 0, "predict failed on a row of the contract: division by zero"),
    ],
)
def test_what_sees_the_batch_is_found(predict: Callable[[Any], Any], reason: str) -> None:
    """A model that uses a batch's means or order, memory or chance, or answers once for all, is not merged."""
    merges, told = judged(predict)
    assert not merges
    assert reason in told


def test_a_slow_model_is_tried_on_fewer_rows() -> None:
    """The trial takes seconds: a model that takes 0.1 s is tried on five rows, one that takes an hour on two."""
    for seconds, rows in ((0.1, 5), (3600.0, 2)):
        times = itertools.count(0.0, seconds)
        verdict = try_batching(lambda rows, names: Prediction(rows), ROWS, None, clock=lambda times=times: next(times))  # type: ignore[misc]
        assert verdict.reason.startswith(f"{rows} rows")


def test_tags_and_failures_tell_calls_apart() -> None:
    """Tags, class names that change from call to call, and a failure in the batch all end the trial against merging."""

    def failing(X: Any, names: Any) -> Prediction:  # noqa: N803
        if len(X) > 1:
            raise ComponentError("failed", "reference") from ValueError("one row please")
        return Prediction(X)

    count = itertools.count()
    assert "one row please" in try_batching(failing, ROWS, None).reason
    assert "tags" in try_batching(lambda rows, names: Prediction(rows, tags={"a": 1}), ROWS, None).reason
    assert not try_batching(lambda rows, names: Prediction(rows, [str(next(count))]), ROWS, None).merges
