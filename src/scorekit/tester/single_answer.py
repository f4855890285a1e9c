"""Laws about one answer: its status, its form, and its values against the contract's targets."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from ..contract import Column, Contract
from .law import Case, Judge, bounds, close, error_text, is_number, show, table
from .payloads import MalformedAnswer, PredictionTable, parse, read
from .transport import Answer


def answered(contract: Contract, case: Case, answers: Sequence[Answer]) -> str | None:
    """The status must be 200."""
    return "" if answers[0].status == 200 else f"answered {answers[0].status}: {error_text(answers[0])}"


def valid_json(contract: Contract, case: Case, answers: Sequence[Answer]) -> str | None:
    """The body must be JSON, and a prediction if the status is 200."""
    try:
        parse(answers[0])
        if answers[0].status == 200:
            read(answers[0])
    except MalformedAnswer as error:
        return str(error)
    return ""


def _on_table(judge: Callable[[Contract, Case, PredictionTable], str]) -> Judge:
    """A judge of the prediction in the answer; it says nothing if there is none, or one that is not a table."""

    def judged(contract: Contract, case: Case, answers: Sequence[Answer]) -> str | None:
        prediction = table(answers[0])
        return None if prediction is None or prediction.opaque else judge(contract, case, prediction)

    return judged


def _count(contract: Contract, case: Case, prediction: PredictionTable) -> str:
    if len(prediction.rows) != len(case.rows):
        return f"{len(case.rows)} rows sent, {len(prediction.rows)} answered"
    width = sum(column.width for column in contract.targets)
    for at, row in enumerate(prediction.rows):
        if len(row) != width:
            return f"row {at} has {len(row)} values; the contract has {width} targets"
    return ""


def _names(contract: Contract, case: Case, prediction: PredictionTable) -> str:
    expected = contract.target_names()
    # seldon-core 1.17.1 names the columns of a component without class_names t:0, t:1 …, and those of a flat list not
    # at all: neither says anything about the contract.
    made_up = [f"t:{at}" for at in range(len(prediction.names))]
    if not prediction.names or prediction.names in (made_up, expected):
        return ""
    return f"$.data.names is {show(prediction.names)}; the contract's targets are {show(expected)}"


def _each_value(check: Callable[[Column, Any], str]) -> Callable[[Contract, Case, PredictionTable], str]:
    def judged(contract: Contract, case: Case, prediction: PredictionTable) -> str:
        columns = [(column, name) for column in contract.targets for name in column.unfolded()]
        for at, row in enumerate(prediction.rows):
            for (column, name), value in zip(columns, row, strict=False):  # "target count" judges the number of values
                if fault := check(column, value):
                    return f"target {name} is {show(value)} in row {at}{fault}"
        return ""

    return judged


def _finite(column: Column, value: Any) -> str:
    if column.ftype == "categorical":
        return ""
    if not is_number(value):
        return "; expected a number"
    return "" if math.isfinite(value) else "; expected a finite number"


def _allowed(column: Column, value: Any) -> str:
    if column.ftype == "categorical":
        allowed = any(close(value, each) for each in column.values)
        return "" if allowed else f"; the contract lists {show(list(column.values))}"
    if not is_number(value) or not math.isfinite(value):
        return ""  # "finite numbers" reports it
    if column.dtype == "INT" and value != round(value):
        return "; the contract says INT"
    low, high = column.low, column.high
    below = low is not None and value < low and not close(value, low)
    above = high is not None and value > high and not close(value, high)
    return f"; the contract's range is {bounds(column)}" if below or above else ""


target_count = _on_table(_count)
target_names = _on_table(_names)
finite_numbers = _on_table(_each_value(_finite))
target_range = _on_table(_each_value(_allowed))
