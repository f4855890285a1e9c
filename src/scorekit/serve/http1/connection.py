"""HTTP/1.1 on an ``asyncio.Protocol``: bytes in, exchanges out, answers in the order they were asked.

Parsing is httptools' (llhttp). There is no task, no coroutine and no stream object per request: an exchange is
answered by a plain call, now or later.
"""

import logging
from asyncio import BaseTransport, Protocol, Transport
from collections import deque
from collections.abc import Callable
from typing import Any, cast

import httptools

from ...errors import BadRequest, HeadTooLarge, TooSlow
from ...settings.limits import MAX_HEAD_BYTES
from ..limits.memory import Budget
from ..limits.open_connections import ClientTimeouts, OpenConnections, close_after_reading
from ..limits.peers import peer_of
from ..limits.slow_clients import TransferRate
from . import head as fields
from .exchange import Exchange
from .head import RequestHead
from .refusals import Refusal, RequestRefused, body_too_large, exceeds, head_too_large, too_many

log = logging.getLogger(__name__)

# A client that pipelines more than this, requests or bytes, waits for answers before more of it is read.
_MAX_PIPELINED = 32
_MAX_PIPELINED_BYTES = 1 << 20

# Chunks may cost this much more than what is in them: a client's buffer, sent byte by byte, takes six for one.
_MAX_CHUNK_BYTES = 8

ExchangeObserver = Callable[[Exchange, int], None]
"""Told each answered exchange and its status."""

ExchangeHandler = Callable[[Exchange], None]
"""Takes an exchange and has it answered, now or later. Must not raise."""


