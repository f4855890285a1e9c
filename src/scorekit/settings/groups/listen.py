"""The settings of the group ``listen``."""

from dataclasses import dataclass

from .. import names, readings
from ..declaration import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    """Where the server listens, and whom it answers."""

    http_port: int = setting(
        names.HTTP_PORT,
        names.ENV_HTTP_PORT,
        readings.port,
        metavar="PORT",
        help="the main port, for REST and gRPC",
    )
    grpc_port: int = setting(
        names.GRPC_PORT,
        names.ENV_GRPC_PORT,
        readings.port,
        metavar="PORT",
        help="a second port, for gRPC and REST",
    )
    metrics_port: int = setting(
        names.METRICS_PORT,
        names.ENV_METRICS_PORT,
        readings.port,
        metavar="PORT",
        help="metrics for Prometheus",
    )
    host: str = setting(
        "0.0.0.0",  # noqa: S104  the component answers in its pod's network, as the stock wrapper does
        names.ENV_HOST,
        readings.text,
        metavar="ADDRESS",
        help="IP address to listen on",
    )
    grpc_workers: int = setting(
        1,
        "GRPC_WORKERS",
        readings.whole(0, 1024),
        metavar="N",
        help="0 leaves the second port closed, any other number opens it",
    )
    """For the stock wrapper this is a number of processes. Here only 0 matters, which closes the port there too."""
    tls_cert: str = setting(
        "",
        "TLS_CERT",
        readings.text,
        metavar="FILE",
        topic="security",
        help="serve TLS with this certificate (PEM) on every port but the one for metrics",
    )
    tls_key: str = setting(
        "",
        "TLS_KEY",
        readings.text,
        metavar="FILE",
        topic="security",
        help="the certificate's private key (PEM)",
    )
    api_key_file: str = setting(
        "",
        "API_KEY_FILE",
        readings.text,
        metavar="FILE",
        topic="security",
        help="answer only requests that carry one of the keys in this file, one a line; the variable API_KEYS holds "
        "the keys themselves",
    )
    api_keys: str = setting(
        "",
        "API_KEYS",
        readings.text,
        flag=False,  # every user of a machine can read the arguments of its processes
        secret=True,
        help="API keys between commas; API_KEY_FILE takes precedence",
    )
    cors_allowed_origins: str = setting(
        "",
        "CORS_ALLOWED_ORIGINS",
        readings.text,
        flag=False,
        help="the one origin, or *, whose web pages may read answers",
    )
