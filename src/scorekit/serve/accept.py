"""How connections come in: who may ask, encrypted or not, and who looks on."""

import asyncio
import os
from collections.abc import Callable
from typing import Any

from ..settings import Settings
from .detect import ProtocolDetector
from .grpc.services import GrpcServices
from .guard import file_watch as reload
from .guard import tls
from .guard.api_keys import Keys, guarded, guarded_calls, keys_of
from .http1.connection import Http1Connection
from .http1.exchange import Exchange
from .http1.observed import with_observers
from .http2.connection import Http2Connection
from .http2.streams import StreamHandler
from .limits.memory import Budget
from .limits.open_connections import ClientTimeouts, OpenConnections
from .observe import access_log as access
from .observe.finished import RequestObserver
from .observe.spans import spans
from .rest.routes import RestOptions, RestRoutes


class Doors:
    """Makes the connections of one worker. What is off costs nothing: it is not there."""

    def __init__(
        self,
        settings: Settings,
        rest: RestRoutes,
        grpc: GrpcServices,
        manners: RestOptions,
        observe: Callable[[Exchange, int], None],
        fleet: OpenConnections,
    ) -> None:
        self._settings = settings
        self._fleet = fleet
        self._refuse = manners.refuse
        self._budget = Budget(settings.limits.max_buffered_bytes)
        self._keys = Keys(keys_of(settings.listen.api_key_file, settings.listen.api_keys))
        has_keys = bool(settings.listen.api_key_file or settings.listen.api_keys)
        self._rest: Callable[[Exchange], None] = guarded(rest, manners.refuse, self._keys) if has_keys else rest
        self._grpc: StreamHandler = guarded_calls(grpc, self._keys) if has_keys else grpc
        self._looks: list[RequestObserver] = [access.write] if settings.observability.access_log else []
        telling = spans(os.environ, settings.model.name, "https" if settings.listen.tls_cert else "http")
        self._finish = telling[1] if telling else None
        if telling:
            self._looks.append(telling[0])
        self._observe = with_observers(observe, self._looks) if self._looks else observe
        self._ssl = tls.context(settings.listen.tls_cert, settings.listen.tls_key)

    def __repr__(self) -> str:
        return f"<Doors keys={self._keys!r} tls={self._ssl is not None} looks={len(self._looks)}>"

    def connection(self) -> ProtocolDetector:
        """A new connection, that has said nothing yet."""
        return ProtocolDetector(self._http, self._http2, self._fleet)

    def encryption(self) -> dict[str, Any]:
        """What a listening server is told of TLS; nothing where there is none."""
        return {"ssl": self._ssl, "ssl_handshake_timeout": self._settings.limits.head_timeout_s} if self._ssl else {}

    def watching(self) -> list["asyncio.Task[None]"]:
        """Tasks that take over keys and certificates when their files change."""
        told, tasks = self._settings, []
        if told.listen.api_key_file:
            again = reload.watch([told.listen.api_key_file], self._read_keys)
            tasks.append(asyncio.ensure_future(again))
        if self._ssl is not None:
            again = reload.watch([told.listen.tls_cert, told.listen.tls_key], self._read_certificate)
            tasks.append(asyncio.ensure_future(again))
        return tasks

    def close(self) -> None:
        """Send what is still to be told of the last requests."""
        if self._finish is not None:
            self._finish()

    def _http(self) -> Http1Connection:
        told = self._settings
        return Http1Connection(
            self._rest,
            self._refuse,
            self._fleet,
            told.limits.max_body_bytes,
            observe=self._observe,
            max_headers=told.limits.max_headers,
            budget=self._budget,
        )

    def _http2(self) -> Http2Connection:
        return Http2Connection(
            self._grpc,
            self._fleet,
            max_headers=self._settings.limits.max_headers,
            budget=self._budget,
            observers=self._looks,
        )

    def _read_keys(self) -> None:
        self._keys.replace(keys_of(self._settings.listen.api_key_file, ""))

    def _read_certificate(self) -> None:
        if self._ssl is not None:
            tls.load(self._ssl, self._settings.listen.tls_cert, self._settings.listen.tls_key)


def client_timeouts(settings: Settings) -> ClientTimeouts:
    """How long clients may take."""
    return ClientTimeouts(
        head_s=settings.limits.head_timeout_s,
        body_s=settings.limits.body_timeout_s,
        write_s=settings.limits.write_timeout_s,
        bytes_per_s=settings.limits.min_bytes_per_s,
        idle_s=settings.limits.idle_timeout_s,
    )