class Http1Connection(Protocol):
    """One client connection. ``fleet`` is the set of open connections, for a drain."""

    def __init__(
        self,
        handler: ExchangeHandler,
        refuse: Callable[[Exchange, Refusal], None],
        fleet: OpenConnections,
        max_body_bytes: int,
        observe: ExchangeObserver = lambda exchange, status: None,
        max_headers: int = 100,
        budget: Budget | None = None,
    ) -> None:
        self._max_headers = max_headers
        self._budget = budget or Budget(2**62)
        self._charged = 0  # bytes of the budget that this connection holds
        self._sending, self._receiving = TransferRate(), TransferRate()
        self._written = 0
        self._heard = True
        self._begun = self._seen_begun = 0  # requests
        self._since = 0.0
        self.observe = observe
        self._handler = handler
        self._refuse = refuse
        self._fleet = fleet
        self._max_body_bytes = max_body_bytes
        self._transport: Transport
        self._parser: Any = None
        self._open: deque[Exchange] = deque()
        self._body: bytes | bytearray
        self._reading = False  # in the middle of a request
        self._draining = False  # the next answer to leave last is the connection's last
        self._in_head = True  # the parser waits for the end of a request's headers
        self._headed = False  # a head has ended in what came last
        self._head_bytes = 0
        self._framing_bytes = 0  # what came of the body beside what is in it
        self._refused = False
        self._closing = False  # nothing that comes in counts any more
        self._paused = False
        self._writable = True
        self._known: fields.Known | None = None
        self._head: RequestHead
        self._said: object = None  # the method, target, version and fields that the last head was made of
        self._completed = 0
        self.lost = False
        self._begin()

    def __repr__(self) -> str:
        state = "lost" if self.lost else "closing" if self._closing else "open"
        return f"<Http1Connection {state} exchanges={len(self._open)}>"

    # -- the event loop calls these

    def connection_made(self, transport: BaseTransport) -> None:
        self._transport = cast(Transport, transport)  # uvloop's is one in all but its base class
        self._parser = httptools.HttpRequestParser(self)
        self._fleet.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        self._known = None
        self._fleet.discard(self)
        self._open.clear()
        self._pay_back(self._charged)
        self._parser = None  # breaks the reference cycle with the parser

    def data_received(self, data: bytes) -> None:
        known = self._known
        if known is not None and len(data) == known.length and not self._reading and data.startswith(known.text):
            # The same head as before, so the parser would find the same in it.
            self._heard = True
            self._take(known.head, data[known.body_at :], keep_alive=True)
            return
        if self._closing:
            return
        self._heard = True
        between = not self._reading
        self._completed = 0
        self._parse(data)
        if between and self._completed == 1 and not self._reading:
            over = self._closing or self._draining or self.lost  # type: ignore[redundant-expr]  # _parse sets them
            if not over and self._parser.should_keep_alive():
                self._known = fields.known(self._head, data, self._body_bytes) or self._known

    def _parse(self, data: bytes) -> None:
        in_head, self._headed = self._in_head, False
        self._may_be_long = len(data) + self._head_bytes > MAX_HEAD_BYTES
        body_before, begun = self._body_bytes, self._begun
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._decline_upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserCallbackError as error:
            if not isinstance(error.__context__, RequestRefused):
                raise  # a fault of ours: the event loop logs it and closes the connection
            self._close_with(error.__context__.error)
        except httptools.HttpParserError as error:
            self._close_with(BadRequest(f"not HTTP: {error}"))
        if self._in_head:
            if in_head and not self._headed:
                self._head_bytes += len(data)
                if self._head_bytes > MAX_HEAD_BYTES:
                    self._close_with(head_too_large())
        elif not in_head and begun == self._begun:
            # Sizes of chunks, their extensions, trailers: nothing that anybody asked for, and without end if unwatched.
            self._framing_bytes += len(data) - (self._body_bytes - body_before)
            if self._framing_bytes > MAX_HEAD_BYTES + _MAX_CHUNK_BYTES * self._body_bytes:
                self._close_with(HeadTooLarge("the chunks of the body say more beside it than is read"))
            elif self._body_bytes == body_before:
                self._head_bytes += len(data)
                if self._head_bytes > MAX_HEAD_BYTES:
                    self._close_with(HeadTooLarge(f"what stands beside a body may be {MAX_HEAD_BYTES} bytes long"))
            else:
                self._head_bytes = 0

    def eof_received(self) -> bool:
        # A client may half-close after its last request; what it asked is still answered.
        if self._reading:
            self._close_with(BadRequest("the connection ended in the middle of a request"))
        self._closing = True
        return bool(self._open) or self._refused

    def pause_writing(self) -> None:
        self._writable = False
        self._throttle()

    def resume_writing(self) -> None:
        self._writable = True
        self._throttle()

    # -- httptools calls these

    def on_message_begin(self) -> None:
        self._begin()
        self._begun += 1
        self._reading = True

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name in fields.KNOWN:
            self._fields.append((name, value))
        self._headers += 1
        if self._headers > self._max_headers:
            raise RequestRefused(HeadTooLarge(f"a request may have {self._max_headers} headers"))
        if self._may_be_long:
            self._fields_bytes += len(name) + len(value)
            if self._fields_bytes > MAX_HEAD_BYTES:
                raise RequestRefused(head_too_large())

    def on_headers_complete(self) -> None:
        parser = self._parser
        self._in_head, self._headed = False, True
        if self._may_be_long and self._head_bytes + len(self._target) + self._fields_bytes > MAX_HEAD_BYTES:
            raise RequestRefused(head_too_large())
        self._head_bytes = self._framing_bytes = 0
        said = parser.get_method(), self._target, parser.get_http_version(), self._fields
        if said == self._said:  # gateways number their requests, and nothing else is new
            head = self._head
        else:
            try:
                head = fields.head(said[0].decode("ascii"), *said[1:])
            except BadRequest as error:
                raise RequestRefused(error) from None
            self._head = head
            self._said = said
        length = head.told.get(b"content-length")
        if length is not None:
            if exceeds(length, self._max_body_bytes):
                raise RequestRefused(body_too_large(self._max_body_bytes))
            if len(length) > 4 and not self._budget.has(int(length)):
                raise RequestRefused(too_many())
        if not self._open and not head.is_http_10 and head.told.get(b"expect", b"").lower() == b"100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, part: bytes) -> None:
        self._body_bytes += len(part)
        if self._body_bytes > self._max_body_bytes:
            raise RequestRefused(body_too_large(self._max_body_bytes))
        if self._body_bytes > Budget.FREE:
            self._charge(self._body_bytes - self._body_charged)
        if not self._body:
            self._body = part
        else:
            if isinstance(self._body, bytes):
                self._body = bytearray(self._body)
            self._body += part  # however small the parts are, they take no more than what is in them

    def on_message_complete(self) -> None:
        self._reading = False
        self._in_head = True
        self._head_bytes = 0
        if self._closing:
            return
        parser, body = self._parser, self._body
        if parser.should_upgrade():
            return  # the parser has passed over the body: see _decline_upgrade
        self._completed += 1
        self._body = b""
        self._take(self._head, bytes(body), parser.should_keep_alive() and not self._draining)

    # -- the rest of the server calls these

    @property
    def peer(self) -> str:
        return peer_of(self._transport.get_extra_info("peername"))

    @property
    def open_requests(self) -> int:
        return len(self._open)

    def flush(self) -> None:
        """Send what is ready, in the order it was asked."""
        opened = self._open
        while opened and (response := opened[0].response) is not None:
            exchange = opened.popleft()
            self._transport.write(response)
            self._written += len(response)
            if self._charged and len(exchange.body) > Budget.FREE:
                self._pay_back(min(self._charged, len(exchange.body)))
            if not exchange.keep_alive:
                self._closing = True
                opened.clear()
                close_after_reading(self._transport) if self._refused else self._transport.close()
                return
        if self._closing and not opened:
            self._transport.close()
        elif self._paused:
            self._throttle()

    def drain(self) -> None:
        """Make the answer to what is open last, or else to the next request, the connection's last."""
        self._draining = True
        self._known = None
        if self._open and not self._reading:
            self._open[-1].keep_alive = False

    def close_if_quiet(self) -> None:
        """Close, unless a request is open or on its way in."""
        if not self._open and not self._reading:
            self._closing = True
            self._transport.close()

    def abort(self) -> None:
        """Close at once, whatever is open."""
        self._transport.abort()

    def check_time(self, now: float, patience: ClientTimeouts) -> None:
        """Close if the client has taken too long: told 408 in the middle of a request, silently between two."""
        in_head = self._reading and self._in_head
        if self._heard:
            # A head has one time for all of it, whatever trickles in.
            if not in_head or self._begun != self._seen_begun:
                self._since = now
            self._heard = False
        self._seen_begun = self._begun
        quiet = now - self._since
        in_body = self._reading and not in_head and not self._paused
        unsent = self._transport.get_write_buffer_size()
        sending, receiving = unsent > 0, self._begun if in_body else 0
        if (
            self._sending.too_slow(sending, self._written - unsent, now, patience.write_s, patience.bytes_per_s)
            and unsent
        ):
            log.info("http.timeout unsent_bytes=%d", unsent)
            self.abort()  # nobody reads: there is nobody to tell
        elif in_head and quiet > patience.head_s:
            self._close_with(TooSlow(f"the head of the request has not come within {patience.head_s:g} s"))
        elif (
            self._receiving.too_slow(receiving, self._body_bytes, now, patience.body_s, patience.bytes_per_s)
            and in_body
        ):
            least = patience.body_s * patience.bytes_per_s
            self._close_with(TooSlow(f"less than {least:g} bytes of the body have come in {patience.body_s:g} s"))
        elif not self._reading and not self._open and quiet > patience.idle_s:
            self.close_if_quiet()

    # -- inside

    def _take(self, head: RequestHead, body: bytes, keep_alive: bool) -> None:
        self._open.append(exchange := Exchange(self, head, body, keep_alive))
        if len(self._open) > 1:
            self._throttle()
        self._handler(exchange)

    def _begin(self) -> None:
        self._target = b""
        self._fields: fields.Fields = []
        self._headers: int = 0
        self._fields_bytes: int = 0
        self._body = b""
        self._body_bytes: int = 0
        self._body_charged: int = 0

    def _charge(self, more: int) -> None:
        if not self._budget.has(more):
            raise RequestRefused(too_many())
        self._budget.held += more
        self._charged += more
        self._body_charged += more

    def _pay_back(self, bytes_: int) -> None:
        self._budget.held -= bytes_
        self._charged -= bytes_

    def _decline_upgrade(self, rest: bytes) -> None:
        """Go on in HTTP/1.1 where a client offered another protocol, as Java's does (h2c) on its first request.

        The parser stops at the head of such a request, whatever follows, so the head is read again without the offer.
        """
        method = self._parser.get_method()
        if method == b"CONNECT":
            self._close_with(BadRequest("this server is no proxy"))
            return
        head = fields.without_offer(method, self._target, self._parser.get_http_version(), self._fields)
        self._parser = httptools.HttpRequestParser(self)
        self._parse(head + rest)

    def _close_with(self, error: Refusal) -> None:
        """Answer a request that cannot be read and close: what follows on the connection has no known beginning."""
        if self._closing:
            return
        self._closing = self._refused = True
        exchange = Exchange(self, RequestHead("", self._target), b"", keep_alive=False)
        self._open.append(exchange)
        self._refuse(exchange, error)

    def _throttle(self) -> None:
        """Read no faster than the client takes answers."""
        opened = self._open
        many = len(opened) > _MAX_PIPELINED or (len(opened) > 1 and self._charged > _MAX_PIPELINED_BYTES)
        full = not self._writable or many
        if full != self._paused and not self.lost:
            self._paused = full
            if full:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()
