"""How connections come in: with or without TLS and API keys, and who observes their requests."""

import os
import time
from collections.abc import Callable, Coroutine
from typing import Any

from ..errors import RequestError
from ..metrics import Histogram, Metrics
from ..settings import Limits, Settings
from .detect import ProtocolDetector
from .grpc import GrpcServices
from .guard import file_watch, tls
from .guard.api_keys import ApiKeys, load_keys, require_key, require_key_for_calls
from .http1 import Exchange, Http1Connection, with_observers
from .http2 import Http2Connection, StreamHandler
from .limits.memory import Budget
from .limits.open_connections import ClientTimeouts, OpenConnections
from .observe import RequestObserver, access_log
from .observe.spans import spans
from .rest import RestRoutes


class Acceptor:
    """Makes the connections of one worker.

    API keys, the access log and spans are wrappers: if one is off it is not in the call path at all, so it costs
    nothing. ``refuse`` answers a REST exchange with an error; ``metrics`` counts answered requests; every connection
    joins ``connections`` while it is open.

    Raises ``SetupError`` if the certificate or the keys cannot be used.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        rest: RestRoutes,
        grpc: GrpcServices,
        refuse: Callable[[Exchange, RequestError], None],
        metrics: Metrics,
        connections: OpenConnections,
    ) -> None:
        self._listen, self._limits = settings.listen, settings.limits
        self._connections = connections
        self._refuse = refuse
        self._budget = Budget(settings.limits.max_buffered_bytes)
        self._keys = ApiKeys(load_keys(self._listen.api_key_file, self._listen.api_keys))
        has_keys = bool(self._listen.api_key_file or self._listen.api_keys)
        self._rest: Callable[[Exchange], None] = require_key(rest, refuse, self._keys) if has_keys else rest
        self._grpc: StreamHandler = require_key_for_calls(grpc, self._keys) if has_keys else grpc
        self._observers: list[RequestObserver] = [access_log.write] if settings.observability.access_log else []
        tracing = spans(os.environ, settings.model.name, "https" if self._listen.tls_cert else "http")
        self._flush_spans = tracing[1] if tracing else None
        if tracing:
            self._observers.append(tracing[0])
        count = request_counter(metrics)
        self._observe = with_observers(count, self._observers) if self._observers else count
        self._ssl = tls.server_context(self._listen.tls_cert, self._listen.tls_key)

    def __repr__(self) -> str:
        return f"<Acceptor keys={self._keys!r} tls={self._ssl is not None} observers={len(self._observers)}>"

    def connection(self) -> ProtocolDetector:
        """Return the protocol of a new connection, whose first bytes decide between HTTP/1.1 and HTTP/2."""
        return ProtocolDetector(self._http1, self._http2, self._connections)

    def encryption(self) -> dict[str, Any]:
        """Return the arguments of ``create_server`` for TLS; none without a certificate."""
        return {"ssl": self._ssl, "ssl_handshake_timeout": self._limits.head_timeout_s} if self._ssl else {}

    def reloads(self) -> list[Coroutine[Any, Any, None]]:
        """Return coroutines that watch the files of keys and certificates, and load them again when they change."""
        reloads = []
        if self._listen.api_key_file:
            reloads.append(file_watch.watch([self._listen.api_key_file], self._reload_keys))
        if self._ssl is not None:
            reloads.append(file_watch.watch([self._listen.tls_cert, self._listen.tls_key], self._reload_certificate))
        return reloads

    def close(self) -> None:
        """Send the spans of the last requests."""
        if self._flush_spans is not None:
            self._flush_spans()

    def _http1(self) -> Http1Connection:
        return Http1Connection(
            self._rest,
            self._refuse,
            self._connections,
            self._limits.max_body_bytes,
            observe=self._observe,
            max_headers=self._limits.max_headers,
            budget=self._budget,
        )

    def _http2(self) -> Http2Connection:
        return Http2Connection(
            self._grpc,
            self._connections,
            max_headers=self._limits.max_headers,
            budget=self._budget,
            observers=self._observers,
        )

    def _reload_keys(self) -> None:
        self._keys.replace(load_keys(self._listen.api_key_file, ""))

    def _reload_certificate(self) -> None:
        if self._ssl is not None:
            tls.load_certificate(self._ssl, self._listen.tls_cert, self._listen.tls_key)


def client_timeouts(limits: Limits) -> ClientTimeouts:
    """Return how long clients may take."""
    return ClientTimeouts(
        head_s=limits.head_timeout_s,
        body_s=limits.body_timeout_s,
        write_s=limits.write_timeout_s,
        bytes_per_s=limits.min_bytes_per_s,
        idle_s=limits.idle_timeout_s,
    )


def request_counter(metrics: Metrics) -> Callable[[Exchange, int], None]:
    """Return a function that counts an answered exchange, with its status, in ``metrics``.

    Each histogram is looked up once: a look-up in ``metrics`` formats labels, and this runs for every request.
    """
    histograms: dict[tuple[str, str, int], Histogram] = {}

    def count(exchange: Exchange, status: int) -> None:
        key = exchange.service, exchange.head.method, status
        histogram = histograms.get(key)
        if histogram is None:
            histogram = histograms[key] = metrics.requests(exchange.service, exchange.head.method.lower(), str(status))
        histogram.observe(time.perf_counter() - exchange.started)

    return count
