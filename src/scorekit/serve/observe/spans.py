"""OpenTelemetry spans over OTLP, configured by the standard OTEL_… variables. Off unless those name an endpoint.

The exporter has a thread and a bounded queue of its own. If a collector is slow or away, spans are lost, and nothing
else is.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

from .finished import FinishedRequest, RequestObserver
from .references import printable

log = logging.getLogger(__name__)

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

# How long a server that shuts down waits for the last spans to be sent.
_LAST_S = 2.0

# UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE and DATA_LOSS: the codes that OpenTelemetry's
# conventions call errors of a server. The others are the client's.
_SERVER_ERRORS = frozenset({2, 4, 12, 13, 14, 15})

# Statuses of requests that matched no route, 0 for a client that went before it was answered. Their paths could be
# anything, and the names of spans and routes must be few, for backends keep an index of them.
_WITHOUT_ROUTE = frozenset({404, 405, 0})


def wanted(environ: Mapping[str, str]) -> bool:
    """Return whether the variables ask for spans."""
    if environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    exporter = environ.get("OTEL_TRACES_EXPORTER", "")
    return exporter == "otlp" or (not exporter and any(environ.get(name) for name in _ENDPOINTS))


def spans(environ: Mapping[str, str], model: str, scheme: str) -> tuple[RequestObserver, Callable[[], None]] | None:
    """Return an observer that makes a span of each request, and a function that sends the last ones at shutdown.

    Returns ``None`` if spans are not wanted, or if OpenTelemetry is not installed, with a warning in the log.
    """
    if not wanted(environ):
        return None
    try:
        from opentelemetry.exporter.otlp.json.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        log.warning("spans.off reason=OpenTelemetry is not installed: pip install '.[otel]' in a checkout of scorekit")
        return None
    resource = {} if environ.get("OTEL_SERVICE_NAME") else {SERVICE_NAME: model}
    provider = TracerProvider(resource=Resource.create(resource), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))

    def finish() -> None:
        # If the collector does not answer, the exporter tries for ten seconds, longer than a shutdown may take.
        sending = threading.Thread(target=provider.shutdown, daemon=True)
        sending.start()
        sending.join(_LAST_S)

    return _observer(provider.get_tracer("scorekit"), scheme), finish


def _observer(tracer: Any, scheme: str) -> RequestObserver:
    from opentelemetry.trace import (
        NonRecordingSpan,
        SpanContext,
        SpanKind,
        Status,
        StatusCode,
        TraceFlags,
        TraceState,
        set_span_in_context,
    )

    def record(request: FinishedRequest) -> None:
        parent, trace = None, request.trace
        if trace is not None:
            flags = TraceFlags(TraceFlags.SAMPLED if trace.sampled else TraceFlags.DEFAULT)
            state = TraceState.from_header([trace.state.decode("ascii")]) if trace.state else None
            context = SpanContext(int(trace.trace_id, 16), int(trace.span_id, 16), True, flags, state)
            parent = set_span_in_context(NonRecordingSpan(context))
        began_ns = int(request.began * 1e9)
        span = tracer.start_span(
            _name(request), parent, SpanKind.SERVER, attributes(request, scheme), start_time=began_ns
        )
        if request.status >= 500 or request.grpc_status in _SERVER_ERRORS:
            span.set_status(Status(StatusCode.ERROR))
        span.end(began_ns + int(request.seconds * 1e9))

    def observe(request: FinishedRequest) -> None:
        try:
            record(request)
        except Exception:  # an error of the telemetry library must not reach the client
            log.warning("spans.lost", exc_info=True)

    return observe


def _name(request: FinishedRequest) -> str:
    if request.grpc_status is not None:
        return printable(request.path.lstrip(b"/"))
    if request.status in _WITHOUT_ROUTE or not request.method:
        return request.method or "HTTP"
    return f"{request.method} {printable(request.path)}"


def attributes(request: FinishedRequest, scheme: str) -> dict[str, str | int]:
    """Return a span's attributes by OpenTelemetry's semantic conventions for HTTP and RPC servers."""
    values: dict[str, str | int] = {
        "network.protocol.name": "http",
        "network.protocol.version": request.protocol.partition("/")[2],
        "http.request.method": request.method or "_OTHER",
        "url.path": printable(request.path),
        "url.scheme": scheme,
        "http.request.body.size": request.in_bytes,
    }
    if request.status:
        values["http.response.status_code"] = request.status
    host, _, port = request.peer.rpartition(":")
    if port.isdigit():
        values["client.address"], values["client.port"] = host.strip("[]"), int(port)
    if request.grpc_status is not None:
        service, _, method = request.path.lstrip(b"/").rpartition(b"/")
        values |= {"rpc.system": "grpc", "rpc.service": printable(service), "rpc.method": printable(method)}
        values["rpc.grpc.status_code"] = request.grpc_status
    elif request.status not in _WITHOUT_ROUTE and request.method:
        values["http.route"] = printable(request.path)
    if request.reference:
        values["scorekit.reference"] = request.reference
    return values
