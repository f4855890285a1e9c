"""The page that Prometheus reads, on a port of its own."""

from collections.abc import Callable

from ...errors import MethodNotAllowed, NotFound, RequestError
from ...metrics import CONTENT_TYPE
from ..detect import TooManyConnections
from ..http1 import Exchange, Http1Connection
from ..limits.open_connections import OpenConnections
from ..rest import refuse

_MAX_BODY_BYTES = 65536
_MAX_CONNECTIONS = 100  # of one worker; a Prometheus has one

Scrape = Callable[[Callable[[bytes], None]], None]
"""Calls the function that it is given with the metrics as text, now or later."""


class MetricsPage:
    """Answers GET of ``path`` with the text that ``scrape`` brings; refuses anything else."""

    def __init__(self, path: str, scrape: Scrape) -> None:
        self._path = path.encode()
        self._scrape = scrape

    def connection(self, connections: OpenConnections) -> Http1Connection | TooManyConnections:
        """Return the protocol of a new connection, which joins ``connections`` if there is room for it."""
        if len(connections) >= _MAX_CONNECTIONS:
            return TooManyConnections()
        return Http1Connection(self, refuse, connections, _MAX_BODY_BYTES)

    def __call__(self, exchange: Exchange) -> None:
        try:
            if exchange.head.path != self._path:
                raise NotFound(f"404 Not Found: metrics are at {self._path.decode()}")
            if exchange.head.method not in ("GET", "HEAD"):
                raise MethodNotAllowed("405 Method Not Allowed: use GET", ("GET", "HEAD"))
        except RequestError as error:
            refuse(exchange, error)
        else:
            self._scrape(lambda text: exchange.respond(200, text, CONTENT_TYPE))
