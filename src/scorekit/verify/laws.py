"""What must hold between requests and answers. Pure: a law makes requests from a case and judges the answers."""

import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..contract import Column, Contract
from .tables import Malformed, Row, Table, body, leaves, parse, read
from .wire import Answer, Ask

RTOL, ATOL = 1e-9, 1e-12
"""How far floats may be apart: a matrix product of other shape already differs by 2e-16."""


@dataclass(frozen=True, slots=True)
class Case:
    """What a law is tried on: rows of features in a form, or the ``raw`` text of a body that must be refused."""

    rows: tuple[Row, ...] = ()
    form: str = "ndarray"
    raw: str = ""
    label: str = ""


Asks = Callable[[Contract, Case], list[Ask]]
Judge = Callable[[Contract, Case, Sequence[Answer]], str | None]
"""What is broken, in one sentence; ``""`` if nothing is; None when these answers say nothing about this law."""


@dataclass(frozen=True, slots=True)
class Law:
    """``kind`` is what it is tried on: data, empty, malformed, violation or feedback."""

    name: str
    promise: str
    asks: Asks
    judge: Judge
    kind: str = "data"


def close(one: Any, other: Any) -> bool:
    """Equal; floats within ``RTOL`` and ``ATOL``."""
    if _number(one) and _number(other):
        return math.isclose(one, other, rel_tol=RTOL, abs_tol=ATOL)
    return type(one) is type(other) and bool(one == other)


def difference(one: Sequence[Sequence[Any]], other: Sequence[Sequence[Any]]) -> str:
    """Where two tables differ, or ``""``."""
    if len(one) != len(other):
        return f"{len(one)} rows against {len(other)}"
    for row, (left, right) in enumerate(zip(one, other, strict=True)):
        if len(left) != len(right):
            return f"row {row}: {len(left)} values against {len(right)}"
        for column, (a, b) in enumerate(zip(left, right, strict=True)):
            if not close(a, b):
                return f"row {row}, column {column}: {_show(a)} against {_show(b)}"
    return ""


def _one(contract: Contract, case: Case) -> list[Ask]:
    return [Ask(body(contract, case.rows, case.form))]


def _raw(contract: Contract, case: Case) -> list[Ask]:
    return [Ask(case.raw)]


def _table(answer: Answer) -> Table | None:
    try:
        return read(answer) if answer.status == 200 else None
    except Malformed:
        return None


def _answered(contract: Contract, case: Case, answers: Sequence[Answer]) -> str | None:
    return "" if answers[0].status == 200 else f"answered {answers[0].status}: {_told(answers[0])}"


def _valid_json(contract: Contract, case: Case, answers: Sequence[Answer]) -> str | None:
    try:
        parse(answers[0])
        if answers[0].status == 200:
            read(answers[0])
    except Malformed as error:
        return str(error)
    return ""


def _on_table(judge: Callable[[Contract, Case, Table], str]) -> Judge:
    def judged(contract: Contract, case: Case, answers: Sequence[Answer]) -> str | None:
        table = _table(answers[0])
        return None if table is None else judge(contract, case, table)

    return judged


def _count(contract: Contract, case: Case, table: Table) -> str:
    if len(table.rows) != len(case.rows):
        return f"{len(case.rows)} rows sent, {len(table.rows)} answered"
    width = sum(column.width for column in contract.targets)
    for at, row in enumerate(table.rows):
        if len(row) != width:
            return f"row {at} has {len(row)} values; the contract has {width} targets"
    return ""


def _names(contract: Contract, case: Case, table: Table) -> str:
    wanted = contract.target_names()
    # A component without class_names answers t:0 …, or none for a flat list: it says nothing about names.
    if not table.names or table.names == [f"t:{at}" for at in range(len(table.names))] or table.names == wanted:
        return ""
    return f"$.data.names is {_show(table.names)}; the contract's targets are {_show(wanted)}"


def _each_value(check: Callable[[Column, Any], str]) -> Callable[[Contract, Case, Table], str]:
    def judged(contract: Contract, case: Case, table: Table) -> str:
        columns = [(column, name) for column in contract.targets for name in column.unfolded()]
        for at, row in enumerate(table.rows):
            for (column, name), value in zip(columns, row, strict=False):
                if fault := check(column, value):
                    return f"target {name} is {_show(value)} in row {at}{fault}"
        return ""

    return judged


