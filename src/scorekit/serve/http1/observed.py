"""Reports HTTP/1.1 requests that have ended, to the access log and the spans."""

import time
from collections.abc import Callable, Sequence

from ..observe.finished import FinishedRequest, RequestObserver
from .exchange import Exchange


def with_observers(
    observe: Callable[[Exchange, int], None], observers: Sequence[RequestObserver]
) -> Callable[[Exchange, int], None]:
    """Return ``observe`` extended: it also calls every one of ``observers`` with the request that has ended."""

    def observe_all(exchange: Exchange, status: int) -> None:
        observe(exchange, status)
        head, seconds = exchange.head, time.perf_counter() - exchange.started
        finished = FinishedRequest(
            protocol="HTTP/1.0" if head.is_http_10 else "HTTP/1.1",
            method=head.method,
            path=head.path,
            status=status,
            grpc_status=None,
            began=time.time() - seconds,
            seconds=seconds,
            in_bytes=len(exchange.body),
            out_bytes=len(exchange.response or b""),
            peer=exchange.peer,
            trace=head.trace,
            reference=exchange.reference,
        )
        for observer in observers:
            observer(finished)

    return observe_all
