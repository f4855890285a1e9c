"""The flags of ``scorekit serve``, in the groups of its help.

Each is declared once, here, with its help; the part in parentheses is the default and the environment variable that
sets the same. How a text becomes a value, and which values are allowed, stands in ``settings``.
"""

import argparse
from collections.abc import Mapping

from ..settings import LOG_LEVELS, SERVICE_TYPES
from .parser import CommandParser

INERT = ("persistence", "tracing", "debug", "threads", "keepalive", "single-threaded", "pidfile", "grpc-threads")
"""Flags of the stock wrapper that are accepted without an effect, so that old command lines keep starting."""

_PORTS = {
    "http-port": "the main port, for REST and gRPC (default: 9000; PREDICTIVE_UNIT_HTTP_SERVICE_PORT)",
    "grpc-port": "a second port, for gRPC and REST (default: 5000; PREDICTIVE_UNIT_GRPC_SERVICE_PORT)",
    "metrics-port": "metrics for Prometheus (default: 6000; PREDICTIVE_UNIT_METRICS_SERVICE_PORT)",
    "host": "IP address to listen on (default: 0.0.0.0; SCOREKIT_HOST)",
    "grpc-workers": "0 leaves the second port closed, any other number opens it (default: 1; GRPC_WORKERS)",
}
_BATCHES = {
    "max-batch-rows": "rows in one call of the model, at most (default: 1024; MAX_BATCH_ROWS)",
    "max-batch-delay-ms": "milliseconds that a request waits for others, at most; an idle server waits for none "
    "(default: 5; MAX_BATCH_DELAY_MS)",
}
_WORKERS = {
    "workers": "processes that serve (default: one for each whole CPU of the container's limit, one without a limit; "
    "GUNICORN_WORKERS)",
    "predict-timeout-s": "seconds after which a call of the model counts as hung: its callers get 504 and its worker "
    "is replaced (default: 120; PREDICT_TIMEOUT_S)",
    "max-requests": "replace a worker after so many requests; 0 for never (default: 0; GUNICORN_MAX_REQUESTS)",
    "max-requests-jitter": "add a random number up to this to --max-requests, so that workers are replaced at "
    "different times (default: 0; GUNICORN_MAX_REQUESTS_JITTER)",
    "max-rss-mb": "replace a worker that has more MB of resident memory; 0 for never (default: 0; MAX_RSS_MB)",
}
_LIMITS = {
    "max-in-flight": "requests that may wait for the model in one worker; one more gets 503 (default: 1024; "
    "MAX_IN_FLIGHT)",
    "max-wait-ms": "milliseconds; a new request that would wait longer for the model gets 503 (default: 5000; "
    "MAX_WAIT_MS)",
    "request-timeout-ms": "milliseconds; a request that has waited longer for the model gets 504; 0 for no limit "
    "(default: 0; REQUEST_TIMEOUT_MS)",
    "max-body-bytes": "bytes of one request's body; a larger one gets 413 (default: 268435456; MAX_BODY_BYTES)",
    "max-grpc-message-bytes": "bytes of one gRPC message; a larger one is refused (default: 4194304; "
    "GRPC_MAX_MESSAGE_SIZE)",
    "max-buffered-bytes": "bytes of bodies that one worker holds; more get 503 (default: 1073741824; "
    "MAX_BUFFERED_BYTES)",
    "max-connections": "open connections of one worker; one more gets 503 (default: 4096; MAX_CONNECTIONS)",
    "max-headers": "headers of one request; more get 431 (default: 100; MAX_HEADERS)",
    "head-timeout-s": "seconds for the request line and headers, from the first byte (default: 10; HEAD_TIMEOUT_S)",
    "body-timeout-s": "seconds; in each such period a body must arrive at --min-bytes-per-s (default: 30; "
    "BODY_TIMEOUT_S)",
    "write-timeout-s": "seconds; in each such period a client must read its answers at --min-bytes-per-s "
    "(default: 30; WRITE_TIMEOUT_S)",
    "min-bytes-per-s": "bytes per second of bodies and answers, on average (default: 240; MIN_BYTES_PER_S)",
    "idle-timeout-s": "seconds that a connection may stay open between two requests (default: 620; IDLE_TIMEOUT_S)",
}
_METAVARS = {"port": "PORT", "host": "ADDRESS", "ms": "MS", "per-s": "BYTES", "-s": "S", "bytes": "BYTES", "mb": "MB"}
"""What the value of a flag is called in the help, by the end of the flag's name."""