def _finite(column: Column, value: Any) -> str:
    if column.ftype == "categorical":
        return ""
    if not _number(value):
        return "; expected a number"
    return "" if math.isfinite(value) else "; expected a finite number"


def _allowed(column: Column, value: Any) -> str:
    if column.ftype == "categorical":
        allowed = any(close(value, each) for each in column.values)
        return "" if allowed else f"; the contract lists {_show(list(column.values))}"
    if not _number(value) or not math.isfinite(value):
        return ""  # another law's
    if column.dtype == "INT" and value != round(value):
        return "; the contract says INT"
    low, high = column.low, column.high
    below = low is not None and value < low and not close(value, low)
    above = high is not None and value > high and not close(value, high)
    return f"; the contract's range is {_bounds(column)}" if below or above else ""


_PUID, _TAG = "scorekit-test-puid", "scorekit-test-tag"


def _meta_asks(contract: Contract, case: Case) -> list[Ask]:
    told = {"puid": _PUID, "tags": {_TAG: "1"}}
    return [Ask(body(contract, case.rows, case.form, told)), *_one(contract, case)]


def _meta_judge(contract: Contract, case: Case, answers: Sequence[Answer]) -> str | None:
    told, plain = (_table(answer) for answer in answers)
    if told is None or plain is None:
        return None if told is plain else _mixed(answers)
    if told.meta.get("puid") != _PUID:
        return f"$.meta.puid is {_show(told.meta.get('puid'))}; the request's was {_PUID!r}"
    tags = told.meta.get("tags")
    if not isinstance(tags, dict) or tags.get(_TAG) != "1":
        return f"$.meta.tags is {_show(tags)}; the request's tag {_TAG!r} is not in it"
    if plain.meta.get("puid") == _PUID or _TAG in (plain.meta.get("tags") or {}):
        return "a request without meta was answered with the meta of the one before it"
    return ""


def _singles(contract: Contract, case: Case) -> list[Ask]:
    return [Ask(body(contract, rows, case.form)) for rows in (case.rows, *([row] for row in case.rows))]


def _batch(contract: Contract, case: Case, answers: Sequence[Answer]) -> str | None:
    return _compare(answers, lambda whole, *each: difference(whole, [row for rows in each for row in rows]))


def _reversed(contract: Contract, case: Case) -> list[Ask]:
    return [Ask(body(contract, rows, case.form)) for rows in (case.rows, case.rows[::-1])]


def _order(contract: Contract, case: Case, answers: Sequence[Answer]) -> str | None:
    return _compare(answers, lambda rows, backwards: difference(rows, backwards[::-1]))


def _twice(contract: Contract, case: Case) -> list[Ask]:
    return _one(contract, case) * 2


def _same(contract: Contract, case: Case, answers: Sequence[Answer]) -> str | None:
    return _compare(answers, lambda first, *more: next(filter(None, (difference(first, each) for each in more)), ""))


def _others(contract: Contract, case: Case) -> list[Ask]:
    """The case, another request, the case again; and once more with something else between."""
    (own,) = _one(contract, case)
    low, high = (Ask(body(contract, [contract.edge_row(end)], case.form)) for end in (0, 1))
    return [own, low, own, high, own]


def _independent(contract: Contract, case: Case, answers: Sequence[Answer]) -> str | None:
    return _same(contract, case, answers[::2])


def _forms(contract: Contract, case: Case) -> list[Ask]:
    return [Ask(body(contract, case.rows, form)) for form in ("ndarray", "tensor")] if contract.numeric else []


def _empty(contract: Contract, case: Case) -> list[Ask]:
    return [Ask(body(contract, [], form)) for form in (("ndarray", "tensor") if contract.numeric else ("ndarray",))]


def _empty_judge(contract: Contract, case: Case, answers: Sequence[Answer]) -> str | None:
    for answer in answers[-1:]:  # the tensor says how wide no rows are; `[]` alone is tried as a malformed request
        if answer.status >= 500:
            return f"an empty batch is answered {answer.status}: {_told(answer)}"
        table = _table(answer)
        if answer.status == 200 and (table is None or table.rows):
            return "an empty batch is answered with something else than no rows"
    return ""


