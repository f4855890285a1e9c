"""The variable and port names of a Seldon Core v1 component, and the one reading of the environment.

Sources: the wrapper's command line and variables (seldon-core 1.17.1) and what its operator injects into a container.
"""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .errors import SetupError

log = logging.getLogger(__name__)

HTTP_PORT = 9000
GRPC_PORT = 5000
METRICS_PORT = 6000

# What the operator injects into a component's container.
ENV_HTTP_PORT = "PREDICTIVE_UNIT_HTTP_SERVICE_PORT"
ENV_GRPC_PORT = "PREDICTIVE_UNIT_GRPC_SERVICE_PORT"
ENV_METRICS_PORT = "PREDICTIVE_UNIT_METRICS_SERVICE_PORT"
ENV_METRICS_ENDPOINT = "PREDICTIVE_UNIT_METRICS_ENDPOINT"
ENV_SERVICE_PORT = "PREDICTIVE_UNIT_SERVICE_PORT"
ENV_PARAMETERS = "PREDICTIVE_UNIT_PARAMETERS"
ENV_UNIT_ID = "PREDICTIVE_UNIT_ID"
ENV_UNIT_IMAGE = "PREDICTIVE_UNIT_IMAGE"
ENV_PREDICTOR_ID = "PREDICTOR_ID"
ENV_PREDICTOR_LABELS = "PREDICTOR_LABELS"
ENV_DEPLOYMENT_ID = "SELDON_DEPLOYMENT_ID"
ENV_EXECUTOR_ENABLED = "SELDON_EXECUTOR_ENABLED"

# What a component's own .s2i/environment says.
ENV_MODEL_NAME = "MODEL_NAME"
ENV_SERVICE_TYPE = "SERVICE_TYPE"

# Ours.
ENV_WORKER = "SCOREKIT_WORKER"
ENV_FROM_FILE = "SCOREKIT_FROM_FILE"
ENV_BATCHING = "BATCHING"
ENV_HOST = "SCOREKIT_HOST"
ENV_EXPOSE_ERRORS = "EXPOSE_ERRORS"
ENV_CONTRACT = "CONTRACT"
ENV_GRPC_MAX_MESSAGE = "GRPC_MAX_MESSAGE_SIZE"

ANNOTATION_REST_TIMEOUT = "seldon.io/rest-timeout"
ANNOTATION_GRPC_TIMEOUT = "seldon.io/grpc-timeout"
ANNOTATION_GRPC_MAX_MESSAGE = "seldon.io/grpc-max-message-size"

MAX_HEAD_BYTES = 64 * 1024
"""All headers of one request, and its request line."""

MAX_STREAMS = 128
MAX_HELD_BYTES = 64 << 20
"""Of requests, and of answers that wait, on one HTTP/2 connection: sixteen messages of 4 MB each."""

MAX_RESETS_PER_S = 500
MAX_IDLE_PER_S = 5000
MAX_JSON_DEPTH = 64
MAX_JSON_CONTAINERS = 2_000_000
MAX_PROTO_FIELDS = 250_000
MAX_PARTS = 1000

SERVICE_TYPES = ("MODEL", "ROUTER", "TRANSFORMER", "COMBINER", "OUTLIER_DETECTOR")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")

Parser = Callable[[str, str], Any]
"""Turns a setting's text into its value; the second argument names the flag or variable for the error."""

UNSET = "NOT_IMPLEMENTED"
"""What the stock wrapper answers for an identity nobody told it."""

