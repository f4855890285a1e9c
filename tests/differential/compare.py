"""Compares answers with the recorded ones: pure functions, and the table of the intended differences."""

import fnmatch
import math
from dataclasses import dataclass, field
from typing import Any

from .cases import JSON

RELATIVE = 1e-9
INTERNAL = "MICROSERVICE_INTERNAL_ERROR"
BAD_DATA = "MICROSERVICE_BAD_DATA"

# An error's text is compared to the letter, but for these: their beginning is what a client may know, the rest prints
# the input in Python's or protobuf's way. Texts of internal errors are nobody's interface.
CLASSES = (
    "Can't find JSON in data",
    "Invalid request data type",
    "Invalid JSON",
    "Unknown data type returned as payload",
    "Bad metric created during request",
    "Routing response must be int but got",
)


@dataclass(frozen=True, slots=True)
class Allowed:
    """An intended difference: the cases (by a pattern of their ids), the reason, and what is expected instead."""

    pattern: str
    reason: str
    expected: dict[str, Any] = field(default_factory=dict)
    """The members that replace those of the recorded answer."""
    nan_as_null: bool = False


def bad_data(pattern: str, reason: str) -> Allowed:
    status = {"code": -1, "info": None, "reason": BAD_DATA, "status": 1}
    return Allowed(pattern, reason, {"status": 400, "type": JSON, "body": {"status": status}})


def internal(pattern: str, reason: str, status: int) -> Allowed:
    answer = {"code": -1, "info": None, "reason": INTERNAL, "status": 1}
    told = {"status": status, "type": JSON, "headers": None, "body": {"status": answer}}
    return Allowed(pattern, reason, told)


def answered(pattern: str, reason: str, **body: Any) -> Allowed:
    return Allowed(pattern, reason, {"status": 200, "body": {"meta": {}, **body}})


def array(names: list[str], values: list[Any]) -> dict[str, Any]:
    return {"names": names, "ndarray": values}


TENSOR = {"shape": [2, 2], "values": [1, 2, 3, 4]}
CLASSES_GIVEN = ["first", "second"]
HUGE_ARRAY = {"array": [[2.0**64]], "dtype": "float64", "shape": [1, 1]}
HUGE_DESCRIBED: dict[str, Any] = {"X": HUGE_ARRAY, "names": [], "meta": None}
REFUSED = {"code": -1, "reason": BAD_DATA, "status": 1}
SILENT = "the model refused this request"

# docs/compatibility.md has each reason, word for word.
MALFORMED = "malformed input is answered 400 with the place of the fault, whichever layer finds it"
NAN = "an answer is always valid JSON: NaN and infinities are written as null"
NO_JSON = "a request must be valid JSON: NaN and Infinity are refused"
SURROGATE = "half of a surrogate pair is refused"
DOUBLED = "duplicate keys in one object are refused"
HUGE = "integers from 2**64 on are read as floats"
WRITABLE = "values that JSON can express are answered where the stock wrapper fails on the Python type"
DATES = "dates are written as ISO 8601"
NAMES_LIST = "names in an answer are always a list"
ROUTING = "send_feedback without a routing parameter is called without it"
STATUS_NULL = "a null status in a raw answer counts as no status"
EMPTY_WORDS = "an error always has a message"
EMPTY_AGGREGATE = "an aggregate of no messages is refused before the model is called"
BAD_FEEDBACK_ANSWER = "a return value of send_feedback that predict could not return is refused"
MINUS_ONE = "tensor.shape accepts only whole numbers from 0 on"
ONCE = "predict is called once, with meta if its signature has it"
NOT_FOUND = "an unknown path is answered 404"
WRONG_METHOD = "a wrong method is answered 405"
NO_CORS = "no CORS headers"

