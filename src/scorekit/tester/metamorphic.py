"""Laws about several answers: metamorphic relations.

A metamorphic relation changes a request in a way whose effect on the answer is known, without knowing the answer
itself. Reversed rows must give reversed predictions; a batch must give the predictions of its rows; a repetition must
give the same again. Each law here is a pair: a function that makes the queries, and one that judges their answers.

All pairs compare tables, so all of them need answers that are tables: where every request failed the law says nothing
(``None``), and where only some failed that is itself the finding, for the change must not decide whether a row can be
predicted at all.
"""

from collections.abc import Callable, Sequence
from typing import Any

from ..contract import Contract
from .law import Case, difference, error_text, rows_query, show, table
from .payloads import MalformedAnswer, body, parse
from .transport import Answer, Query

_PUID, _TAG = "scorekit-test-puid", "scorekit-test-tag"


def with_and_without_meta(contract: Contract, case: Case) -> list[Query]:
    """The rows with a puid and a tag, then the rows without ``meta``."""
    meta = {"puid": _PUID, "tags": {_TAG: "1"}}
    return [Query(body(contract, case.rows, case.form, meta)), *rows_query(contract, case)]


def meta_is_echoed(contract: Contract, case: Case, answers: Sequence[Answer]) -> str | None:
    """The puid and the tag must come back with the first answer, and must not leak into the second."""
    marked, plain = (table(answer) for answer in answers)
    if marked is None or plain is None:
        return None if marked is plain else _statuses_differ(answers)
    if marked.meta.get("puid") != _PUID:
        return f"$.meta.puid is {show(marked.meta.get('puid'))}; the request's was {_PUID!r}"
    tags = marked.meta.get("tags")
    if not isinstance(tags, dict) or tags.get(_TAG) != "1":
        return f"$.meta.tags is {show(tags)}; the request's tag {_TAG!r} is not in it"
    if plain.meta.get("puid") == _PUID or _TAG in (plain.meta.get("tags") or {}):
        return "a request without meta was answered with the meta of the one before it"
    return ""


def batch_and_its_rows(contract: Contract, case: Case) -> list[Query]:
    """All rows at once, then each row alone."""
    return [Query(body(contract, rows, case.form)) for rows in (case.rows, *([row] for row in case.rows))]


def batch_equals_rows(contract: Contract, case: Case, answers: Sequence[Answer]) -> str | None:
    """The rows of the first answer must equal those of the others, one after another."""
    if _any_opaque(answers):
        return None
    return _compare(answers, lambda whole, *parts: difference(whole, [row for rows in parts for row in rows]))


def both_orders(contract: Contract, case: Case) -> list[Query]:
    """The rows, then the rows from last to first."""
    return [Query(body(contract, rows, case.form)) for rows in (case.rows, case.rows[::-1])]


def order_is_kept(contract: Contract, case: Case, answers: Sequence[Answer]) -> str | None:
    """The second answer must be the first from last to first."""
    if _any_opaque(answers):
        return None
    return _compare(answers, lambda rows, backwards: difference(rows, backwards[::-1]))


def twice(contract: Contract, case: Case) -> list[Query]:
    """The same request two times."""
    return rows_query(contract, case) * 2


def all_equal(contract: Contract, case: Case, answers: Sequence[Answer]) -> str | None:
    """All answers must have the same rows."""
    return _compare(answers, lambda first, *more: next(filter(None, (difference(first, each) for each in more)), ""))


def with_others_between(contract: Contract, case: Case) -> list[Query]:
    """The case, another request, the case, a third request, the case."""
    (own,) = rows_query(contract, case)
    low, high = (Query(body(contract, [contract.edge_row(end)], case.form)) for end in (0, 1))
    return [own, low, own, high, own]


def repetitions_equal(contract: Contract, case: Case, answers: Sequence[Answer]) -> str | None:
    """Every second answer, those to the case itself, must have the same rows."""
    return all_equal(contract, case, answers[::2])