UNSET_IMAGE = f"{UNSET}:{UNSET}"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything ``scorekit serve`` was told, read once at start."""

    model_name: str
    """``Module`` (its class of the same name) or ``package.module.Class``."""
    service_type: str = "MODEL"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Typed keyword arguments for the component's constructor."""
    host: str = "0.0.0.0"  # noqa: S104  a component answers in its pod's network, as the stock wrapper does
    http_port: int = HTTP_PORT
    grpc_port: int = GRPC_PORT
    grpc_workers: int = 1
    """0 leaves the gRPC port closed, as for the stock wrapper; any other number opens it."""
    metrics_port: int = METRICS_PORT
    batching: str = "off"
    """``on``, ``off``, or ``auto``: if the model is seen at start to answer a batch as it answers each row alone."""
    max_batch_rows: int = 1024
    max_batch_delay_ms: int = 5
    """How long a request waits for others at most while requests keep coming; an idle server waits for none."""
    max_in_flight: int = 1024
    """Requests that wait for the model in one worker; one more is answered 503."""
    max_wait_ms: int = 5000
    """The longest wait for the model that a new request is let into."""
    request_timeout_ms: int = 0
    """How long a request may wait for the model before it is answered 504; 0 for ever, if its headers say nothing."""
    max_connections: int = 4096
    """Open connections of one worker; one more is answered 503 and closed."""
    max_headers: int = 100
    head_timeout_s: int = 10
    """For the whole head of a request, from its first byte."""
    body_timeout_s: int = 30
    """In each stretch of this, ``min_bytes_per_s`` of a body must come."""
    write_timeout_s: int = 30
    """In each stretch of this a client must take its answers at ``min_bytes_per_s``, or take all of them."""
    min_bytes_per_s: int = 240
    """Of bodies that come and of answers that are taken."""
    max_buffered_bytes: int = 1024 * 1024 * 1024
    """Bytes of requests that one worker holds, of all its clients together; small ones are not counted."""
    idle_timeout_s: int = 620
    """Between two requests of a connection."""
    workers: int | None = None
    """Processes that serve; ``None`` for one by CPU of the quota (docs/design/0005)."""
    probe_timeout_s: int = 10
    """A worker whose first prediction takes longer is started again in a fresh interpreter."""
    predict_timeout_s: int = 120
    """A model that has not come back by then hangs: its callers are answered 504 and its worker is replaced."""
    max_requests: int = 0
    """A worker that has answered so many is replaced by a new one; 0 for never."""
    max_requests_jitter: int = 0
    """Up to so many more, by chance, so that workers are not all replaced at the same time."""
    max_rss_mb: int = 0
    """A worker that holds more memory is replaced by a new one; 0 for never."""
    log_level: str = "INFO"
    unit_id: str | None = None
    unit_image: str = UNSET_IMAGE
    max_body_bytes: int = 256 * 1024 * 1024
    compatibility: str = "better"
    """``stock`` where clients depend on the stock wrapper's ways (docs/compatibility.md)."""
    expose_errors: bool = False
    """Whether callers are told what a model raised."""
    include_metrics: bool = True
    """Whether answers carry the component's metrics."""
    payload_passthrough: bool = False
    """Whether ``predict_raw`` is given the body of a REST request as it came, and its answer sent as it is."""
    model_metadata: Mapping[str, Any] = field(default_factory=dict)
    """What the operator says of the model, over what its class says."""
    cors_allowed_origins: str = ""
    """The one origin, or ``*``, whose pages may read answers; empty for none."""
    metrics_endpoint: str = "/metrics"
    metrics_worker_id: bool = False
    """Whether series tell which process counted them, as the stock wrapper's do."""
    count_feedback: bool = True
    """Whether rewards are counted here; the stock wrapper leaves them to others where the executor is not in front."""
    deployment_id: str = UNSET
    predictor_id: str = UNSET
    predictor_version: str = UNSET
    max_grpc_message_bytes: int = 4 * 1024 * 1024
    """Every gRPC library's own default."""
    tls_cert: str = ""
    tls_key: str = ""
    """Files in PEM; both for TLS on every port but that of the metrics, none for none."""
    api_key_file: str = ""
    """A file of keys, one a line, of which requests must carry one; over ``api_keys``."""
    api_keys: str = field(default="", repr=False)
    """The same by an environment variable, between commas."""
    access_log: bool = False
    contract: str = ""
    """The file, in the component's folder, that requests to predict must keep to; empty for none."""


def read_settings(
    environ: Mapping[str, str], flags: Mapping[str, str], annotations: Mapping[str, str] | None = None
) -> Settings:
    """Settings from the pod's ``annotations``, overruled by ``environ``, overruled by ``flags``.

    ``flags`` are keyed by the field names of :class:`Settings`.

    Raises ``SetupError`` that names the variable or flag and what it must be.
    """
    told: dict[str, Any] = {}
    for name, (variable, parse) in _SOURCES.items():
        if name in flags:
            told[name] = parse(flags[name], f"--{name.replace('_', '-')}")
        elif environ.get(variable):
            told[name] = parse(environ[variable], variable)
        elif name in _ANNOTATIONS and (text := (annotations or {}).get(_ANNOTATIONS[name])):
            told[name] = parse(text, f"the annotation {_ANNOTATIONS[name]}")
    if "model_name" not in told:
        raise SetupError(
            f"which class is the model? Set {ENV_MODEL_NAME} in .s2i/environment, "
            f"for example {ENV_MODEL_NAME}=MLModel for the class MLModel in MLModel.py"
        )
    if told.get("compatibility") == "stock":
        told = {"expose_errors": True, "cors_allowed_origins": "*", **told}
    return Settings(**told)


