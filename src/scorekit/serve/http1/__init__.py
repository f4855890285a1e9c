"""HTTP/1.1: connections, the requests that they read, and the exchanges that answer them in order.

May import the rooms below ``serve``, :mod:`~scorekit.serve.limits`, :mod:`~scorekit.serve.observe` and
:mod:`~scorekit.serve.trace`; knows no route and no payload. Begin with :mod:`~scorekit.serve.http1.connection`, which
draws the states of a connection; :mod:`~scorekit.serve.http1.head` has the rules against request smuggling.
"""

from .connection import ExchangeHandler, ExchangeObserver, Http1Connection
from .exchange import HTML, JSON, Exchange
from .head import RequestHead
from .observed import with_observers

__all__ = [
    "HTML",
    "JSON",
    "Exchange",
    "ExchangeHandler",
    "ExchangeObserver",
    "Http1Connection",
    "RequestHead",
    "with_observers",
]
