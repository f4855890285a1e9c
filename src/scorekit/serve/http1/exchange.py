"""One HTTP/1.1 request and its answer, which may come later."""

import time
from email.utils import formatdate
from http import HTTPStatus
from typing import Protocol

from .head import RequestHead

JSON = b"application/json"
HTML = b"text/html; charset=utf-8"

RESPONSE_START = b"HTTP/1.1 "
"""The first bytes of every response, whatever the request and its outcome (RFC 9112 §4)."""

_REASONS = {status.value: status.phrase for status in HTTPStatus}


class ExchangeConnection(Protocol):
    """What an exchange needs of its connection."""

    @property
    def lost(self) -> bool:
        """Whether the client has gone."""

    @property
    def peer(self) -> str:
        """The client's address as ``host:port``."""

    def flush(self) -> None:
        """Send the responses that are ready, in the order of their requests."""

    def observe(self, exchange: "Exchange", status: int, /) -> None:
        """Count and report an answered exchange."""


class Exchange:
    """One request and its answer."""

    __slots__ = (
        "_reference",
        "body",
        "connection",
        "head",
        "keep_alive",
        "response",
        "response_headers",
        "service",
        "started",
    )

    def __init__(self, connection: ExchangeConnection, head: RequestHead, body: bytes, keep_alive: bool) -> None:
        self.connection = connection
        self.response: bytes | None = None
        """The whole response, once there is one."""
        self.head = head
        self.body = body
        self.keep_alive = keep_alive
        """Whether the connection stays open after the response."""
        self.response_headers = head.response_headers
        """Complete header lines that the response carries, whatever its status."""
        self.service = "unknown"
        """The name of the route in metrics."""
        self.started = time.perf_counter()

    def __repr__(self) -> str:
        return f"<Exchange {self.head!r} {'open' if self.response is None else 'answered'}>"

    def respond(self, status: int, body: bytes, content_type: bytes = JSON, headers: bytes = b"") -> None:
        """Answer with a whole response. ``headers`` are complete lines with their line ends.

        The response leaves once those of all earlier requests of the connection have left. Only the first call counts:
        a model that answers after its time limit must not send a second response.
        """
        if self.response is not None:
            return
        headers += self.response_headers
        # Persistent connections are the default of HTTP/1.1 and an option of HTTP/1.0, so a client of 1.0 that asked to
        # keep the connection needs a confirmation, and one of 1.1 only hears of the end (RFC 9112 §9.3, §9.6).
        if not self.keep_alive:
            headers += b"Connection: close\r\n"
        elif self.head.is_http_10:
            headers += b"Connection: keep-alive\r\n"
        sent = b"" if self.head.method == "HEAD" else body
        self.response = b"%b%d\r\n%b\r\n%b" % (_heads.get(status, content_type), len(body), headers, sent)
        self.connection.observe(self, status)
        self.connection.flush()

    @property
    def reference(self) -> str:
        """The reference under which the log has the cause of an error; empty for most exchanges."""
        return getattr(self, "_reference", "")  # not set in __init__: few have one, and each assignment costs

    @reference.setter
    def reference(self, reference: str) -> None:
        self._reference = reference

    @property
    def peer(self) -> str:
        """The client's address as ``host:port``."""
        return self.connection.peer


class _ResponseHeads:
    """Response heads up to the number of ``Content-Length``, each made once a second.

    A ``Date`` has a resolution of one second (RFC 9110 §6.6.1) and formatting it costs more than the rest of the head
    together. Within one second all responses with the same status and content type begin with the same bytes, so those
    are kept until the second ends.
    """

    def __init__(self) -> None:
        self._second = 0
        self._made: dict[tuple[int, bytes], bytes] = {}

    def get(self, status: int, content_type: bytes) -> bytes:
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._made.clear()
        head = self._made.get((status, content_type))
        if head is None:
            head = self._made[status, content_type] = (
                f"{RESPONSE_START.decode()}{status} {_REASONS.get(status, 'Unknown')}\r\n"
                f"Server: scorekit\r\nDate: {formatdate(second, usegmt=True)}\r\n"
                f"Content-Type: {content_type.decode()}\r\nContent-Length: "
            ).encode()
        return head


_heads = _ResponseHeads()