def add_flags(parser: CommandParser) -> None:
    """Add the argument and the flags of ``scorekit serve`` to ``parser``, group by group."""
    _add_what_to_serve(parser)
    _add_numbers(parser.add_argument_group("ports"), _PORTS)
    batching = parser.add_argument_group("batching")
    batching.add_argument(
        "--batching",
        choices=("on", "auto", "off"),
        help="merge concurrent requests into one call of the model; auto: only if a trial at start-up shows that its "
        "answers stay the same (default: off; BATCHING)",
    )
    _add_numbers(batching, _BATCHES)
    _add_numbers(parser.add_argument_group("workers"), _WORKERS)
    _add_numbers(parser.add_argument_group("limits"), _LIMITS)
    _add_security(parser)
    _add_observability(parser)
    stock = parser.add_argument_group(
        "flags of seldon-core-microservice without an effect",
        f"Accepted, so that old command lines still work: {', '.join(f'--{name}' for name in INERT)}.",
    )
    for name in INERT:
        stock.add_argument(f"--{name}", nargs="?", const="1", help=argparse.SUPPRESS)


def _add_what_to_serve(parser: CommandParser) -> None:
    group = parser.add_argument_group("what to serve")
    group.add_argument(
        "component",
        metavar="DIR_OR_MODULE",
        help="the component's folder, or a module of the current folder, such as MLModel or package.module.Class",
    )
    group.add_argument(
        "--parameters",
        metavar="JSON",
        help='arguments for the class, such as [{"name": "depth", "value": "3", "type": "INT"}] '
        "(default: none; PREDICTIVE_UNIT_PARAMETERS)",
    )
    group.add_argument(
        "--contract",
        metavar="FILE",
        help="refuse requests that this file, in the component's folder, does not allow (default: none; CONTRACT)",
    )
    group.add_argument(
        "--service-type",
        choices=SERVICE_TYPES,
        metavar="TYPE",
        help=f"{', '.join(SERVICE_TYPES[:-1])} or {SERVICE_TYPES[-1]} (default: MODEL; SERVICE_TYPE)",
    )
    group.add_argument(
        "--compatibility",
        choices=("better", "stock"),
        help="stock: answer as seldon-core 1.17.1 does even where that is worse, for clients that depend on it "
        "(default: better; SCOREKIT_COMPATIBILITY)",
    )


def _add_security(parser: CommandParser) -> None:
    group = parser.add_argument_group("security")
    group.add_argument(
        "--tls-cert",
        metavar="FILE",
        help="serve TLS with this certificate (PEM) on every port but the one for metrics (default: none; TLS_CERT)",
    )
    group.add_argument("--tls-key", metavar="FILE", help="the certificate's private key (PEM) (default: none; TLS_KEY)")
    group.add_argument(
        "--api-key-file",
        metavar="FILE",
        help="answer only requests that carry one of the keys in this file, one a line (default: none; API_KEY_FILE, "
        "or API_KEYS with the keys themselves)",
    )


def _add_observability(parser: CommandParser) -> None:
    group = parser.add_argument_group("observability")
    group.add_argument(
        "--log-level",
        choices=LOG_LEVELS,
        metavar="LEVEL",
        help=f"{', '.join(LOG_LEVELS[:-1])} or {LOG_LEVELS[-1]} (default: INFO; SELDON_LOG_LEVEL)",
    )
    group.add_argument(
        "--access-log",
        nargs="?",
        const="true",
        metavar="true|false",
        help="log each request as a line of JSON (default: off; GUNICORN_ACCESS_LOG)",
    )
    group.add_argument(
        "--explain", action="store_true", help="print every limit and timeout with its value and source, and exit"
    )
    group.add_argument("--timings", action="store_true", help="print how long each step of the start took")


def _add_numbers(group: argparse._ArgumentGroup, flags: Mapping[str, str]) -> None:
    for name, text in flags.items():
        metavar = next((metavar for end, metavar in _METAVARS.items() if name.endswith(end)), "N")
        group.add_argument(f"--{name}", metavar=metavar, help=text)
