"""A model server in the same process: the codec and the service of a real one, without a socket."""

import json
from collections.abc import Callable
from typing import Any

from scorekit.contract import Contract, parse_contract
from scorekit.tester import Plan, Session
from scorekit.tester.transport import Answer, NoAnswer, Query

Rows = list[list[Any]]
FLOATS = {
    "features": [
        {"name": "size", "ftype": "continuous", "dtype": "FLOAT", "range": [0, 10]},
        {"name": "colour", "ftype": "categorical", "values": [0, 1, 2]},
    ],
    "targets": [
        {"name": "low", "ftype": "continuous", "dtype": "FLOAT", "range": [0, 1]},
        {"name": "high", "ftype": "continuous", "dtype": "FLOAT", "range": [0, 1]},
    ],
}


def contract(value: Any = FLOATS) -> Contract:
    return parse_contract(json.dumps(value))


class Served:
    """``model`` maps rows to the rows of an answer, or to a whole SeldonMessage.

    A malformed request gets a 400 that names a place, as from a good server. Every query is kept.
    """

    def __init__(self, model: Callable[[Rows], Any], check: Callable[[Rows], str] = lambda rows: "") -> None:
        self.model = model
        self.check = check
        self.queries: list[Query] = []

    def where(self, verb: str, /) -> str:
        return f"memory://{verb}"

    def send(self, query: Query, /) -> Answer:
        self.queries.append(query)
        try:
            message = json.loads(query.body(), parse_constant=lambda token: 1 / 0)
            if query.verb == "send-feedback":
                return Answer(200, b'{"data": {}, "meta": {}}')
            rows, tensor = _rows(message["data"])
        except (ValueError, LookupError, TypeError, ArithmeticError, RecursionError):
            return refusal(400, "no request at $.data")
        if fault := self.check(rows):
            return refusal(400, fault)
        try:
            data = self.model(rows)
        except NoAnswer:
            raise
        except Exception as error:  # noqa: BLE001  the model is the user's
            return refusal(500, repr(error))
        meta = message.get("meta", {})
        if isinstance(data, list):
            whole = {"tensor": {"shape": _shape(data), "values": _leaves(data)}}
            data = {"data": whole if tensor else {"ndarray": data}}
        return Answer(200, json.dumps({"meta": meta, **data}).encode())


def refusal(status: int, info: str) -> Answer:
    return Answer(status, json.dumps({"status": {"info": info}}).encode())


def verdicts(served: Served, of: Contract | None = None, **plan: Any) -> dict[str, str]:
    """The verdict of each law, by its name."""
    return {result.law.name: result.verdict for result in session(served, of, **plan).run()}


def session(served: Served, of: Contract | None = None, **plan: Any) -> Session:
    given = Plan(**{"max_examples": 15, **plan})
    return Session(contract=of or contract(), transport=served, plan=given, other=served)


def _rows(data: Any) -> tuple[Rows, bool]:
    if "tensor" in data:
        shape, values = data["tensor"]["shape"], data["tensor"]["values"]
        if any(type(each) is not int or each < 0 for each in shape) or len(values) != shape[0] * shape[1]:
            raise ValueError(shape)
        return [values[at * shape[1] : (at + 1) * shape[1]] for at in range(shape[0])], True
    rows = data["ndarray"]
    if len({len(row) for row in rows}) > 1 or any(isinstance(each, list) for row in rows for each in row):
        raise ValueError(rows)
    return rows, False


def _shape(rows: Any) -> list[int]:
    return [len(rows), len(rows[0]) if rows else 0] if not rows or isinstance(rows[0], list) else [len(rows)]


def _leaves(rows: Any) -> list[Any]:
    return [leaf for row in rows for leaf in _leaves(row)] if isinstance(rows, list) else [rows]
