"""Is an answer the recorded one? Pure functions, and the table of the differences that are meant."""

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
    """A deliberate difference: which cases (by pattern of their id), why, and what is expected there instead."""

    pattern: str
    reason: str
    expected: dict[str, Any] = field(default_factory=dict)
    """What replaces the recorded answer's members."""
    nan_as_null: bool = False


def bad_data(pattern: str, reason: str) -> Allowed:
    status = {"code": -1, "info": None, "reason": BAD_DATA, "status": 1}
    return Allowed(pattern, reason, {"status": 400, "type": JSON, "body": {"status": status}})


def internal(pattern: str, reason: str, status: int) -> Allowed:
    answer = {"code": -1, "info": None, "reason": INTERNAL, "status": 1}
    told = {"status": status, "type": JSON, "headers": None, "body": {"status": answer}}
    return Allowed(pattern, reason, told)


MALFORMED = "malformed input is answered 400 with the place of the fault, whoever found it"
NAN = "an answer is valid JSON always: NaN and infinities are written as null"
MINUS_ONE = "tensor.shape takes whole numbers from 0 only"
ONCE = "predict is called once, with meta if its signature takes it"
NOT_FOUND = "an unknown path is 404"
WRONG_METHOD = "a wrong method is 405"
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


def expected(case_id: str, golden: dict[str, Any]) -> dict[str, Any]:
    """The recorded answer with the deliberate differences in it."""
    for allowed in ALLOWED:
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
    """The patterns of the table that no recorded answer needs."""
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
    """An error's body with its text as far as it counts."""
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


def call_differences(want: dict[str, Any], got: dict[str, Any]) -> list[str]:
    """The same for gRPC. The stock tells every fault as UNKNOWN; a fault must be a fault, with any code but that."""
    if want["code"] != "OK":
        proper = got["code"] not in ("OK", "UNKNOWN")
        return [] if proper else [f"code: {got['code']}, not a proper one for {want['details']!r}"]
    if got["code"] != "OK":
        return [f"code: {got['code']} ({got.get('details')}), not OK"]
    return _differences(want.get("message"), got.get("message"), "$")
