"""The page that Prometheus reads, on a port of its own."""

from collections.abc import Callable

from ...errors import MethodNotAllowed, NotFound, RequestError
from ...metrics import CONTENT_TYPE
from ..http1 import Exchange
from ..rest import refuse

Scrape = Callable[[Callable[[bytes], None]], None]
"""Calls the function that it is given with the metrics as text, now or later."""


class MetricsPage:
    """Answers GET of ``path`` with the text that ``scrape`` brings; refuses anything else."""

    def __init__(self, path: str, scrape: Scrape) -> None:
        self._path = path.encode()
        self._scrape = scrape

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
