"""The settings of the group ``limits``."""

from dataclasses import dataclass

from .. import names, readings
from ..declaration import setting

_SECONDS = readings.whole(1, 86_400)  # up to a day


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What clients may cost: waiting requests, connections, bytes and time.

    All limits hold for each worker separately.
    """

    max_in_flight: int = setting(
        1024,
        "MAX_IN_FLIGHT",
        readings.positive,
        unit="requests",
        precedent="Envoy's circuit breaker: 1024",
        help="requests that may wait for the model in one worker; one more gets 503",
    )
    max_wait_ms: int = setting(
        5000,
        "MAX_WAIT_MS",
        readings.positive,
        unit="ms",
        precedent="Seldon's executor gives up after 5 s",
        help="milliseconds; a new request that would wait longer for the model gets 503",
    )
    request_timeout_ms: int = setting(
        0,
        "REQUEST_TIMEOUT_MS",
        readings.whole(0, 2**31),
        annotation=names.ANNOTATION_REST_TIMEOUT,
        unit="ms",
        precedent="the annotation seldon.io/rest-timeout; x-envoy-expected-rq-timeout-ms wins",
        help="milliseconds; a request that has waited longer for the model gets 504; 0 for no limit",
    )
    """It holds for requests whose own headers do not set a timeout."""
    max_body_bytes: int = setting(
        256 * 1024 * 1024,
        "MAX_BODY_BYTES",
        readings.positive,
        unit="bytes",
        precedent="nginx: 1 MB; a batch of images needs more",
        help="bytes of one request's body; a larger one gets 413",
    )
    max_grpc_message_bytes: int = setting(
        4 * 1024 * 1024,
        names.ENV_GRPC_MAX_MESSAGE,
        readings.positive,
        annotation=names.ANNOTATION_GRPC_MAX_MESSAGE,
        unit="bytes",
        precedent="every gRPC library: 4 MB",
        help="bytes of one gRPC message; a larger one is refused",
    )
    max_buffered_bytes: int = setting(
        1024 * 1024 * 1024,
        "MAX_BUFFERED_BYTES",
        readings.positive,
        unit="bytes",
        precedent="of a worker; nginx writes bodies to disk, Envoy sheds load by its heap",
        help="bytes of bodies that one worker holds; more get 503",
    )
    """Small bodies are not counted: :class:`scorekit.serve.limits.Budget`."""
    max_connections: int = setting(
        4096,
        "MAX_CONNECTIONS",
        readings.positive,
        unit="connections",
        precedent="nginx: 512 a worker; HAProxy: 2000 and up",
        help="open connections of one worker; one more gets 503",
    )
    max_headers: int = setting(
        100,
        "MAX_HEADERS",
        readings.whole(1, 10_000),
        unit="headers",
        precedent="Envoy and gunicorn: 100",
        help="headers of one request; more get 431",
    )
    head_timeout_s: int = setting(
        10,
        "HEAD_TIMEOUT_S",
        _SECONDS,
        unit="s",
        precedent="nginx: 60; HAProxy advises 5 to 10",
        help="seconds for the request line and headers, from the first byte",
    )
    body_timeout_s: int = setting(
        30,
        "BODY_TIMEOUT_S",
        _SECONDS,
        unit="s",
        precedent="nginx: 60 between reads; here at least min_bytes_per_s of it",
        help="seconds; in each such period a body must arrive at --min-bytes-per-s",
    )
    write_timeout_s: int = setting(
        30,
        "WRITE_TIMEOUT_S",
        _SECONDS,
        unit="s",
        precedent="nginx: 60 between writes",
        help="seconds; in each such period a client must read its answers at --min-bytes-per-s",
    )
    min_bytes_per_s: int = setting(
        240,
        "MIN_BYTES_PER_S",
        readings.whole(0, 2**30),
        unit="bytes/s",
        precedent="Kestrel: 240",
        help="bytes per second of bodies and answers, on average",
    )
    idle_timeout_s: int = setting(
        620,
        "IDLE_TIMEOUT_S",
        _SECONDS,
        unit="s",
        precedent="longer than a load balancer keeps a connection: Google's 600",
        help="seconds that a connection may stay open between two requests",
    )
