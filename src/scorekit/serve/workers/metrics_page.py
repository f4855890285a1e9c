"""The port that Prometheus reads."""

from collections.abc import Callable

from ...errors import MethodNotAllowed, NotFound, RequestError
from ...metrics.exposition import CONTENT_TYPE
from ..http1.exchange import Exchange
from ..rest import refuse

Ask = Callable[[Callable[[bytes], None]], None]
"""Has the function it is given called with the text of the moment, now or later."""


class MetricsPage:
    """Answers GET of ``path`` with the text that ``ask`` brings, and nothing else."""

    def __init__(self, path: str, ask: Ask) -> None:
        self._path = path.encode()
        self._ask = ask

    def __call__(self, exchange: Exchange) -> None:
        try:
            if exchange.head.path != self._path:
                raise NotFound(f"404 Not Found: metrics are at {self._path.decode()}")
            if exchange.head.method not in ("GET", "HEAD"):
                raise MethodNotAllowed("405 Method Not Allowed: metrics are read", ("GET", "HEAD"))
        except RequestError as error:
            refuse(exchange, error)
        else:
            self._ask(lambda text: exchange.respond(200, text, CONTENT_TYPE))
