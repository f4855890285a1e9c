"""What must hold between the answers to several requests."""

from collections.abc import Callable, Sequence
from typing import Any

from ..contract.columns import Contract
from .law import Case, difference, one, show, table, told
from .tables import Malformed, body, parse
from .wire import Answer, Ask

_PUID, _TAG = "scorekit-test-puid", "scorekit-test-tag"


def with_meta(contract: Contract, case: Case) -> list[Ask]:
    meta = {"puid": _PUID, "tags": {_TAG: "1"}}
    return [Ask(body(contract, case.rows, case.form, meta)), *one(contract, case)]


def meta_echo(contract: Contract, case: Case, answers: Sequence[Answer]) -> str | None:
    given, plain = (table(answer) for answer in answers)
    if given is None or plain is None:
        return None if given is plain else _mixed(answers)
    if given.meta.get("puid") != _PUID:
        return f"$.meta.puid is {show(given.meta.get('puid'))}; the request's was {_PUID!r}"
    tags = given.meta.get("tags")
    if not isinstance(tags, dict) or tags.get(_TAG) != "1":
        return f"$.meta.tags is {show(tags)}; the request's tag {_TAG!r} is not in it"
    if plain.meta.get("puid") == _PUID or _TAG in (plain.meta.get("tags") or {}):
        return "a request without meta was answered with the meta of the one before it"
    return ""


def singles(contract: Contract, case: Case) -> list[Ask]:
    return [Ask(body(contract, rows, case.form)) for rows in (case.rows, *([row] for row in case.rows))]


def batch(contract: Contract, case: Case, answers: Sequence[Answer]) -> str | None:
    if _opaque(answers):
        return None
    return _compare(answers, lambda whole, *each: difference(whole, [row for rows in each for row in rows]))


def forwards_and_back(contract: Contract, case: Case) -> list[Ask]:
    return [Ask(body(contract, rows, case.form)) for rows in (case.rows, case.rows[::-1])]


def row_order(contract: Contract, case: Case, answers: Sequence[Answer]) -> str | None:
    if _opaque(answers):
        return None
    return _compare(answers, lambda rows, backwards: difference(rows, backwards[::-1]))


def twice(contract: Contract, case: Case) -> list[Ask]:
    return one(contract, case) * 2


def same(contract: Contract, case: Case, answers: Sequence[Answer]) -> str | None:
    return _compare(answers, lambda first, *more: next(filter(None, (difference(first, each) for each in more)), ""))


def with_others_between(contract: Contract, case: Case) -> list[Ask]:
    """The case, another request, the case again; and once more with something else between."""
    (own,) = one(contract, case)
    low, high = (Ask(body(contract, [contract.edge_row(end)], case.form)) for end in (0, 1))
    return [own, low, own, high, own]


def no_memory(contract: Contract, case: Case, answers: Sequence[Answer]) -> str | None:
    return same(contract, case, answers[::2])


def both_forms(contract: Contract, case: Case) -> list[Ask]:
    return [Ask(body(contract, case.rows, form)) for form in ("ndarray", "tensor")] if contract.numeric else []


def both_protocols(contract: Contract, case: Case) -> list[Ask]:
    """The rows over either protocol, every number a float: a protocol buffer has no others."""
    message = body(contract, [_floats(list(row)) for row in case.rows], case.form)
    return [Ask(message), Ask(message, other=True)]


def protocols(contract: Contract, case: Case, answers: Sequence[Answer]) -> str | None:
    """The same answers; a number that is not finite is null over REST, for JSON has none, and another law's finding."""

    def known(rows: list[list[Any]]) -> list[list[Any]]:
        return [[None if value in ("NaN", "Infinity", "-Infinity") else value for value in row] for row in rows]

    return _compare(answers, lambda left, right: difference(known(left), known(right)))


def no_rows(contract: Contract, case: Case) -> list[Ask]:
    """An empty batch: the tensor says how wide its no rows are; text has only the form that does not."""
    return [Ask(body(contract, [], "tensor" if contract.numeric else "ndarray"))]


def empty_batch(contract: Contract, case: Case, answers: Sequence[Answer]) -> str | None:
    (answer,) = answers
    if answer.status >= 500:
        return f"an empty batch is answered {answer.status}: {told(answer)}"
    found = table(answer)
    if answer.status == 200 and (found is None or (found.rows and not found.opaque)):
        return "an empty batch is answered with something else than no rows"
    return ""


def feedback(contract: Contract, case: Case) -> list[Ask]:
    """A reward for an answer the contract allows, then a prediction."""
    request = body(contract, case.rows, case.form)
    truth: list[Any] = []
    for column in contract.targets:
        truth += [column.typical()] * column.width
    answer = {"data": {"names": contract.target_names(), "ndarray": [truth] * len(case.rows)}}
    message = {"request": request, "response": answer, "reward": 1.0, "truth": answer}
    return [Ask(message, "send-feedback"), Ask(request)]


def feedback_taken(contract: Contract, case: Case, answers: Sequence[Answer]) -> str | None:
    taken, predicted = answers
    if taken.no_route:
        return None
    if taken.status != 200:
        return f"feedback is answered {taken.status}: {told(taken)}"
    try:
        parse(taken)
    except Malformed as error:
        return str(error)
    return "" if predicted.status == 200 else f"a prediction after feedback is answered {predicted.status}"


def _floats(value: Any) -> Any:
    if isinstance(value, list):
        return [_floats(each) for each in value]
    return float(value) if type(value) is int else value


def _opaque(answers: Sequence[Answer]) -> bool:
    return any(found is not None and found.opaque for found in map(table, answers))


def _compare(answers: Sequence[Answer], judge: Callable[..., str]) -> str | None:
    tables = [table(answer) for answer in answers]
    found = [each.rows for each in tables if each is not None]
    if not found:
        return None
    return judge(*found) if len(found) == len(tables) else _mixed(answers)


def _mixed(answers: Sequence[Answer]) -> str:
    return f"some of the requests are predicted, others not: {', '.join(str(answer.status) for answer in answers)}"
