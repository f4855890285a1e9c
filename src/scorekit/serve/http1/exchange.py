"""One HTTP/1.1 request and its answer-to-be."""

import time
from email.utils import formatdate
from http import HTTPStatus
from typing import Protocol

from .head import RequestHead

JSON = b"application/json"
HTML = b"text/html; charset=utf-8"

_REASONS = {status.value: status.phrase for status in HTTPStatus}


class ExchangeConnection(Protocol):
    """What an exchange needs of its connection."""

    @property
    def lost(self) -> bool:
        """Whether the client has gone."""

    @property
    def peer(self) -> str:
        """Who has connected."""

    def flush(self) -> None:
        """Send what is ready, in the order it was asked."""

    def observe(self, exchange: "Exchange", status: int, /) -> None:
        """Take note of an answer."""


class Exchange:
    """One request and its answer-to-be."""

    __slots__ = (
        "_reference",
        "body",
        "connection",
        "head",
        "headers",
        "keep_alive",
        "response",
        "service",
        "started",
    )

    def __init__(self, connection: ExchangeConnection, head: RequestHead, body: bytes, keep_alive: bool) -> None:
        self.connection = connection
        self.head = head
        self.body = body
        self.response: bytes | None = None
        """The bytes to send, once there are any."""
        self.keep_alive = keep_alive
        self.headers = head.headers
        """Complete lines that stand in the response, whatever it is."""
        self.service = "unknown"
        """What metrics call the route."""
        self.started = time.perf_counter()

    def __repr__(self) -> str:
        return f"<Exchange {self.head!r} {'answered' if self.answered else 'open'}>"

    @property
    def answered(self) -> bool:
        """Whether a response has been handed over."""
        return self.response is not None

    def respond(self, status: int, body: bytes, content_type: bytes = JSON, headers: bytes = b"") -> None:
        """Hand over the whole response; ``headers`` are complete lines with their line ends.

        It leaves when every earlier exchange of the connection has left. Only the first response counts.
        """
        if self.response is not None:
            return
        headers += self.headers
        # HTTP/1.0 clients that asked to keep the connection must be told; HTTP/1.1 ones are told only of the end.
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
        """Under which the log tells more of the answer, if it does."""
        return getattr(self, "_reference", "")  # few have one, and none of them is in a hurry

    @reference.setter
    def reference(self, reference: str) -> None:
        self._reference = reference

    @property
    def peer(self) -> str:
        """Who asks."""
        return self.connection.peer


class _ResponseHeads:
    """Response heads up to the length, made once a second: the date costs more than all the rest."""

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
                f"HTTP/1.1 {status} {_REASONS.get(status, 'Unknown')}\r\n"
                f"Server: scorekit\r\nDate: {formatdate(second, usegmt=True)}\r\n"
                f"Content-Type: {content_type.decode()}\r\nContent-Length: "
            ).encode()
        return head


_heads = _ResponseHeads()
