"""OpenTelemetry spans over OTLP, configured by the standard OTEL_… variables. Off unless they name where to.

The exporter has a thread and a bounded queue of its own: where nobody takes the spans, spans are lost and nothing else.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

from .finished import FinishedRequest, RequestObserver
from .references import printable

log = logging.getLogger(__name__)

_NAMING = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

_LAST_S = 2.0


def wanted(environ: Mapping[str, str]) -> bool:
    """Whether the variables ask for spans."""
    if environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    exporter = environ.get("OTEL_TRACES_EXPORTER", "")
    return exporter == "otlp" or (not exporter and any(environ.get(name) for name in _NAMING))


def spans(environ: Mapping[str, str], model: str, scheme: str) -> tuple[RequestObserver, Callable[[], None]] | None:
    """What makes a span of each request, and what sends the last of them; ``None`` where they are not asked for."""
    if not wanted(environ):
        return None
    try:
        from opentelemetry.exporter.otlp.json.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        log.warning("spans.off reason=they need OpenTelemetry: pip install 'scorekit[otel]'")
        return None
    named = {} if environ.get("OTEL_SERVICE_NAME") else {SERVICE_NAME: model}
    provider = TracerProvider(resource=Resource.create(named), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))

    def finish() -> None:
        # Where nobody takes them the exporter tries for ten seconds, which a server that ends does not have.
        sending = threading.Thread(target=provider.shutdown, daemon=True)
        sending.start()
        sending.join(_LAST_S)

    return _look(provider.get_tracer("scorekit"), scheme), finish


def _look(tracer: Any, scheme: str) -> RequestObserver:
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

    def look(seen: FinishedRequest) -> None:
        parent = None
        if seen.trace is not None:
            told = seen.trace
            flags = TraceFlags(TraceFlags.SAMPLED if told.sampled else TraceFlags.DEFAULT)
            state = TraceState.from_header([told.state.decode("ascii")]) if told.state else None
            context = SpanContext(int(told.trace_id, 16), int(told.span_id, 16), True, flags, state)
            parent = set_span_in_context(NonRecordingSpan(context))
        began_ns = int(seen.began * 1e9)
        span = tracer.start_span(_name(seen), parent, SpanKind.SERVER, attributes(seen, scheme), start_time=began_ns)
        if seen.status >= 500 or seen.grpc in _FAULTS:
            span.set_status(Status(StatusCode.ERROR))
        span.end(began_ns + int(seen.seconds * 1e9))

    def careful(seen: FinishedRequest) -> None:
        # Whatever goes wrong in telemetry must not be seen by who asks.
        try:
            look(seen)
        except Exception:
            log.warning("spans.lost", exc_info=True)

    return careful


# UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS (OpenTelemetry's conventions of servers).
_FAULTS = frozenset({2, 4, 12, 13, 14, 15})

_ROUTES = frozenset({404, 405, 0})


def _name(seen: FinishedRequest) -> str:
    if seen.grpc is not None:
        return printable(seen.path.lstrip(b"/"))
    # A path that is no route could be any; a name must be of few.
    return (
        seen.method or "HTTP" if seen.status in _ROUTES or not seen.method else f"{seen.method} {printable(seen.path)}"
    )


def attributes(seen: FinishedRequest, scheme: str) -> dict[str, str | int]:
    """By the semantic conventions of HTTP and RPC servers."""
    told: dict[str, str | int] = {
        "network.protocol.name": "http",
        "network.protocol.version": seen.protocol.partition("/")[2],
        "http.request.method": seen.method or "_OTHER",
        "url.path": printable(seen.path),
        "url.scheme": scheme,
        "http.request.body.size": seen.in_bytes,
    }
    if seen.status:
        told["http.response.status_code"] = seen.status
    host, _, port = seen.peer.rpartition(":")
    if port.isdigit():
        told["client.address"], told["client.port"] = host.strip("[]"), int(port)
    if seen.grpc is not None:
        service, _, method = seen.path.lstrip(b"/").rpartition(b"/")
        told |= {"rpc.system": "grpc", "rpc.service": printable(service), "rpc.method": printable(method)}
        told["rpc.grpc.status_code"] = seen.grpc
    elif seen.status not in _ROUTES and seen.method:
        told["http.route"] = printable(seen.path)
    if seen.reference:
        told["scorekit.reference"] = seen.reference
    return told
