"""A score API: `POST /score` with `{"X": [1, 2]}` answers `{"score": [1, 2]}`. Put your model into `score`."""

import json
import math
from typing import Any

from flask import Flask, Response, abort, jsonify, request
from werkzeug.exceptions import HTTPException

MAX_BODY_BYTES = 1 << 20

app = Flask(__name__)


def score(X: list[float]) -> list[float]:
    """Returns one score for each number of ``X``; here the number itself."""
    return X


class BadInput(Exception):
    """A request that cannot be scored; the message says why."""


@app.post("/score")
def answer() -> Response:
    body = request.stream.read(MAX_BODY_BYTES + 1)
    if len(body) > MAX_BODY_BYTES:
        abort(413)
    return jsonify(score=score(numbers(body)))


@app.get("/health")
def health() -> Response:
    return jsonify(status="ok")


def numbers(body: bytes) -> list[float]:
    """Returns the numbers in the body of a request, whatever its Content-Type.

    Raises ``BadInput`` if the body is not a JSON object with a list of finite numbers under ``X``.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise BadInput('the body must be a JSON object such as {"X": [1, 2]}')
    if "X" not in document:
        raise BadInput(f'"X" is missing; there is {", ".join(map(repr, document)) or "nothing"}')
    values = document["X"]
    if not isinstance(values, list):
        raise BadInput(f'"X" must be a list of numbers, got {kind(values)}')
    for at, each in enumerate(values):
        if isinstance(each, bool) or not isinstance(each, int | float):
            raise BadInput(f'"X"[{at}] must be a number, got {kind(each)}')
        if isinstance(each, float) and not math.isfinite(each):
            raise BadInput(f'"X"[{at}] must be a finite number, got {each}')
    return values


def kind(value: Any) -> str:
    """Returns the name of a value's type in JSON."""
    names = {bool: "a boolean", str: "a text", dict: "an object", list: "a list", type(None): "null"}
    return names.get(type(value), "a number")


@app.errorhandler(BadInput)
def bad_input(error: BadInput) -> tuple[Response, int]:
    return jsonify(error=str(error)), 400


@app.errorhandler(HTTPException)
def refused(error: HTTPException) -> tuple[Response, int]:
    """Returns Flask's own errors (404, 405, 413) as JSON; an exception of the code is a 500 without its text."""
    return jsonify(error=f"{error.name}: {error.description}"), error.code or 500