ALLOWED: tuple[Allowed, ...] = (
    *(
        bad_data(f"payload/*/{name}", MALFORMED)
        for name in (
            "ndarray-ragged",
            "tensor-mismatch",
            "tensor-without-shape",
            "tensor-without-values",
            "tensor-null",
            "data-null",
            "tftensor",
            "bin-bad-padding",
            "bin-number",
        )
    ),
    *(bad_data(f"payload/*/{name}", MALFORMED) for name in ("data-list", "names-string", "str-number", "str-null")),
    *(bad_data(f"body/{name}", NO_JSON) for name in ("nan", "nan-in-tensor")),
    bad_data("body/lone-surrogate", SURROGATE),
    bad_data("body/duplicate-keys", DOUBLED),
    bad_data("multipart/bin-text-unquoted", MALFORMED),
    bad_data("multipart/data-file", MALFORMED),
    bad_data("combiner/*/empty*", EMPTY_AGGREGATE),
    bad_data("feedback/returns/number", BAD_FEEDBACK_ANSWER),
    answered("payload/identity/ndarray-huge-int", HUGE, data=array(["t:0"], [[2.0**64]])),
    answered("payload/predict/ndarray-huge-int", HUGE, jsonData=HUGE_DESCRIBED),
    answered("return/ndarray/list-of-arrays", WRITABLE, data=array(["t:0", "t:1"], [[1, 2]])),
    answered("return/*/dict-keys", WRITABLE, jsonData={"1": "int", "s": "str"}),
    answered("return/*/datetime", DATES, data=array([], ["2020-01-01"])),
    answered("class-names/Array/ndarray-ints", WRITABLE, data=array(CLASSES_GIVEN, [[1, 2], [3, 4]])),
    answered("class-names/Array/ndarray-three-dim", WRITABLE, data=array(CLASSES_GIVEN, [[[1, 2]], [[3, 4]]])),
    answered("class-names/Array/tensor-ints", WRITABLE, data={"names": CLASSES_GIVEN, "tensor": TENSOR}),
    answered("class-names/None/ndarray-ints", NAMES_LIST, data=array(["t:0", "t:1"], [[1, 2], [3, 4]])),
    answered("class-names/None/ndarray-three-dim", NAMES_LIST, data=array(["t:0"], [[[1, 2]], [[3, 4]]])),
    answered("class-names/None/tensor-ints", NAMES_LIST, data={"names": ["t:0", "t:1"], "tensor": TENSOR}),
    answered("feedback/without-routing", ROUTING, data=array(["t:0"], [[1.0]])),
    Allowed("raw/predict/status-none", STATUS_NULL, {"status": 200, "body": {"strData": "x", "status": None}}),
    Allowed("raise/seldon/empty", EMPTY_WORDS, {"body": {"status": {**REFUSED, "info": SILENT}}}),
    bad_data("encoding/*/data-null", MALFORMED),
    bad_data("form/broken", MALFORMED),
    bad_data("query/broken", MALFORMED),
    bad_data("multipart/str-not-utf8", MALFORMED),
    bad_data("multipart/str-file-not-utf8", MALFORMED),
    bad_data("multipart/*-broken", MALFORMED),
    bad_data("meta/*/null", MALFORMED),
    bad_data("meta/*/list", MALFORMED),
    bad_data("payload/*/tensor-minus-one", MINUS_ONE),
    Allowed("return/*/nan", NAN, nan_as_null=True),
    Allowed("return/*/nan-list", NAN, nan_as_null=True),
    Allowed("return/*/infinity", NAN, nan_as_null=True),
    Allowed("return/*/dict-nan", NAN, nan_as_null=True),
    Allowed("body/nan*", NAN, nan_as_null=True),
    internal("meta-keyword/TwiceOnTypeError", ONCE, 500),
    *(
        internal(f"route/{method}{path}", NOT_FOUND, 404)
        for method in ("POST", "GET", "empty")
        for path in ("/", "/none", "/predict/", "/docs", "/metrics", "/api/v2.0/predictions", "/PREDICT")
    ),
    internal("route/GET/api/v[01].[01]/predictions", WRONG_METHOD, 405),
    internal("route/GET/api/v[01].[01]/feedback", WRONG_METHOD, 405),
    *(
        internal(f"route/{method}{path}", WRONG_METHOD, 405)
        for method in ("POST", "empty")
        for path in ("/health/*", "/api/v1.0/health/status", "/metadata", "/api/v1.0/metadata", "/seldon.json")
    ),
    *(internal(f"route/{method}/*", WRONG_METHOD, 405) for method in ("PUT", "DELETE", "PATCH")),
    Allowed("cors/origin", NO_CORS, {"headers": {}}),
    *(internal(f"cors/{name}", NO_CORS, 405) for name in ("options", "preflight")),
)


ALLOWED_CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "return/ndarray/bytearray": (WRITABLE, {"binData": "YWI=", "meta": {}}),
    "return/ndarray/zero-dim": (WRITABLE, {"data": {"ndarray": [7.0]}, "meta": {}}),
}
"""The intended differences over gRPC by id: the reason, and the message expected instead of a fault."""

SWITCHED = frozenset({NAN, NO_JSON, DOUBLED, NOT_FOUND, WRONG_METHOD, NO_CORS})
"""The differences that SCOREKIT_COMPATIBILITY=stock removes."""