def variables() -> frozenset[str]:
    """The names of every variable :func:`read_settings` reads."""
    return frozenset(variable for variable, _ in _SOURCES.values())


def parse_annotations(text: str) -> dict[str, str]:
    """The pod's annotations as Kubernetes writes them into a file: lines of ``key="value"``; others are passed over."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        key, separator, value = line.partition("=")
        if separator:
            found[key.strip()] = value.strip()[1:-1]
    return found


def parse_environment_file(text: str, where: str = ".s2i/environment") -> dict[str, str]:
    """The ``KEY=value`` lines of an s2i environment file; blank lines and ``#`` comments are passed over.

    Values are data: nothing in them is expanded, run or unquoted, as s2i itself takes them.
    """
    values: dict[str, str] = {}
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        key, separator, value = line.partition("=")
        if not separator or not key.strip() or "\0" in line:
            raise SetupError(f"{where}, line {number}: expected KEY=value, got {line!r}")
        values[key.strip()] = value.strip()
    return values


def _text(text: str, source: str) -> str:
    return text


def _one_of(*choices: str) -> Parser:
    def parse(text: str, source: str) -> str:
        if text not in choices:
            raise SetupError(f"{source} is {text!r}; it must be one of {', '.join(choices)}")
        return text

    return parse


def _whole(low: int, high: int) -> Parser:
    def parse(text: str, source: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = low - 1
        if not low <= number <= high:
            raise SetupError(f"{source} is {text!r}; it must be a whole number from {low} to {high}")
        return number

    return parse


_TRUE = frozenset({"y", "yes", "t", "true", "on", "1"})
_FALSE = frozenset({"n", "no", "f", "false", "off", "0"})


def _boolean(text: str) -> bool:
    lowered = text.lower()
    if lowered not in _TRUE | _FALSE:
        raise ValueError(text)
    return lowered in _TRUE


_PARAMETER_TYPES: dict[str, Callable[[str], Any]] = {
    "INT": int,
    "FLOAT": float,
    "DOUBLE": float,
    "STRING": str,
    "BOOL": _boolean,
}


def _parameters(text: str, source: str) -> dict[str, Any]:
    """Typed parameters from ``[{"name": …, "value": "…", "type": "INT"}]``; the messages are the stock wrapper's."""
    try:
        entries = json.loads(text)
        triples = [(entry["name"], entry["value"], entry["type"]) for entry in entries]
        if not all(isinstance(part, str) for triple in triples for part in triple):
            raise TypeError("name, value and type are strings")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise SetupError(
            f'{source} must be a JSON list of {{"name", "value", "type"}} objects of strings; got {text[:200]!r}'
        ) from error
    parameters: dict[str, Any] = {}
    for name, value, kind in triples:
        convert = _PARAMETER_TYPES.get(kind)
        if convert is None:
            raise SetupError(f"Bad model parameter type: {kind} valid are INT, FLOAT, DOUBLE, STRING, BOOL")
        try:
            parameters[name] = convert(value)
        except (ValueError, OverflowError) as error:
            raise SetupError(f"Bad model parameter: {name} with value {value} can't be parsed as a {kind}") from error
    return parameters


def _truth(text: str, source: str) -> bool:
    return text.lower() in ("1", "true", "t")  # the stock wrapper's reading: anything else is false


def _not_false(text: str, source: str) -> bool:
    return text.lower() != "false"


def _path(text: str, source: str) -> str:
    if not text.startswith("/") or not text.isprintable() or not text.isascii():
        raise SetupError(f"{source} is {text!r}; it must be a path such as /metrics")
    return text


def _version_label(text: str, source: str) -> str:
    """The label ``version`` of a predictor; labels that are no JSON object tell none, as for the stock wrapper."""
    try:
        labels = json.loads(text)
    except ValueError:
        labels = None
    return str(labels.get("version", UNSET)) if isinstance(labels, dict) else UNSET


def _metadata(text: str, source: str) -> dict[str, Any]:
    """YAML, of which JSON is a part. What is no object is passed over with a warning, as the stock wrapper does."""
    try:
        value = json.loads(text)
    except ValueError:
        value = _yaml(text, source)
    if isinstance(value, dict):
        return value
    log.warning("settings.ignored variable=%s: it is no object in JSON or YAML", source)
    return {}


