"""Every limit that is not a setting, and for all of them their units and what others use."""

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