def expected(case_id: str, golden: dict[str, Any], stock: bool = False) -> dict[str, Any]:
    """Returns the recorded answer with the intended differences; for a server in stock mode, with those that remain."""
    for allowed in ALLOWED:
        if stock and allowed.reason in SWITCHED:
            continue
        if fnmatch.fnmatchcase(case_id, allowed.pattern):
            golden = _changed(golden, allowed)
    return golden


def _changed(golden: dict[str, Any], allowed: Allowed) -> dict[str, Any]:
    if allowed.nan_as_null:
        return {name: _nulled(value) for name, value in golden.items()}
    return {**golden, **allowed.expected}


def _nulled(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {name: _nulled(each) for name, each in value.items()}
    return [_nulled(each) for each in value] if isinstance(value, list) else value


def unused(answers: dict[str, dict[str, Any]]) -> list[str]:
    """Returns the patterns of the table that no recorded answer needs."""
    return [
        allowed.pattern
        for allowed in ALLOWED
        if not any(
            fnmatch.fnmatchcase(case_id, allowed.pattern) and differences(_changed(golden, allowed), golden)
            for case_id, golden in answers.items()
        )
    ]


def differences(want: dict[str, Any], got: dict[str, Any]) -> list[str]:
    """Where ``got`` is not ``want``, a line each; none when a client could not tell them apart.

    Numbers keep their kind (1 is not 1.0 on the wire); floats agree within ``RELATIVE``.
    A wanted ``info: None`` or ``headers: None`` is any.
    """
    found = [
        f"{name}: {got.get(name)!r}, not {want[name]!r}"
        for name in ("status", "type")
        if name in want and want[name] != got.get(name)
    ]
    if want.get("headers") is not None and want["headers"] != got.get("headers"):
        found.append(f"headers: {got.get('headers')!r}, not {want['headers']!r}")
    if "text" in want and "body" not in want and want["text"] != got.get("text"):
        found.append(f"text: {got.get('text')!r}, not {want['text']!r}")
    if "body" in want:
        found += _differences(_told(want["body"]), _told(got.get("body", got.get("text"))), "$")
    return found


def _told(body: Any) -> Any:
    """Returns an error's body with as much of its text as counts."""
    status = body.get("status") if isinstance(body, dict) else None
    if not isinstance(status, dict) or not {"code", "info", "reason", "status"} <= status.keys():
        return body
    info = status["info"]
    if status["reason"] == INTERNAL:
        info = None
    elif isinstance(info, str):
        info = next((known for known in CLASSES if info.startswith(known)), info)
    return {**body, "status": {**status, "info": info}}


def _differences(want: Any, got: Any, place: str) -> list[str]:
    if place == "$.status.info" and want is None:
        return []
    if isinstance(want, dict) and isinstance(got, dict):
        lines = [f"{place}.{name} is missing" for name in want.keys() - got.keys()]
        lines += [f"{place}.{name} is too much" for name in got.keys() - want.keys()]
        for name in want.keys() & got.keys():
            lines += _differences(want[name], got[name], f"{place}.{name}")
        return sorted(lines)
    if isinstance(want, list) and isinstance(got, list) and len(want) == len(got):
        pairs = zip(want, got, strict=True)
        return [line for at, pair in enumerate(pairs) for line in _differences(*pair, f"{place}[{at}]")]
    return [] if _same(want, got) else [f"{place}: {got!r}, not {want!r}"]


def _same(want: Any, got: Any) -> bool:
    if type(want) is not type(got):
        return False
    if isinstance(want, float):
        return math.isclose(want, got, rel_tol=RELATIVE) or (math.isnan(want) and math.isnan(got))
    return bool(want == got)


def expected_call(call_id: str, golden: dict[str, Any]) -> dict[str, Any]:
    """Returns the recorded answer to a call, or what is expected instead."""
    allowed = ALLOWED_CALLS.get(call_id)
    return {"code": "OK", "message": allowed[1]} if allowed else golden


def call_differences(want: dict[str, Any], got: dict[str, Any]) -> list[str]:
    """The same for gRPC. The stock wrapper answers every fault with UNKNOWN; ours may have any other code."""
    if want["code"] != "OK":
        proper = got["code"] not in ("OK", "UNKNOWN")
        return [] if proper else [f"code: {got['code']}, not a proper one for {want['details']!r}"]
    if got["code"] != "OK":
        return [f"code: {got['code']} ({got.get('details')}), not OK"]
    return _differences(want.get("message"), got.get("message"), "$")