def _yaml(text: str, source: str) -> Any:
    try:
        import yaml
    except ImportError as error:
        raise SetupError(f"{source} is not JSON, and to read YAML PyYAML is needed: pip install PyYAML") from error
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return None


_port = _whole(0, 65535)
_positive = _whole(1, 2**40)

_SOURCES: dict[str, tuple[str, Parser]] = {
    "model_name": (ENV_MODEL_NAME, _text),
    "service_type": (ENV_SERVICE_TYPE, _one_of(*SERVICE_TYPES)),
    "parameters": (ENV_PARAMETERS, _parameters),
    "host": (ENV_HOST, _text),
    "http_port": (ENV_HTTP_PORT, _port),
    "grpc_port": (ENV_GRPC_PORT, _port),
    "grpc_workers": ("GRPC_WORKERS", _whole(0, 1024)),
    "metrics_port": (ENV_METRICS_PORT, _port),
    "batching": (ENV_BATCHING, _one_of("on", "auto", "off")),
    "max_batch_rows": ("MAX_BATCH_ROWS", _positive),
    "max_in_flight": ("MAX_IN_FLIGHT", _positive),
    "max_wait_ms": ("MAX_WAIT_MS", _positive),
    "request_timeout_ms": ("REQUEST_TIMEOUT_MS", _whole(0, 2**31)),
    "max_connections": ("MAX_CONNECTIONS", _positive),
    "max_headers": ("MAX_HEADERS", _whole(1, 10_000)),
    "head_timeout_s": ("HEAD_TIMEOUT_S", _whole(1, 86_400)),
    "body_timeout_s": ("BODY_TIMEOUT_S", _whole(1, 86_400)),
    "idle_timeout_s": ("IDLE_TIMEOUT_S", _whole(1, 86_400)),
    "write_timeout_s": ("WRITE_TIMEOUT_S", _whole(1, 86_400)),
    "min_bytes_per_s": ("MIN_BYTES_PER_S", _whole(0, 2**30)),
    "max_buffered_bytes": ("MAX_BUFFERED_BYTES", _positive),
    "tls_cert": ("TLS_CERT", _text),
    "tls_key": ("TLS_KEY", _text),
    "api_key_file": ("API_KEY_FILE", _text),
    "api_keys": ("API_KEYS", _text),
    "access_log": ("GUNICORN_ACCESS_LOG", _truth),
    "workers": ("GUNICORN_WORKERS", _whole(1, 256)),
    "probe_timeout_s": ("PROBE_TIMEOUT_S", _whole(1, 3600)),
    "predict_timeout_s": ("PREDICT_TIMEOUT_S", _whole(1, 86_400)),
    "max_requests": ("GUNICORN_MAX_REQUESTS", _whole(0, 2**40)),
    "max_requests_jitter": ("GUNICORN_MAX_REQUESTS_JITTER", _whole(0, 2**40)),
    "max_rss_mb": ("MAX_RSS_MB", _whole(0, 2**30)),
    "max_batch_delay_ms": ("MAX_BATCH_DELAY_MS", _whole(0, 10_000)),
    "max_body_bytes": ("MAX_BODY_BYTES", _positive),
    "compatibility": ("SCOREKIT_COMPATIBILITY", _one_of("better", "stock")),
    "expose_errors": (ENV_EXPOSE_ERRORS, _truth),
    "include_metrics": ("INCLUDE_METRICS_IN_CLIENT_RESPONSE", _truth),
    "payload_passthrough": ("PAYLOAD_PASSTHROUGH", _truth),
    "model_metadata": ("MODEL_METADATA", _metadata),
    "cors_allowed_origins": ("CORS_ALLOWED_ORIGINS", _text),
    "metrics_endpoint": (ENV_METRICS_ENDPOINT, _path),
    "metrics_worker_id": ("METRICS_WORKER_ID", _truth),
    "count_feedback": (ENV_EXECUTOR_ENABLED, _not_false),
    "deployment_id": (ENV_DEPLOYMENT_ID, _text),
    "predictor_id": (ENV_PREDICTOR_ID, _text),
    "predictor_version": (ENV_PREDICTOR_LABELS, _version_label),
    "max_grpc_message_bytes": (ENV_GRPC_MAX_MESSAGE, _positive),
    "contract": (ENV_CONTRACT, _text),
    "log_level": ("SELDON_LOG_LEVEL", _one_of(*LOG_LEVELS)),
    "unit_id": (ENV_UNIT_ID, _text),
    "unit_image": (ENV_UNIT_IMAGE, _text),
}

