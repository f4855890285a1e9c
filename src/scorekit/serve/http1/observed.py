"""Tells of HTTP/1 requests that are over: to the access log, to the spans."""

import time
from collections.abc import Callable, Sequence

from ..observe.finished import FinishedRequest, RequestObserver
from .exchange import Exchange


def with_observers(
    observe: Callable[[Exchange, int], None], looks: Sequence[RequestObserver]
) -> Callable[[Exchange, int], None]:
    """``observe``, and every look besides."""

    def both(exchange: Exchange, code: int) -> None:
        observe(exchange, code)
        head, seconds = exchange.head, time.perf_counter() - exchange.started
        seen = FinishedRequest(
            "HTTP/1.0" if head.is_http_10 else "HTTP/1.1",
            head.method,
            head.path,
            code,
            None,
            time.time() - seconds,
            seconds,
            len(exchange.body),
            len(exchange.response or b""),
            exchange.peer,
            head.trace,
            exchange.reference,
        )
        for look in looks:
            look(seen)

    return both