_PLACE = re.compile(r"\$[.\[]|at \$|\b(line|column|char|character|byte|row|position|feature|features)\b", re.I)


def _refused(contract: Contract, case: Case, answers: Sequence[Answer]) -> str | None:
    answer, what = answers[0], case.label
    if not 400 <= answer.status < 500:
        wanted = "expected a 4xx that names the place"
        return f"{what} is answered {answer.status}: {_told(answer)}; {wanted}"
    if not (_PLACE.search(told := _told(answer)) or any(name in told for name in contract.feature_names())):
        return f"{what} is refused without a place: {told}"
    return ""


def _feedback(contract: Contract, case: Case) -> list[Ask]:
    request = body(contract, case.rows, case.form)
    return [Ask({"request": request, "reward": 1.0, "truth": request}, "send-feedback"), Ask(request)]


def _feedback_judge(contract: Contract, case: Case, answers: Sequence[Answer]) -> str | None:
    if answers[0].status != 200:
        return f"feedback is answered {answers[0].status}: {_told(answers[0])}"
    try:
        parse(answers[0])
    except Malformed as error:
        return str(error)
    return "" if answers[1].status == 200 else f"a prediction after feedback is answered {answers[1].status}"


LAWS = (
    Law("answered", "rows of the contract are answered 200", _one, _answered),
    Law("valid JSON", "answers are JSON, without NaN and Infinity", _one, _valid_json),
    Law("target count", "as many rows as sent, as many values as targets", _one, _on_table(_count)),
    Law("target names", "names are the contract's, or none", _one, _on_table(_names)),
    Law("finite numbers", "numeric targets are finite numbers", _one, _on_table(_each_value(_finite))),
    Law("target range", "targets keep their range, type and categories", _one, _on_table(_each_value(_allowed))),
    Law("meta echo", "puid and tags come back, to their own request only", _meta_asks, _meta_judge),
    Law("batch = single rows", "a batch is answered as its rows alone", _singles, _batch),
    Law("row order", "rows in another order are answered in that order", _reversed, _order),
    Law("determinism", "the same request twice, the same answer twice", _twice, _same),
    Law("no memory", "requests in between change nothing", _others, _independent),
    Law("ndarray = tensor", "both forms of the same rows are answered alike", _forms, _same),
    Law("empty batch", "no rows in: no rows out, or a 4xx", _empty, _empty_judge, "empty"),
    Law("malformed refused", "what is no request gets a 4xx with a place", _raw, _refused, "malformed"),
    Law("contract refused", "what breaks the contract gets a 4xx with a place", _raw, _refused, "violation"),
    Law("feedback", "feedback is taken", _feedback, _feedback_judge, "feedback"),
)
BY_NAME = {law.name: law for law in LAWS}


def _compare(answers: Sequence[Answer], judge: Callable[..., str]) -> str | None:
    tables = [_table(answer) for answer in answers]
    found = [table.rows for table in tables if table is not None]
    if not found:
        return None
    return judge(*found) if len(found) == len(tables) else _mixed(answers)


def _mixed(answers: Sequence[Answer]) -> str:
    return f"some of the requests are predicted, others not: {', '.join(str(answer.status) for answer in answers)}"


def _told(answer: Answer) -> str:
    """What an error says, in a line."""
    try:
        value = parse(answer)
        text = str(value["status"]["info"])
    except (Malformed, LookupError, TypeError):
        text = answer.body.decode("utf-8", "replace")
    return _short(" ".join(text.split()) or "no text")


def _show(value: Any) -> str:
    return _short(json.dumps(value, ensure_ascii=False))


def _short(text: str) -> str:
    return text if len(text) <= 160 else text[:157] + "..."


def _bounds(column: Column) -> str:
    return f"[{'-inf' if column.low is None else column.low}, {'inf' if column.high is None else column.high}]"


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def scalars(rows: Sequence[Row]) -> int:
    """How many values the rows have: what a minimal case has little of."""
    return len([leaf for row in rows for leaf in leaves(list(row))])
