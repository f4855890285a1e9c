"""The variable and port names of a Seldon Core v1 component, and the one reading of the environment.

Sources: the wrapper's command line and variables (seldon-core 1.17.1) and what its operator injects into a container.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import SetupError
from . import readings
from .limits import FIXED, PRECEDENTS
from .readings import Reading

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

SERVICE_TYPES = ("MODEL", "ROUTER", "TRANSFORMER", "COMBINER", "OUTLIER_DETECTOR")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")

UNSET = readings.UNSET
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


_SOURCES: dict[str, tuple[str, Reading]] = {
    "model_name": (ENV_MODEL_NAME, readings.text),
    "service_type": (ENV_SERVICE_TYPE, readings.one_of(*SERVICE_TYPES)),
    "parameters": (ENV_PARAMETERS, readings.parameters),
    "host": (ENV_HOST, readings.text),
    "http_port": (ENV_HTTP_PORT, readings.port),
    "grpc_port": (ENV_GRPC_PORT, readings.port),
    "grpc_workers": ("GRPC_WORKERS", readings.whole(0, 1024)),
    "metrics_port": (ENV_METRICS_PORT, readings.port),
    "batching": (ENV_BATCHING, readings.one_of("on", "auto", "off")),
    "max_batch_rows": ("MAX_BATCH_ROWS", readings.positive),
    "max_in_flight": ("MAX_IN_FLIGHT", readings.positive),
    "max_wait_ms": ("MAX_WAIT_MS", readings.positive),
    "request_timeout_ms": ("REQUEST_TIMEOUT_MS", readings.whole(0, 2**31)),
    "max_connections": ("MAX_CONNECTIONS", readings.positive),
    "max_headers": ("MAX_HEADERS", readings.whole(1, 10_000)),
    "head_timeout_s": ("HEAD_TIMEOUT_S", readings.whole(1, 86_400)),
    "body_timeout_s": ("BODY_TIMEOUT_S", readings.whole(1, 86_400)),
    "idle_timeout_s": ("IDLE_TIMEOUT_S", readings.whole(1, 86_400)),
    "write_timeout_s": ("WRITE_TIMEOUT_S", readings.whole(1, 86_400)),
    "min_bytes_per_s": ("MIN_BYTES_PER_S", readings.whole(0, 2**30)),
    "max_buffered_bytes": ("MAX_BUFFERED_BYTES", readings.positive),
    "tls_cert": ("TLS_CERT", readings.text),
    "tls_key": ("TLS_KEY", readings.text),
    "api_key_file": ("API_KEY_FILE", readings.text),
    "api_keys": ("API_KEYS", readings.text),
    "access_log": ("GUNICORN_ACCESS_LOG", readings.truth),
    "workers": ("GUNICORN_WORKERS", readings.whole(1, 256)),
    "probe_timeout_s": ("PROBE_TIMEOUT_S", readings.whole(1, 3600)),
    "predict_timeout_s": ("PREDICT_TIMEOUT_S", readings.whole(1, 86_400)),
    "max_requests": ("GUNICORN_MAX_REQUESTS", readings.whole(0, 2**40)),
    "max_requests_jitter": ("GUNICORN_MAX_REQUESTS_JITTER", readings.whole(0, 2**40)),
    "max_rss_mb": ("MAX_RSS_MB", readings.whole(0, 2**30)),
    "max_batch_delay_ms": ("MAX_BATCH_DELAY_MS", readings.whole(0, 10_000)),
    "max_body_bytes": ("MAX_BODY_BYTES", readings.positive),
    "compatibility": ("SCOREKIT_COMPATIBILITY", readings.one_of("better", "stock")),
    "expose_errors": (ENV_EXPOSE_ERRORS, readings.truth),
    "include_metrics": ("INCLUDE_METRICS_IN_CLIENT_RESPONSE", readings.truth),
    "payload_passthrough": ("PAYLOAD_PASSTHROUGH", readings.truth),
    "model_metadata": ("MODEL_METADATA", readings.metadata),
    "cors_allowed_origins": ("CORS_ALLOWED_ORIGINS", readings.text),
    "metrics_endpoint": (ENV_METRICS_ENDPOINT, readings.path),
    "metrics_worker_id": ("METRICS_WORKER_ID", readings.truth),
    "count_feedback": (ENV_EXECUTOR_ENABLED, readings.not_false),
    "deployment_id": (ENV_DEPLOYMENT_ID, readings.text),
    "predictor_id": (ENV_PREDICTOR_ID, readings.text),
    "predictor_version": (ENV_PREDICTOR_LABELS, readings.version_label),
    "max_grpc_message_bytes": (ENV_GRPC_MAX_MESSAGE, readings.positive),
    "contract": (ENV_CONTRACT, readings.text),
    "log_level": ("SELDON_LOG_LEVEL", readings.one_of(*LOG_LEVELS)),
    "unit_id": (ENV_UNIT_ID, readings.text),
    "unit_image": (ENV_UNIT_IMAGE, readings.text),
}

_ANNOTATIONS = {
    "max_grpc_message_bytes": ANNOTATION_GRPC_MAX_MESSAGE,
    "request_timeout_ms": ANNOTATION_REST_TIMEOUT,
}


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