def both_forms(contract: Contract, case: Case) -> list[Query]:
    """The rows as ``ndarray`` and as ``tensor``; no queries if a feature is text, which no tensor can hold."""
    return [Query(body(contract, case.rows, form)) for form in ("ndarray", "tensor")] if contract.numeric else []


def both_protocols(contract: Contract, case: Case) -> list[Query]:
    """The rows over either protocol. Numbers are sent as floats: a protocol buffer has no others."""
    message = body(contract, [_floats(list(row)) for row in case.rows], case.form)
    return [Query(message), Query(message, other=True)]


def protocols_equal(contract: Contract, case: Case, answers: Sequence[Answer]) -> str | None:
    """Both answers must have the same rows. A number that is not finite counts as null.

    JSON has no such numbers: over REST they come as null, and the gRPC client writes them as text. That they are there
    at all is a finding of "finite numbers".
    """

    def finite(rows: list[list[Any]]) -> list[list[Any]]:
        return [[None if value in ("NaN", "Infinity", "-Infinity") else value for value in row] for row in rows]

    return _compare(answers, lambda left, right: difference(finite(left), finite(right)))


def no_rows(contract: Contract, case: Case) -> list[Query]:
    """An empty batch: a tensor of shape ``(0, features)``, or an empty ``ndarray`` if a feature is text."""
    return [Query(body(contract, [], "tensor" if contract.numeric else "ndarray"))]


def empty_is_answered(contract: Contract, case: Case, answers: Sequence[Answer]) -> str | None:
    """An empty batch must be answered with no rows, or refused with a 4xx."""
    (answer,) = answers
    if answer.status >= 500:
        return f"an empty batch is answered {answer.status}: {error_text(answer)}"
    prediction = table(answer)
    if answer.status == 200 and (prediction is None or (prediction.rows and not prediction.opaque)):
        return "an empty batch is answered with something other than no rows"
    return ""


def feedback_and_prediction(contract: Contract, case: Case) -> list[Query]:
    """A reward for an answer that the contract allows, then a prediction."""
    request = body(contract, case.rows, case.form)
    truth: list[Any] = []
    for column in contract.targets:
        truth += [column.typical()] * column.width
    answer = {"data": {"names": contract.target_names(), "ndarray": [truth] * len(case.rows)}}
    message = {"request": request, "response": answer, "reward": 1.0, "truth": answer}
    return [Query(message, "send-feedback"), Query(request)]


def feedback_is_accepted(contract: Contract, case: Case, answers: Sequence[Answer]) -> str | None:
    """Feedback must be answered 200 with JSON, and the server must still predict after it.

    ``None`` if the server has no route for feedback.
    """
    accepted, predicted = answers
    if accepted.no_route:
        return None
    if accepted.status != 200:
        return f"feedback is answered {accepted.status}: {error_text(accepted)}"
    try:
        parse(accepted)
    except MalformedAnswer as error:
        return str(error)
    return "" if predicted.status == 200 else f"a prediction after feedback is answered {predicted.status}"


def _floats(value: Any) -> Any:
    if isinstance(value, list):
        return [_floats(each) for each in value]
    return float(value) if type(value) is int else value


def _any_opaque(answers: Sequence[Answer]) -> bool:
    return any(prediction is not None and prediction.opaque for prediction in map(table, answers))


def _compare(answers: Sequence[Answer], judge: Callable[..., str]) -> str | None:
    """``judge`` of the rows of each answer, if all are predictions."""
    tables = [table(answer) for answer in answers]
    rows = [each.rows for each in tables if each is not None]
    if not rows:
        return None
    return judge(*rows) if len(rows) == len(tables) else _statuses_differ(answers)


def _statuses_differ(answers: Sequence[Answer]) -> str:
    return f"some of the requests are predicted, others are not: {', '.join(str(answer.status) for answer in answers)}"
