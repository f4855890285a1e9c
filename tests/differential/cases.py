"""The cases of the differential suite, as data: which component is asked what. Nothing here knows the answers.

A component that takes a *key* (see ``components/describing.py``) is told by the request which of its answers is wanted.
"""

import json
import random
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
BOUNDARY = "a-boundary-that-no-case-contains"
PREDICT = ("/predict", "/api/v0.1/predictions", "/api/v1.0/predictions")
FEEDBACK = ("/send-feedback", "/api/v0.1/feedback", "/api/v1.0/feedback")
MESSAGE_ROUTES = ("/predict", "/transform-input", "/transform-output", "/route")
Environ = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Case:
    """One REST request. ``component`` and ``env`` name the server that it is sent to."""

    id: str
    component: str
    path: str
    body: bytes = b""
    method: str = "POST"
    headers: tuple[tuple[str, str], ...] = ()
    env: Environ = ()


@dataclass(frozen=True, slots=True)
class Call:
    """One gRPC call; ``request`` is the message as ``ParseDict`` takes it."""

    id: str
    component: str
    method: str
    request: dict[str, Any]
    env: Environ = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a multipart form. A part with a file name is a file."""

    name: str
    content: bytes
    file: str = ""


PAYLOADS: dict[str, Any] = {
    "ndarray-ints": {"data": {"ndarray": [[1, 2], [3, 4]]}},
    "ndarray-floats": {"data": {"ndarray": [[1.5, 2.0]]}},
    "ndarray-one-dim": {"data": {"ndarray": [1, 2]}},
    "ndarray-three-dim": {"data": {"ndarray": [[[1, 2]], [[3, 4]]]}},
    "ndarray-number": {"data": {"ndarray": 5}},
    "ndarray-string": {"data": {"ndarray": "ab"}},
    "ndarray-null": {"data": {"ndarray": None}},
    "ndarray-object": {"data": {"ndarray": {"a": 1}}},
    "ndarray-empty": {"data": {"ndarray": []}},
    "ndarray-empty-row": {"data": {"ndarray": [[]]}},
    "ndarray-bools": {"data": {"ndarray": [[True, False]]}},
    "ndarray-strings": {"data": {"ndarray": [["a", "ünï"]]}},
    "ndarray-mixed": {"data": {"ndarray": [[1, "a"], [2.5, "b"]]}},
    "ndarray-mixed-bool": {"data": {"ndarray": [[True, 2]]}},
    "ndarray-nulls": {"data": {"ndarray": [[None, 1]]}},
    "ndarray-objects": {"data": {"ndarray": [{"a": 1}]}},
    "ndarray-large-ints": {"data": {"ndarray": [[2**53 + 1, -(2**63)]]}},
    "ndarray-huge-int": {"data": {"ndarray": [[2**64]]}},
    "ndarray-ragged": {"data": {"ndarray": [[1], [1, 2]]}},
    "tensor-ints": {"data": {"tensor": {"shape": [2, 2], "values": [1, 2, 3, 4]}}},
    "tensor-floats": {"data": {"tensor": {"shape": [1, 2], "values": [0.1, 1e300]}}},
    "tensor-one-dim": {"data": {"tensor": {"shape": [2], "values": [1, 2]}}},
    "tensor-three-dim": {"data": {"tensor": {"shape": [1, 2, 2], "values": [1, 2, 3, 4]}}},
    "tensor-zero-dim": {"data": {"tensor": {"shape": [], "values": [7]}}},
    "tensor-empty": {"data": {"tensor": {"shape": [0, 2], "values": []}}},
    "tensor-minus-one": {"data": {"tensor": {"shape": [-1, 2], "values": [1, 2]}}},
    "tensor-mismatch": {"data": {"tensor": {"shape": [2, 2], "values": [1, 2]}}},
    "tensor-without-shape": {"data": {"tensor": {"values": [1]}}},
    "tensor-without-values": {"data": {"tensor": {"shape": [1]}}},
    "tensor-null": {"data": {"tensor": None}},
    "tensor-strings": {"data": {"tensor": {"shape": [1, 2], "values": ["a", "b"]}}},
    "tensor-and-ndarray": {"data": {"ndarray": [[9]], "tensor": {"shape": [1, 1], "values": [1]}}},
    "tftensor": {"data": {"tftensor": {"dtype": "DT_INT32", "intVal": [1]}}},
    "data-empty": {"data": {}},
    "data-only-names": {"data": {"names": ["a"]}},
    "data-list": {"data": [1, 2]},
    "data-null": {"data": None},
    "data-unknown-key": {"data": {"array": [1]}},
    "data-extra-keys": {"data": {"ndarray": [[1]], "more": 1}, "else": {"a": 1}},
    "names": {"data": {"names": ["a", "b"], "ndarray": [[1, 2]]}},
    "names-null": {"data": {"names": None, "ndarray": [[1, 2]]}},
    "names-too-few": {"data": {"names": ["a"], "ndarray": [[1, 2]]}},
    "names-numbers": {"data": {"names": [1, 2], "ndarray": [[1, 2]]}},
    "names-string": {"data": {"names": "ab", "ndarray": [[1, 2]]}},
    "str": {"strData": "ünï <>&"},
    "str-empty": {"strData": ""},
    "str-number": {"strData": 5},
    "str-null": {"strData": None},
    "bin": {"binData": "AP8="},
    "bin-empty": {"binData": ""},
    "bin-bad-characters": {"binData": "@@"},
    "bin-bad-padding": {"binData": "abc"},
    "bin-number": {"binData": 5},
    "json-object": {"jsonData": {"a": [1, 2.5, None, True]}},
    "json-list": {"jsonData": [1, 2]},
    "json-string": {"jsonData": "text"},
    "json-number": {"jsonData": 1},
    "json-null": {"jsonData": None},
    "data-and-str": {"data": {"ndarray": [[1]]}, "strData": "loses"},
    "json-and-bin": {"binData": "AP8=", "jsonData": {"wins": 1}},
    "str-and-bin": {"binData": "AP8=", "strData": "wins"},
    "custom": {"customData": {"@type": "type.googleapis.com/google.protobuf.Value", "value": 1}},
    "no-payload": {},
    "only-meta": {"meta": {"puid": "p"}},
    "unknown-key": {"payload": 1},
    "top-list": [1, 2],
    "top-string": "text",
    "top-number": 1,
    "top-null": None,
    "top-true": True,
}
"""Returns one request body for each kind of payload."""

METAS: dict[str, Any] = {
    "empty": {},
    "null": None,
    "list": [1],
    "puid": {"puid": "abc"},
    "puid-empty": {"puid": ""},
    "tags": {"tags": {"a": 1, "shared": "request", "nested": {"x": [1.5, None]}}},
    "tags-empty": {"tags": {}},
    "metrics": {"metrics": [{"type": "GAUGE", "key": "asked", "value": 2.5}]},
    "metrics-empty": {"metrics": []},
    "request-path": {"requestPath": {"first": "image:1"}},
    "routing": {"routing": {"router": 1}},
    "unknown": {"else": 1},
    "all": {
        "puid": "abc",
        "tags": {"a": 1},
        "metrics": [{"type": "TIMER", "key": "asked", "value": 1}],
        "requestPath": {"first": "image:1", "classifier": "other:2"},
        "routing": {"router": 0},
    },
}
NODE: Environ = (("PREDICTIVE_UNIT_ID", "classifier"), ("PREDICTIVE_UNIT_IMAGE", "registry:5000/image:0.1"))
NO_METRICS: Environ = (("INCLUDE_METRICS_IN_CLIENT_RESPONSE", "false"),)


def posted(case_id: str, component: str, path: str, body: Any, env: Environ = ()) -> Case:
    """Returns a request with a JSON body."""
    return Case(case_id, component, path, json.dumps(body).encode(), headers=(("Content-Type", JSON),), env=env)


def encoded(case_id: str, component: str, path: str, body: Any, encoding: str, env: Environ = ()) -> Case:
    """Returns the same request in one of the four encodings: json, form, query, multipart."""
    text = json.dumps(body)
    if encoding == "json":
        return posted(case_id, component, path, body, env)
    if encoding == "form":
        data = urllib.parse.urlencode({"json": text}).encode()
        return Case(case_id, component, path, data, headers=(("Content-Type", FORM),), env=env)
    if encoding == "query":
        return Case(case_id, component, f"{path}?{urllib.parse.urlencode({'json': text})}", method="GET", env=env)
    assert encoding == "multipart"
    parts = [Part(name, (value if name == "strData" else json.dumps(value)).encode()) for name, value in body.items()]
    return multipart(case_id, component, path, *parts)


def multipart(case_id: str, component: str, path: str, *parts: Part) -> Case:
    body = b""
    for part in parts:
        file = f'; filename="{part.file}"\r\nContent-Type: application/octet-stream' if part.file else ""
        body += f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{part.name}"{file}\r\n\r\n'.encode()
        body += part.content + b"\r\n"
    body += f"--{BOUNDARY}--\r\n".encode()
    return Case(
        case_id, component, path, body, headers=(("Content-Type", f"multipart/form-data; boundary={BOUNDARY}"),)
    )


def ask(word: str, kind: str = "ndarray") -> dict[str, Any]:
    """Returns a request that carries the key ``word`` as a payload of ``kind``."""
    kinds: dict[str, dict[str, Any]] = {
        "ndarray": {"data": {"names": [word], "ndarray": [[1]]}},
        "tensor": {"data": {"names": [word], "tensor": {"shape": [1, 1], "values": [1]}}},
        "str": {"strData": word},
        "json": {"jsonData": {"key": word}},
    }
    return kinds[kind]


def words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


RETURNS = words(
    "list list-empty list-nested list-mixed list-ragged-objects list-floats list-bools list-of-arrays int int8 "
    "uint64 float float32 float16 large bool str object bytes-array complex datetime empty empty-rows "
    "empty-columns zero-dim one-dim three-dim fortran view big-endian nan infinity nan-list matrix dict "
    "dict-empty dict-nan dict-keys dict-numpy dict-status string string-empty bytes bytes-empty bytearray tuple "
    "none number number-float true scalar-int scalar-float scalar-str set"
)
RAISES = words(
    "ValueError KeyError TypeError AttributeError NotImplementedError empty unicode AssertionError StopIteration"
)
SELDON_RAISES = words("default 403 503 418 unicode empty not-implemented")
RESPONSES = words("all plain tags dict bad-metric bad-value")
HOOKS = words(
    "tags-raise tags-none tags-list tags-string metrics-raise metrics-none metrics-dict metrics-of-string "
    "metrics-without-type metrics-without-key metrics-without-value metrics-bad-type metrics-lower-type "
    "metrics-string-value metrics-none-value metrics-second-bad metrics-extra-member metrics-true-value "
    "metrics-empty-tags good"
)
RAWS = words(
    "same method data meta unknown-members empty list string number none status status-only status-200 status-201 "
    "status-without-code status-text status-none metrics metrics-tags bytes raise"
)
ROUTES = words("zero one minus-one minus-two large true numpy float string none list array")
ROWS = {"data": {"names": ["a", "b"], "ndarray": [[1, 2]]}}


def _payloads() -> Iterator[Case]:
    for name, body in PAYLOADS.items():
        yield posted(f"payload/predict/{name}", "predicting.Describe", "/predict", body)
        yield posted(f"payload/identity/{name}", "Plain", "/predict", body)
    for name in ("ndarray-ints", "tensor-ints", "str", "bin", "json-object", "no-payload", "top-list", "names-null"):
        for route in ("/transform-input", "/transform-output"):
            yield posted(f"payload{route}/{name}", "graphing.TransformerDescribes", route, PAYLOADS[name])
            yield posted(f"payload-identity{route}/{name}", "hooking.Methods", route, PAYLOADS[name])
        yield posted(f"payload/route/{name}", "hooking.Methods", "/route", PAYLOADS[name])
    for component in words(
        "DescribeWithoutMeta DescribeKeywords DescribeMetaSecond DescribeBehindDecorator TwiceOnTypeError"
    ):
        body = {**ROWS, "meta": {"puid": "p"}}
        yield posted(f"meta-keyword/{component}", f"predicting.{component}", "/predict", body)


def _encodings() -> Iterator[Case]:
    component = "predicting.Describe"
    for encoding in ("json", "form", "query", "multipart"):
        for name in ("ndarray-ints", "tensor-floats", "str", "bin", "json-object", "no-payload", "data-null"):
            yield encoded(f"encoding/{encoding}/{name}", component, "/predict", PAYLOADS[name], encoding)
        for route in ("/transform-input", "/transform-output", "/route"):
            yield encoded(f"encoding/{encoding}{route}", "hooking.Methods", route, ROWS, encoding)
        yield encoded(
            f"encoding/{encoding}/aggregate", "hooking.Methods", "/aggregate", {"seldonMessages": [ROWS]}, encoding
        )
        yield encoded(
            f"encoding/{encoding}/send-feedback", "graphing.Feedback", "/send-feedback", {"request": ROWS}, encoding
        )
    raw = json.dumps(ROWS).encode()
    other = urllib.parse.urlencode({"json": json.dumps({"strData": "other"})})
    types = {
        "charset": "application/json; charset=utf-8",
        "plus-json": "application/vnd.mine+json",
        "upper-case": "APPLICATION/JSON",
        "text": "text/plain",
        "text-json": "text/json",
        "octets": "application/octet-stream",
        "form-with-json-body": FORM,
    }
    for name, content_type in types.items():
        yield Case(f"content-type/{name}", component, "/predict", raw, headers=(("Content-Type", content_type),))
    yield Case("content-type/none", component, "/predict", raw)
    bodies = {
        "empty": b"",
        "broken": b'{"data":',
        "trailing": b'{"strData":"a"} x',
        "two": b'{"strData":"a"}{"strData":"b"}',
        "not-utf8": b'{"strData":"\xff"}',
        "bom": b'\xef\xbb\xbf{"strData":"a"}',
        "utf16": '{"strData":"a"}'.encode("utf-16"),
        "nan": b'{"data":{"ndarray":[[NaN,Infinity,-Infinity]]}}',
        "nan-in-tensor": b'{"data":{"tensor":{"shape":[1],"values":[NaN]}}}',
        "duplicate-keys": b'{"strData":"a","strData":"b"}',
        "white-space": b' \n{ "strData" : "a" }\n',
        "escapes": b'{"strData":"\\u00fc\\ud83d\\ude00\\u0000"}',
        "lone-surrogate": b'{"strData":"\\ud800"}',
        "exponent": b'{"data":{"ndarray":[[1e2,-0.0,1E-7]]}}',
        "deep": b'{"jsonData":' + b"[" * 50 + b"]" * 50 + b"}",
        "single-quotes": b"{'strData':'a'}",
        "comma": b'{"data":{"ndarray":[1,]}}',
    }
    for name, body in bodies.items():
        yield Case(f"body/{name}", component, "/predict", body, headers=(("Content-Type", JSON),))
    json_header = (("Content-Type", JSON),)
    form_header = (("Content-Type", FORM),)
    yield Case("precedence/query-over-body", component, f"/predict?{other}", raw, headers=json_header)
    yield Case("precedence/empty-query-then-body", component, "/predict?json=", raw, headers=json_header)
    yield Case("precedence/other-query-then-body", component, "/predict?a=1", raw, headers=json_header)
    form = urllib.parse.urlencode({"json": json.dumps(ROWS)}).encode()
    yield Case("precedence/form-over-query", component, f"/predict?{other}", form, headers=form_header)
    yield Case("precedence/empty-form-then-query", component, f"/predict?{other}", b"json=", headers=form_header)
    yield Case("form/first-of-two", component, "/predict", form + b"&" + other.encode(), headers=form_header)
    yield Case("form/extra-field", component, "/predict", b"isDefault=true&" + form, headers=form_header)
    yield Case("form/without-json", component, "/predict", b"isDefault=true", headers=form_header)
    yield Case("form/broken", component, "/predict", b"json=%7B", headers=form_header)
    yield Case("form/null", component, "/predict", b"json=null", headers=form_header)
    yield Case("form/plus-is-space", component, "/predict", b'json={"strData":"a+b"}', headers=form_header)
    yield Case("form/charset", component, "/predict", form, headers=(("Content-Type", FORM + "; charset=UTF-8"),))
    yield Case("query/post", component, f"/predict?{other}")
    yield Case("query/broken", component, "/predict?json=%7B", method="GET")
    yield Case("query/list", component, "/predict?json=[1]", method="GET")
    yield Case("query/none", component, "/predict", method="GET")
    yield Case("query/get-with-body", component, "/predict", raw, method="GET", headers=json_header)
    yield Case("query/head", component, f"/predict?{other}", method="HEAD")


def _multiparts() -> Iterator[Case]:
    component, png = "predicting.Describe", b"\x89PNG\r\n\x1a\n\x00"
    table: dict[str, tuple[Part, ...]] = {
        "data": (Part("data", b'{"ndarray":[[1]]}'),),
        "data-and-meta": (Part("data", b'{"ndarray":[[1]]}'), Part("meta", b'{"puid":"p"}')),
        "str": (Part("strData", "ünï".encode()),),
        "str-empty": (Part("strData", b""),),
        "str-looks-like-json": (Part("strData", b'{"a":1}'),),
        "str-not-utf8": (Part("strData", b"\xff"),),
        "str-file": (Part("strData", b"a text\n", "a.txt"),),
        "str-file-not-utf8": (Part("strData", png, "a.png"),),
        "bin-file": (Part("binData", png, "a.png"),),
        "bin-file-empty": (Part("binData", b"", "empty"),),
        "bin-text": (Part("binData", b'"AP8="'),),
        "bin-text-unquoted": (Part("binData", b"AP8="),),
        "json": (Part("jsonData", b'{"a":1}'),),
        "json-broken": (Part("jsonData", b"{"),),
        "json-file": (Part("jsonData", b'{"a":1}', "a.json"),),
        "file-over-text": (Part("strData", b"file", "a.txt"), Part("strData", b"text")),
        "two-texts": (Part("strData", b"one"), Part("strData", b"two")),
        "two-files": (Part("binData", b"one", "1"), Part("binData", b"two", "2")),
        "part-called-json": (Part("json", b'{"strData":"a"}'),),
        "unknown-part": (Part("other", b"1"),),
        "unknown-part-broken": (Part("strData", b"a"), Part("other", b"{")),
        "unknown-file": (Part("strData", b"a"), Part("upload", b"text", "u.txt")),
        "data-file": (Part("data", b'{"ndarray":[[1]]}', "d.json"),),
        "no-parts": (),
    }
    for name, parts in table.items():
        yield multipart(f"multipart/{name}", component, "/predict", *parts)
    yield multipart("multipart/transform", "graphing.TransformerDescribes", "/transform-input", table["bin-file"][0])
    yield multipart("multipart/alias", component, PREDICT[2], table["bin-file"][0])
    yield multipart("multipart/identity-bin-file", "Plain", "/predict", table["bin-file"][0])
    yield multipart("multipart/raw", "raw.Raw", "/predict", Part("strData", b"method"))
    yield Case(
        "multipart/without-boundary",
        component,
        "/predict",
        b"nothing",
        headers=(("Content-Type", "multipart/form-data"),),
    )


def _routes() -> Iterator[Case]:
    methods = "hooking.Methods"
    feedback = {"request": ROWS, "reward": 1}
    gets = ("/health/ping", "/health/status", "/api/v1.0/health/status", "/metadata", "/api/v1.0/metadata")
    bodies: dict[str, Any] = {
        **dict.fromkeys((*PREDICT, "/transform-input", "/transform-output", "/route"), ROWS),
        **dict.fromkeys(FEEDBACK, feedback),
        "/aggregate": {"seldonMessages": [ROWS]},
        **dict.fromkeys((*gets, "/seldon.json"), ROWS),
        **dict.fromkeys(("/", "/none", "/predict/", "/docs", "/metrics", "/api/v2.0/predictions", "/PREDICT"), ROWS),
    }
    for path, body in bodies.items():
        query = f"{path}?{urllib.parse.urlencode({'json': json.dumps(body)})}"
        yield posted(f"route/POST{path}", methods, path, body)
        yield Case(f"route/GET{path}", methods, query, method="GET")
        yield Case(f"route/empty{path}", methods, path, headers=(("Content-Type", JSON),))
    for method in ("HEAD", "PUT", "DELETE", "PATCH"):
        yield Case(f"route/{method}/predict", methods, "/predict", method=method)
        yield Case(f"route/{method}/health/ping", methods, "/health/ping", method=method)
    origin = (("Origin", "http://a.example"),)
    preflight = (*origin, ("Access-Control-Request-Method", "POST"))
    yield Case("cors/options", methods, "/predict", method="OPTIONS")
    yield Case("cors/preflight", methods, "/predict", method="OPTIONS", headers=preflight)
    yield Case("cors/origin", methods, "/health/ping", method="GET", headers=origin)


def _returns() -> Iterator[Case]:
    for word in RETURNS:
        for kind in ("ndarray", "tensor"):
            yield posted(f"return/{kind}/{word}", "predicting.Returns", "/predict", ask(word, kind))
    for word in ("list", "list-nested", "float", "bool", "str", "empty", "one-dim", "nan", "dict", "string", "bytes"):
        for kind in ("str", "json"):
            yield posted(f"return/{kind}/{word}", "predicting.Returns", "/predict", ask(word, kind))
    for component in ("Method", "Attribute", "Array", "Numbers", "Empty", "None", "Raise"):
        for payload in ("ndarray-ints", "tensor-ints", "ndarray-one-dim", "ndarray-three-dim", "str"):
            case_id = f"class-names/{component}/{payload}"
            yield posted(case_id, f"predicting.Names{component}", "/predict", PAYLOADS[payload])
    for route in (*MESSAGE_ROUTES, "/aggregate", "/send-feedback"):
        for payload in ("ndarray-ints", "tensor-ints", "str", "json-object"):
            body = PAYLOADS[payload]
            if route == "/aggregate":
                body = {"seldonMessages": [body]}
            elif route == "/send-feedback":
                body = {"request": body}
            yield posted(f"missing{route}/{payload}", "predicting.Nothing", route, body)
            yield posted(f"missing-in-subclass{route}/{payload}", "seldon_based.Bare", route, body)
            yield posted(f"subclass{route}/{payload}", "seldon_based.Full", route, body)
    parameters: Environ = (
        (
            "PREDICTIVE_UNIT_PARAMETERS",
            '[{"name":"i","value":"1","type":"INT"},{"name":"f","value":"1.5","type":"FLOAT"},'
            '{"name":"d","value":"2","type":"DOUBLE"},{"name":"s","value":"x","type":"STRING"},'
            '{"name":"b","value":"yes","type":"BOOL"},{"name":"c","value":"0","type":"BOOL"}]',
        ),
    )
    yield posted("load/parameters", "predicting.Loaded", "/predict", ROWS, parameters)
    yield posted("load/none", "predicting.Loaded", "/predict", ROWS)
    yield posted("load/not-implemented", "predicting.LoadNotImplemented", "/predict", ROWS)
    yield posted("load/raw-not-implemented", "seldon_based.RawNotImplemented", "/predict", ROWS)


def _metas() -> Iterator[Case]:
    for name, meta in METAS.items():
        asked = {**ROWS, "meta": meta}
        for component in ("Methods", "TagsAndMetrics"):
            yield posted(f"meta/{component}/{name}", f"hooking.{component}", "/predict", asked)
        yield posted(f"meta/node/{name}", "hooking.Methods", "/predict", asked, NODE)
    for route in (*MESSAGE_ROUTES, "/aggregate", "/send-feedback"):
        for component in ("hooking.Tags", "hooking.Metrics", "hooking.MetricWithTags", "seldon_based.Responds"):
            for name in ("empty", "all"):
                rows: Any = {"strData": "all"} if component == "seldon_based.Responds" else ROWS
                body: Any = {**rows, "meta": METAS[name]}
                if route == "/aggregate":
                    body = {"seldonMessages": [body, {**ROWS, "meta": {"tags": {"a": 2}, "puid": "second"}}]}
                elif route == "/send-feedback":
                    body = {"request": body, "reward": 0.5}
                yield posted(f"hooks/{component.split('.')[1]}{route}/{name}", component, route, body)
        single: Any = {"seldonMessages": [ROWS]} if route == "/aggregate" else ROWS
        single = {"request": ROWS} if route == "/send-feedback" else single
        yield posted(f"hooks/node{route}", "hooking.TagsAndMetrics", route, single, NODE)
        yield posted(f"hooks/no-metrics{route}", "hooking.TagsAndMetrics", route, single, NO_METRICS)
    yield posted("hooks/empty", "hooking.EmptyHooks", "/predict", ROWS)
    for word in HOOKS:
        yield posted(f"hooks/bad/{word}", "hooking.HooksOf", "/predict", ask(word))
    for word in RESPONSES:
        for route in ("/predict", "/transform-input", "/transform-output"):
            yield posted(f"response{route}/{word}", "seldon_based.Responds", route, ask(word))


def _errors() -> Iterator[Case]:
    for word in RAISES:
        yield posted(f"raise/{word}", "predicting.Raises", "/predict", ask(word))
    for word in SELDON_RAISES:
        yield posted(f"raise/seldon/{word}", "seldon_based.Raises", "/predict", ask(word))
    for route in ("/transform-input", "/transform-output", "/route"):
        yield posted(f"raise/seldon{route}/403", "seldon_based.Raises", route, ask("403"))
    for route in ("/transform-input", "/transform-output"):
        yield posted(f"raise{route}", "graphing.TransformerFails", route, ROWS)
    for word in ("own", "seldon", "nobody"):
        yield posted(f"raise/handler/{word}", "seldon_based.Handler", "/predict", {"strData": word})


def _raws() -> Iterator[Case]:
    for word in RAWS:
        yield posted(f"raw/predict/{word}", "raw.Raw", "/predict", {"strData": word})
    for word in ("method", "status", "metrics", "list", "raise"):
        for route in ("/transform-input", "/transform-output", "/route", PREDICT[1]):
            yield posted(f"raw{route}/{word}", "raw.Raw", route, {"strData": word})
    yield posted("raw/aggregate/object", "raw.Raw", "/aggregate", {"seldonMessages": [{"strData": "a"}]})
    yield posted("raw/aggregate/list", "raw.Raw", "/aggregate", [{"strData": "a"}])
    yield posted("raw/aggregate/wrong", "raw.Raw", "/aggregate", {"wrong": 1})
    yield posted("raw/top-list", "raw.Raw", "/predict", [1])
    yield posted("raw/metrics-left-out", "raw.Raw", "/predict", {"strData": "metrics"}, NO_METRICS)
    yield posted("raw/feedback", "raw.RawProto", "/send-feedback", {"request": ROWS, "reward": 0.25})
    for path in (*MESSAGE_ROUTES, "/aggregate", "/send-feedback"):
        body: Any = {"seldonMessages": [ROWS]} if path == "/aggregate" else ROWS
        body = {"request": ROWS, "reward": 1} if path == "/send-feedback" else body
        yield posted(f"deprecated/rest{path}", "raw.Rest", path, body)
        if path not in ("/aggregate", "/transform-input", "/transform-output", "/route"):
            yield posted(f"deprecated/grpc{path}", "raw.Grpc", path, body)
    yield posted("deprecated/status", "raw.RestStatus", "/predict", ROWS)


def _graphs() -> Iterator[Case]:
    for payload in ("ndarray-ints", "ndarray-floats", "tensor-ints", "tensor-floats"):
        for route in ("/transform-input", "/transform-output"):
            yield posted(f"transform{route}/{payload}", "graphing.Transformer", route, PAYLOADS[payload])
    for word in ROUTES:
        for kind in ("ndarray", "tensor"):
            yield posted(f"router/{word}/{kind}", "graphing.Router", "/route", ask(word, kind))
    for kind in ("str", "json"):
        yield posted(f"router/one/{kind}", "graphing.Router", "/route", ask("one", kind))
    one, two = {"data": {"ndarray": [[1, 2]]}}, {"data": {"ndarray": [[3, 6]]}}
    tensor = {"data": {"tensor": {"shape": [1, 2], "values": [5, 6]}}}
    described = {"data": {"names": ["describe"], "tensor": {"shape": [1], "values": [5]}}}
    lists: dict[str, Any] = {
        "one": {"seldonMessages": [one]},
        "two": {"seldonMessages": [one, two]},
        "bare-list": [one, two],
        "tensor-first": {"seldonMessages": [tensor, one]},
        "tensor-second": {"seldonMessages": [one, tensor]},
        "described": {"seldonMessages": [described, one]},
        "different-shapes": {"seldonMessages": [one, {"data": {"ndarray": [[1], [2], [3]]}}]},
        "strings": {"seldonMessages": [{"strData": "a"}, {"strData": "b"}]},
        "bytes": {"seldonMessages": [{"binData": "YQ=="}, {"binData": "YQ=="}]},
        "json": {"seldonMessages": [{"jsonData": {"a": 1}}, {"jsonData": [1]}]},
        "mixed": {"seldonMessages": [one, {"strData": "b"}]},
        "empty": {"seldonMessages": []},
        "empty-bare-list": [],
        "wrong-key": {"wrong": [one]},
        "no-list": {"seldonMessages": one},
        "null": {"seldonMessages": None},
        "element-without-payload": {"seldonMessages": [one, {"data2": 1}]},
        "element-no-object": {"seldonMessages": [1]},
        "string": "text",
        "metas": {
            "seldonMessages": [
                {**one, "meta": METAS["all"]},
                {**two, "meta": {"puid": "b", "tags": {"a": 2, "b": 3}, "requestPath": {"second": "i:2"}}},
            ]
        },
    }
    for name, body in lists.items():
        yield posted(f"combiner/mean/{name}", "graphing.Combiner", "/aggregate", body)
        yield posted(f"combiner/first/{name}", "graphing.CombinerFirst", "/aggregate", body)
    answered = {"data": {"ndarray": [[1]]}, "meta": {"routing": {"0": 1, "classifier": 2}}}
    feedbacks: dict[str, Any] = {
        "all": {"request": ROWS, "response": answered, "reward": 0.1, "truth": {"data": {"ndarray": [[1]]}}},
        "request": {"request": ROWS},
        "tensor": {"request": tensor},
        "strings": {"request": {"strData": "a"}, "truth": {"strData": "b"}},
        "mixed-ndarray": {"request": {"data": {"ndarray": [[1, "a"]]}}},
        "reward": {"reward": 42},
        "negative-reward": {"reward": -1.5},
        "reward-string": {"reward": "1.5"},
        "reward-word": {"reward": "much"},
        "truth": {"truth": {"data": {"tensor": {"shape": [1, 1], "values": [1]}}}},
        "puid": {"request": {**ROWS, "meta": {"puid": "p", "tags": {"a": 1}}}},
        "empty": {},
        "unknown-member": {"request": ROWS, "more": 1},
        "unknown-member-deep": {"request": {"data": {"array": [1]}}},
        "names-only": {"request": {"data": {"names": ["a"]}}},
        "list": [1],
        "string": "text",
        "number-in-names": {"request": {"data": {"names": [1], "ndarray": [[1]]}}},
    }
    for name, body in feedbacks.items():
        yield posted(f"feedback/{name}", "graphing.Feedback", "/send-feedback", body)
    for path in FEEDBACK[1:]:
        yield posted(f"feedback{path}", "graphing.Feedback", path, feedbacks["all"])
    yield posted("feedback/routing-of-node", "graphing.Feedback", "/send-feedback", feedbacks["all"], NODE)
    yield posted("feedback/router", "graphing.Router", "/send-feedback", feedbacks["all"])
    yield posted("feedback/without-routing", "graphing.FeedbackWithoutRouting", "/send-feedback", feedbacks["all"])
    for word in ("none", "list", "rows", "array", "string", "bytes", "number", "features", "raise"):
        body = {"request": ask(word)}
        yield posted(f"feedback/returns/{word}", "graphing.FeedbackReturns", "/send-feedback", body)
    yield posted(
        "feedback/returns/rows-tensor", "graphing.FeedbackReturns", "/send-feedback", {"request": ask("rows", "tensor")}
    )


def _own_state() -> Iterator[Case]:
    for component in ("List", "Array", "Text", "Dict", "None", "Raises", "Raw"):
        for path in ("/health/status", "/api/v1.0/health/status"):
            yield Case(f"health/{component}{path}", f"describing_itself.Health{component}", path, method="GET")
    for component in ("seldon_based.Bare", "seldon_based.Full", "predicting.Nothing"):
        yield Case(f"health/{component}", component, "/health/status", method="GET")
        yield Case(f"metadata/{component}", component, "/metadata", method="GET")
    yield Case("health/node", "describing_itself.HealthText", "/health/status", method="GET", env=NODE)
    for component in ("", "V2", "Invalid", "UnknownKey", "BadVersions", "NoDict"):
        for path in ("/metadata", "/api/v1.0/metadata"):
            yield Case(f"metadata/class{component}{path}", f"describing_itself.Metadata{component}", path, method="GET")
    yield posted("metadata/invalid-predicts", "describing_itself.MetadataInvalid", "/predict", ROWS)
    environs: dict[str, Environ] = {
        "image": NODE,
        "image-without-tag": (("PREDICTIVE_UNIT_IMAGE", "image"),),
        "json": (("MODEL_METADATA", '{"name":"by-env","custom":{"a":"b"}}'),),
        "yaml": (("MODEL_METADATA", "name: by-env\nversions: [v9]\n"),),
        "broken": (
            (
                "MODEL_METADATA",
                "{name: [",
            ),
        ),
        "invalid": (("MODEL_METADATA", "name: 5"),),
    }
    for name, env in environs.items():
        yield Case(f"metadata/env/{name}", "describing_itself.Metadata", "/metadata", method="GET", env=env)
    yield Case("metadata/env/only-image", "Plain", "/metadata", method="GET", env=NODE)


def _random_array(rng: random.Random) -> Any:
    shape = [rng.randint(1, 4) for _ in range(rng.randint(1, 3))]
    leaf: Callable[[], Any] = rng.choice(
        (
            lambda: rng.randint(-(10**6), 10**6),
            lambda: rng.uniform(-1e3, 1e3),
            lambda: rng.choice((rng.randint(-9, 9), rng.random())),
            lambda: rng.choice(("a", "ü", "", "1", "long text")),
            lambda: rng.random() < 0.5,
            lambda: rng.choice((None, 1, "a", 2.5)),
        )
    )

    def grown(left: list[int]) -> Any:
        return [grown(left[1:]) for _ in range(left[0])] if left else leaf()

    return grown(shape)


def _random_message(rng: random.Random) -> dict[str, Any]:
    kind = rng.choice(("ndarray", "ndarray", "ndarray", "tensor", "tensor", "str", "bin", "json"))
    body: dict[str, Any]
    if kind == "ndarray":
        body = {"data": {"ndarray": _random_array(rng)}}
    elif kind == "tensor":
        rows, columns = rng.randint(0, 4), rng.randint(1, 4)
        whole = rng.random() < 0.5
        values = [rng.randint(-99, 99) if whole else rng.gauss(0, 10) for _ in range(rows * columns)]
        body = {"data": {"tensor": {"shape": [rows, columns], "values": values}}}
    elif kind == "json":
        body = {"jsonData": {"v": _random_array(rng), "n": rng.choice((None, True, 1, "x"))}}
    else:
        body = {"strData": rng.choice(("", "text", 'ünï\n\t"\\'))} if kind == "str" else {"binData": "AAEC/w=="}
    if "data" in body and rng.random() < 0.5:
        body["data"]["names"] = [f"f{number}" for number in range(rng.randint(0, 4))]
    if rng.random() < 0.4:
        body["meta"] = {
            name: METAS[name][name] for name in rng.sample(("puid", "tags", "metrics", "routing"), rng.randint(0, 4))
        }
    return body


def random_cases(seed: int = 1, count: int = 100) -> Iterator[Case]:
    """Returns ``count`` valid requests, the same ones for the same ``seed``."""
    rng = random.Random(seed)  # noqa: S311  the cases must be the same each time
    for number in range(count):
        component, path = rng.choice(
            (
                ("predicting.Describe", "/predict"),
                ("Plain", PREDICT[number % 3]),
                ("hooking.TagsAndMetrics", "/predict"),
                ("graphing.TransformerDescribes", "/transform-input"),
                ("hooking.Tags", "/transform-output"),
                ("graphing.Combiner", "/aggregate"),
            )
        )
        body = _random_message(rng)
        if path == "/aggregate":
            body = {"seldonMessages": [_random_message(rng) for _ in range(rng.randint(1, 3))]}
        encoding = rng.choice(("json", "json", "form", "query"))
        encoding = "form" if encoding == "query" and path in PREDICT[1:] else encoding
        yield encoded(f"random/{number:03}{path}", component, path, body, encoding)


def rest_cases() -> list[Case]:
    """Returns every REST case, each with its own id."""
    groups = (_payloads, _encodings, _multiparts, _routes, _returns, _metas, _errors, _raws, _graphs, _own_state)
    return [*(case for group in groups for case in group()), *random_cases()]


def _calls() -> Iterator[Call]:
    rows = {"data": {"names": ["a", "b"], "tensor": {"shape": [1, 2], "values": [1, 2]}}}
    given = (
        "ndarray-ints ndarray-floats ndarray-one-dim ndarray-three-dim ndarray-empty ndarray-bools ndarray-strings "
        "ndarray-mixed ndarray-nulls ndarray-objects ndarray-ragged tensor-ints tensor-floats tensor-one-dim "
        "tensor-zero-dim tensor-empty tensor-mismatch data-empty data-only-names names str str-empty bin bin-empty "
        "json-object json-list json-string json-number json-null custom no-payload only-meta"
    )
    for name in given.split():
        yield Call(f"payload/describe/{name}", "predicting.Describe", "Model/Predict", PAYLOADS[name])
        yield Call(f"payload/identity/{name}", "Plain", "Seldon/Predict", PAYLOADS[name])
    for word in RETURNS:
        yield Call(f"return/ndarray/{word}", "predicting.Returns", "Model/Predict", ask(word))
    for word in ("list-nested", "float", "bool", "str", "dict", "string", "bytes", "empty-rows", "nan"):
        yield Call(f"return/tensor/{word}", "predicting.Returns", "Model/Predict", ask(word, "tensor"))
        yield Call(f"return/str/{word}", "predicting.Returns", "Model/Predict", ask(word, "str"))
    messages = {"seldonMessages": [rows, rows]}
    feedback = {"request": rows, "reward": 0.5, "truth": rows, "response": {"meta": {"routing": {"0": 1}}}}
    services: dict[str, Any] = {
        "Model/Predict": rows,
        "Model/SendFeedback": feedback,
        "Model/Metadata": {},
        "Router/Route": rows,
        "Router/SendFeedback": feedback,
        "Transformer/TransformInput": rows,
        "OutputTransformer/TransformOutput": rows,
        "Combiner/Aggregate": messages,
        "Generic/TransformInput": rows,
        "Generic/TransformOutput": rows,
        "Generic/Route": rows,
        "Generic/Aggregate": messages,
        "Generic/SendFeedback": feedback,
        "Seldon/Predict": rows,
        "Seldon/SendFeedback": feedback,
        "Seldon/ModelMetadata": {"name": "mine"},
        "Seldon/GraphMetadata": {},
    }
    components = (
        "hooking.Methods hooking.TagsAndMetrics predicting.Nothing seldon_based.Bare seldon_based.Full "
        "seldon_based.Responds raw.RawProto raw.Grpc"
    )
    for component in components.split():
        for method, request in services.items():
            yield Call(f"service/{component}/{method}", component, method, request)
    for method in ("Model/Predict", "Combiner/Aggregate", "Router/Route", "Model/SendFeedback"):
        yield Call(f"node/{method}", "hooking.TagsAndMetrics", method, services[method], NODE)
        yield Call(f"no-metrics/{method}", "hooking.TagsAndMetrics", method, services[method], NO_METRICS)
    for name in ("empty", "puid", "tags", "metrics", "request-path", "routing", "all"):
        body = {**rows, "meta": METAS[name]}
        yield Call(f"meta/{name}", "hooking.TagsAndMetrics", "Model/Predict", body)
        yield Call(f"meta/describe/{name}", "predicting.Describe", "Model/Predict", body)
    for word in RAISES:
        yield Call(f"raise/{word}", "predicting.Raises", "Model/Predict", ask(word))
    for word in SELDON_RAISES:
        yield Call(f"raise/seldon/{word}", "seldon_based.Raises", "Model/Predict", ask(word))
    for word in ("zero", "minus-one", "true", "numpy", "float", "none"):
        yield Call(f"router/{word}", "graphing.Router", "Router/Route", ask(word))
    for name, given_messages in {"empty": [], "one": [rows], "strings": [{"strData": "a"}, {"strData": "b"}]}.items():
        yield Call(f"combiner/{name}", "graphing.Combiner", "Combiner/Aggregate", {"seldonMessages": given_messages})
    for word in ("none", "rows", "string", "number", "raise"):
        request = {"request": ask(word)}
        yield Call(f"feedback/returns/{word}", "graphing.FeedbackReturns", "Model/SendFeedback", request)
    yield Call("feedback/describe", "graphing.Feedback", "Model/SendFeedback", feedback)
    yield Call("feedback/empty", "graphing.Feedback", "Model/SendFeedback", {})
    for word in ("metrics-bad-type", "metrics-none", "tags-raise", "good"):
        yield Call(f"hooks/{word}", "hooking.HooksOf", "Model/Predict", ask(word))
    for component in ("", "V2", "Invalid"):
        yield Call(f"metadata/class{component}", f"describing_itself.Metadata{component}", "Model/Metadata", {})


def grpc_calls() -> list[Call]:
    """Returns every gRPC call, each with its own id."""
    return list(_calls())


@dataclass(slots=True)
class Server:
    """Returns the cases of one component in one environment."""

    component: str
    env: Environ
    cases: list[Case] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)


def servers(cases: list[Case], calls: list[Call]) -> list[Server]:
    """Returns the servers that the cases need, each with its cases in their order."""
    found: dict[tuple[str, Environ], Server] = {}
    for case in cases:
        found.setdefault((case.component, case.env), Server(case.component, case.env)).cases.append(case)
    for call in calls:
        found.setdefault((call.component, call.env), Server(call.component, call.env)).calls.append(call)
    return list(found.values())
