"""What must hold of one answer."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from ..contract.columns import Column, Contract
from .law import Case, Judge, bounds, close, is_number, show, table, told
from .tables import Malformed, Table, parse, read
from .wire import Answer


def answered(contract: Contract, case: Case, answers: Sequence[Answer]) -> str | None:
    return "" if answers[0].status == 200 else f"answered {answers[0].status}: {told(answers[0])}"


def valid_json(contract: Contract, case: Case, answers: Sequence[Answer]) -> str | None:
    try:
        parse(answers[0])
        if answers[0].status == 200:
            read(answers[0])
    except Malformed as error:
        return str(error)
    return ""


def _on_table(judge: Callable[[Contract, Case, Table], str]) -> Judge:
    def judged(contract: Contract, case: Case, answers: Sequence[Answer]) -> str | None:
        found = table(answers[0])
        return None if found is None or found.opaque else judge(contract, case, found)

    return judged


def _count(contract: Contract, case: Case, found: Table) -> str:
    if len(found.rows) != len(case.rows):
        return f"{len(case.rows)} rows sent, {len(found.rows)} answered"
    width = sum(column.width for column in contract.targets)
    for at, row in enumerate(found.rows):
        if len(row) != width:
            return f"row {at} has {len(row)} values; the contract has {width} targets"
    return ""


def _names(contract: Contract, case: Case, found: Table) -> str:
    wanted = contract.target_names()
    # A component without class_names answers t:0 …, or none for a flat list: it says nothing about names.
    if not found.names or found.names == [f"t:{at}" for at in range(len(found.names))] or found.names == wanted:
        return ""
    return f"$.data.names is {show(found.names)}; the contract's targets are {show(wanted)}"


def _each_value(check: Callable[[Column, Any], str]) -> Callable[[Contract, Case, Table], str]:
    def judged(contract: Contract, case: Case, found: Table) -> str:
        columns = [(column, name) for column in contract.targets for name in column.unfolded()]
        for at, row in enumerate(found.rows):
            for (column, name), value in zip(columns, row, strict=False):
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
        return ""  # another law's
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
