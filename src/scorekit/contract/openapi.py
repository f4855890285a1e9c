"""``/seldon.json``: the OpenAPI 3.0.0 document of a model, made from its contract.

The route and the version are the stock wrapper's (seldon-core 1.17.1), and so is the shape of every message. OpenAPI
3.0 knows less than JSON Schema, and three of its rules decide how a contract is written down here:

* An array has one schema for all its items; ``prefixItems`` came with 3.1. A row of a number, a whole number and a text
  can therefore only say "each value is one of these" (``anyOf``) and how many there are (``minItems`` = ``maxItems``).
  What stands at which position is told by the schemas ``Features`` and ``Targets``: their properties are in order.
* A GET has no body. The stock wrapper takes a GET with the message in the query parameter ``json``, so that is declared
  as a parameter with ``content``; a parameter has either ``content`` or ``schema``, never both.
* ``operationId`` must be unique, so an alias of a route has an id of its own.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from .columns import Column, Contract

Schema = dict[str, Any]

_ANY: Schema = {"description": "Any JSON value."}
_META = {
    "type": "object",
    "description": "Tags, metrics, requestPath and puid are copied into the answer.",
    "properties": {
        "puid": {"type": "string"},
        "tags": {"type": "object"},
        "requestPath": {"type": "object", "additionalProperties": {"type": "string"}},
        "metrics": {"type": "array", "items": {"type": "object"}},
    },
}
_STATUS = {
    "type": "object",
    "required": ["status"],
    "properties": {
        "status": {
            "type": "object",
            "required": ["code", "info", "reason", "status"],
            "properties": {
                "code": {"type": "integer", "enum": [-1]},
                "info": {"type": "string", "description": "What is wrong, and where in the request."},
                "reason": {"type": "string", "example": "MICROSERVICE_BAD_DATA"},
                "status": {"type": "integer", "enum": [1]},
            },
        }
    },
}
_NAMES = {"type": "array", "items": {"type": "string"}, "nullable": True}
_PREDICTION_ALIASES = ("/api/v0.1/predictions", "/api/v1.0/predictions")
_FEEDBACK_ALIASES = ("/api/v0.1/feedback", "/api/v1.0/feedback")


def document(title: str, contract: Contract | None = None, version: str = "0.1") -> dict[str, Any]:
    """The document of the model called ``title``, as JSON values.

    With a contract it has the schema of each column and a request that the contract allows, as an example. Without one
    it describes the protocol, which is the same for any model.
    """
    schemas = {
        "Request": _request(contract),
        "Answer": _message(_array(contract.targets, "Targets") if contract else _generic_data()),
        "Message": _message(_generic_data()),
        "Messages": {"type": "object", "properties": {"seldonMessages": {"type": "array", "items": _ref("Message")}}},
        "Feedback": {
            "type": "object",
            "properties": {
                "request": _ref("Message"),
                "response": _ref("Message"),
                "truth": _ref("Message"),
                "reward": {"type": "number"},
            },
        },
        "Meta": _META,
        "Error": _STATUS,
    }
    if contract:
        schemas |= {"Features": _columns(contract.features, ""), "Targets": _columns(contract.targets, ":")}
    return {
        "openapi": "3.0.0",
        "info": {"title": title, "version": version, "description": f"Predictions of {title} (Seldon Core v1)."},
        "paths": dict(_paths(contract)),
        "components": {
            "schemas": schemas,
            "responses": {"Error": _answered("The request was refused, or the model failed", "Error")},
        },
    }


def _paths(contract: Contract | None) -> Iterator[tuple[str, Any]]:
    sample = contract.sample() if contract else None
    yield "/predict", _both("predict", "Predict", "Request", "Answer", sample)
    for at, path in enumerate(_PREDICTION_ALIASES):
        yield path, {"post": _operation(f"predict_alias_{at}", "Predict", "Request", "Answer", sample)}
    yield "/send-feedback", _both("send_feedback", "Report what became of a prediction", "Feedback", "Message")
    for at, path in enumerate(_FEEDBACK_ALIASES):
        summary = "Report what became of a prediction"
        yield path, {"post": _operation(f"send_feedback_alias_{at}", summary, "Feedback", "Message")}
    for name in ("transform-input", "transform-output", "route"):
        yield f"/{name}", _both(name.replace("-", "_"), f"Call the class's {name}", "Message", "Message")
    yield "/aggregate", _both("aggregate", "Call the class's aggregate", "Messages", "Message")
    ping = {
        "description": "The server is alive",
        "content": {"text/html": {"schema": {"type": "string", "enum": ["pong"]}}},
    }
    yield (
        "/health/ping",
        {"get": {"operationId": "ping", "summary": "Is the server alive?", "responses": {"200": ping}}},
    )
    for at, path in enumerate(("/health/status", "/api/v1.0/health/status")):
        yield path, _reading(f"health_status_{at}", "Does the server take requests?", "Message")
    for at, path in enumerate(("/metadata", "/api/v1.0/metadata")):
        yield path, _reading(f"metadata_{at}", "The model's metadata")
    yield "/seldon.json", _reading("document", "This document")


def _request(contract: Contract | None) -> Schema:
    if contract is None:
        return _message(_generic_data())
    data = _array(contract.features, "Features")
    message = {"type": "object", "required": ["data"], "properties": {"data": data, "meta": _ref("Meta")}}
    return {**message, "example": contract.sample()}


def _message(data: Schema) -> Schema:
    return {
        "type": "object",
        "properties": {
            "data": data,
            "jsonData": _ANY,
            "strData": {"type": "string"},
            "binData": {"type": "string", "format": "byte"},
            "meta": _ref("Meta"),
        },
    }


def _generic_data() -> Schema:
    return _data({"type": "array", "items": _ANY}, {"type": "array", "items": _ANY})


def _data(values: Schema, rows: Schema) -> Schema:
    shape = {"type": "array", "items": {"type": "integer", "minimum": 0}}
    tensor = {"type": "object", "required": ["shape", "values"], "properties": {"shape": shape, "values": values}}
    return {"type": "object", "properties": {"names": _NAMES, "tensor": tensor, "ndarray": rows}}


def _array(columns: tuple[Column, ...], schema: str) -> Schema:
    """The schema of ``data`` with rows of ``columns``; each value fits the schema of at least one column."""
    unlike: list[Schema] = []
    for each in map(_value, columns):
        if each not in unlike:
            unlike.append(each)
    item = unlike[0] if len(unlike) == 1 else {"anyOf": unlike}
    width = sum(_width(column) for column in columns)
    inner = item
    for length in reversed(columns[0].shape[1:]):
        inner = {"type": "array", "minItems": length, "maxItems": length, "items": inner}
    row = {"type": "array", "minItems": width, "maxItems": width, "items": inner}
    row["description"] = f"One value for each of {schema}, in their order."
    return _data({"type": "array", "items": item}, {"type": "array", "items": row})


def _columns(columns: tuple[Column, ...], separator: str) -> Schema:
    """The schema of each column, by name; names are numbered as in seldon-core's testers: x1, x2 or x:0, x:1."""
    properties = {name: _value(column) for column in columns for name in _unfolded(column, separator)}
    return {"type": "object", "description": "The columns of an array, in order.", "properties": properties}


