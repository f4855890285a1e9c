"""The port that Prometheus reads."""

from collections.abc import Callable

from ..errors import MethodNotAllowed, NotFound, RequestError
from ..exposition import CONTENT_TYPE
from .exchange import Exchange
from .rest import refuse


class MetricsPage:
    """Answers GET of ``path`` with the ``text`` of the moment, and nothing else."""

    def __init__(self, path: str, text: Callable[[], bytes]) -> None:
        self._path = path.encode()
        self._text = text

    def __call__(self, exchange: Exchange) -> None:
        try:
            if exchange.path != self._path:
                raise NotFound(f"404 Not Found: metrics are at {self._path.decode()}")
            if exchange.method not in ("GET", "HEAD"):
                raise MethodNotAllowed("405 Method Not Allowed: metrics are read", ("GET", "HEAD"))
        except RequestError as error:
            refuse(exchange, error)
        else:
            exchange.respond(200, self._text(), CONTENT_TYPE)