_ANNOTATIONS = {
    "max_grpc_message_bytes": ANNOTATION_GRPC_MAX_MESSAGE,
    "request_timeout_ms": ANNOTATION_REST_TIMEOUT,
}

PRECEDENTS: dict[str, tuple[str, str]] = {
    "max_in_flight": ("requests", "Envoy's circuit breaker: 1024"),
    "max_wait_ms": ("ms", "Seldon's executor gives up after 5 s"),
    "request_timeout_ms": ("ms", "the annotation seldon.io/rest-timeout; x-envoy-expected-rq-timeout-ms wins"),
    "max_connections": ("connections", "nginx: 512 a worker; HAProxy: 2000 and up"),
    "max_headers": ("headers", "Envoy and gunicorn: 100"),
    "head_timeout_s": ("s", "nginx: 60; HAProxy advises 5 to 10"),
    "body_timeout_s": ("s", "nginx: 60 between reads; here at least min_bytes_per_s of it"),
    "write_timeout_s": ("s", "nginx: 60 between writes"),
    "min_bytes_per_s": ("bytes/s", "Kestrel: 240"),
    "max_buffered_bytes": ("bytes", "of a worker; nginx writes bodies to disk, Envoy sheds load by its heap"),
    "idle_timeout_s": ("s", "longer than a load balancer keeps a connection: Google's 600"),
    "max_body_bytes": ("bytes", "nginx: 1 MB; a batch of images needs more"),
    "max_grpc_message_bytes": ("bytes", "every gRPC library: 4 MB"),
    "max_batch_rows": ("rows", "measured: a call costs the same up to some hundred rows"),
    "max_batch_delay_ms": ("ms", "only while requests keep coming; an idle server waits for none"),
    "predict_timeout_s": ("s", "TorchServe: 120, then it ends the worker; gunicorn: 30"),
    "max_requests": ("requests", "gunicorn: 0, never"),
    "max_requests_jitter": ("requests", "gunicorn: 0"),
    "max_rss_mb": ("MB", "0, never; resident memory of one worker, shared pages included"),
    "probe_timeout_s": ("s", "of a worker's first prediction; then a fresh interpreter"),
    "workers": ("processes", "gunicorn: 1"),
}
"""Limits and timeouts, their units, and what others use."""

FIXED: dict[str, tuple[int, str, str]] = {
    "max_head_bytes": (MAX_HEAD_BYTES, "bytes", "nginx: 32 kB; Envoy: 60 kB"),
    "max_http2_streams": (MAX_STREAMS, "streams", "of one connection; nginx: 128"),
    "max_http2_bytes": (
        MAX_HELD_BYTES,
        "bytes",
        "of one connection, requests and answers each: sixteen messages of 4 MB",
    ),
    "max_http2_resets": (MAX_RESETS_PER_S, "streams/s", "the rapid reset attack, CVE-2023-44487"),
    "max_http2_idle": (MAX_IDLE_PER_S, "frames/s", "that ask for nothing: PING, SETTINGS and the like"),
    "max_json_depth": (MAX_JSON_DEPTH, "levels", "of jsonData and meta; protobuf: 100"),
    "max_json_containers": (MAX_JSON_CONTAINERS, "lists", "measured: 60 bytes and more for each, for two of the text"),
    "max_proto_fields": (MAX_PROTO_FIELDS, "fields", "measured: a tenth of a second"),
    "max_form_parts": (MAX_PARTS, "parts", "Django, Werkzeug: 1000"),
}
"""Limits that nobody needs to change: their values, units and precedents."""


def explained(
    environ: Mapping[str, str], flags: Mapping[str, str], annotations: Mapping[str, str] | None = None
) -> list[tuple[str, str, str, str, str]]:
    """Each limit and timeout in force: its name, value, unit, where the value comes from, and a precedent.

    Raises ``SetupError`` as :func:`read_settings` does.
    """
    settings = read_settings(environ, flags, annotations)
    rows = []
    for name, (unit, precedent) in PRECEDENTS.items():
        variable = _SOURCES[name][0]
        annotation = _ANNOTATIONS.get(name, "")
        if name in flags:
            source = f"--{name.replace('_', '-')}"
        elif environ.get(variable):
            source = variable
        elif (annotations or {}).get(annotation):
            source = annotation
        else:
            source = f"default ({variable})"
        value = getattr(settings, name)
        rows.append((name, "by the CPU quota" if value is None else str(value), unit, source, precedent))
    rows.extend((name, str(value), unit, "fixed", precedent) for name, (value, unit, precedent) in FIXED.items())
    return rows