def _unfolded(column: Column, separator: str) -> Iterable[str]:
    if column.repeat == 1:
        return [column.name]
    first = 0 if separator else 1
    return [f"{column.name}{separator}{at}" for at in range(first, first + column.repeat)]


def _width(column: Column) -> int:
    return column.repeat * (column.shape[0] if column.shape else 1)


def _value(column: Column) -> Schema:
    if column.ftype == "categorical":
        kinds = {"string" if isinstance(value, str) else "number" for value in column.values}
        known = {"type": kinds.pop()} if len(kinds) == 1 and not any(_odd(value) for value in column.values) else {}
        return {**known, "enum": list(column.values)}
    schema: Schema = {"type": "integer" if column.dtype == "INT" else "number"}
    if column.low is not None:
        schema["minimum"] = column.low
    if column.high is not None:
        schema["maximum"] = column.high
    return schema


def _odd(value: Any) -> bool:
    """Whether a category is neither a text nor a number: then OpenAPI has no one type for all categories."""
    return isinstance(value, bool) or not isinstance(value, str | int | float)


def _both(identity: str, summary: str, asked: str, answered: str, sample: Any = None) -> Schema:
    get = _operation(f"{identity}_get", summary, None, answered)
    parameter = {"name": "json", "in": "query", "required": True, "description": f"A {asked}, as JSON."}
    get["parameters"] = [{**parameter, "content": {"application/json": _media(asked, sample)}}]
    return {"get": get, "post": _operation(identity, summary, asked, answered, sample)}


def _reading(identity: str, summary: str, answered: str | None = None) -> Schema:
    return {"get": _operation(identity, summary, None, answered)}


def _operation(identity: str, summary: str, asked: str | None, answered: str | None, sample: Any = None) -> Schema:
    operation: Schema = {"operationId": identity, "summary": summary}
    if asked:
        form = {"type": "object", "required": ["json"], "properties": {"json": {"type": "string"}}}
        content = {
            "application/json": _media(asked, sample),
            "application/x-www-form-urlencoded": {"schema": form},
        }
        operation["requestBody"] = {"required": True, "content": content}
    error = {"$ref": "#/components/responses/Error"}
    codes = ("400", "500", "503") if asked or answered else ("500",)
    operation["responses"] = {"200": _answered("The answer", answered), **dict.fromkeys(codes, error)}
    return operation


def _answered(description: str, schema: str | None) -> Schema:
    media = _media(schema) if schema else {"schema": {"type": "object"}}
    return {"description": description, "content": {"application/json": media}}


def _media(schema: str, sample: Any = None) -> Schema:
    return {"schema": _ref(schema)} | ({"example": sample} if sample is not None else {})


def _ref(schema: str) -> Schema:
    return {"$ref": f"#/components/schemas/{schema}"}
