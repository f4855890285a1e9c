"""HTTP/1.1 on an ``asyncio.Protocol``: bytes in, exchanges out, responses in the order of their requests.

There is no task, no coroutine and no stream object per request: a handler is called with each exchange and calls
``respond`` on it, now or later.
"""

import logging
from asyncio import BaseTransport, Protocol, Transport
from collections import deque
from collections.abc import Callable
from typing import cast

from ...errors import BadRequest, RequestTimeout
from ..limits.gone_clients import abort_if_gone
from ..limits.memory import Budget
from ..limits.open_connections import ClientTimeouts, OpenConnections, close_after_reading
from ..limits.peers import peer_of
from .exchange import RESPONSE_START, Exchange
from .head import RequestHead
from .refusals import Refusal, RequestRefused
from .request_reader import RequestBody, RequestReader
from .timing import ConnectionTiming

log = logging.getLogger(__name__)

# A connection with more unanswered requests than this, or with more bytes of them, is not read from.
_MAX_PIPELINED = 32
_MAX_PIPELINED_BYTES = 1 << 20

ExchangeObserver = Callable[[Exchange, int], None]
"""Called with each answered exchange and the status of its response."""

ExchangeHandler = Callable[[Exchange], None]
"""Called with each exchange. Has it answered, now or later. Must not raise."""

# The states of a connection
# ==========================
#
# Reading and answering do not wait for each other. A client may pipeline: send further requests before the first is
# answered (RFC 9112 §9.3.2). Handlers may answer in any order, but the client takes the first response for that to its
# first request, so a response leaves only when those to all earlier requests have left.
#
#                    request_complete()                        flush()
#   RequestReader ──────────────────────▶ _open: [1] [2] [3] ──────────▶ transport
#   between → head → body                 from the left, as far as each exchange has its response
#
# The connection as a whole:
#
#   open ── drain() ──▶ draining
#     │                    │
#     └─────────┬──────────┘
#               │  the last response has left: that to Connection: close, to HTTP/1.0 without keep-alive, of a drain
#               │  or the client has ended its side
#               │  or a request is refused, because it cannot be read or is late (408)
#               ▼
#            closing ── every open exchange is answered ──▶ the transport is closed ──▶ lost
#
#   abort() and connection_lost() lead to lost from everywhere.
#
# * draining: the newest open exchange, or the next request if none is open, gets the response with Connection: close.
#   A client must not send requests after that (RFC 9112 §9.6). Closing an idle connection without it would lose a
#   request that is already on its way.
# * closing: nothing that arrives counts any more. Once a request cannot be read, nothing says where the next one begins
#   (RFC 9112 §6.3); to guess would be to let one be smuggled. Requests before it are answered first, then comes the
#   refusal, and what the client still sends is read and ignored for 2 s (close_after_reading).
#
# Reading pauses (`_throttle`) while the client does not read its responses, so that they do not pile up here, and while
# it has pipelined more than _MAX_PIPELINED requests or _MAX_PIPELINED_BYTES. TCP then holds the client back. One read
# may bring thousands of small requests, whose responses can be hundreds of times their size. So requests that have been
# read already wait unanswered in `_deferred`, the tail of `_open`, until reading may go on; then they come first.


class Http1Connection(Protocol):
    """One client connection. ``connections`` is the set of open connections, which it joins.

    ``handler`` answers requests; ``refuse`` answers what cannot be read as one.
    """

    def __init__(
        self,
        handler: ExchangeHandler,
        refuse: Callable[[Exchange, Refusal], None],
        connections: OpenConnections,
        max_body_bytes: int,
        *,
        observe: ExchangeObserver = lambda exchange, status: None,
        max_headers: int = 100,
        budget: Budget | None = None,
    ) -> None:
        self.observe = observe
        self._handler = handler
        self._refuse = refuse
        self._connections = connections
        self._transport: Transport
        self._body = RequestBody(max_body_bytes, budget or Budget(2**62))
        self._reader = RequestReader(self, max_headers, self._body)
        self._timing = ConnectionTiming()
        self._open: deque[Exchange] = deque()
        self._deferred: deque[Exchange] = deque()
        self._catching_up = False
        self._draining = False
        self._refused = False
        self._closing = False
        self._paused = False
        self._writable = True
        self._sent_ahead = 0  # the bytes that have been written of the response to the first open exchange
        self._end_watch: Callable[[], None] = lambda: None
        self.lost = False

    def __repr__(self) -> str:
        state = "lost" if self.lost else "closing" if self._closing else "draining" if self._draining else "open"
        return f"<Http1Connection {state} exchanges={len(self._open)}>"

    # -- the event loop calls these

    def connection_made(self, transport: BaseTransport) -> None:
        self._transport = cast(Transport, transport)  # uvloop's has the methods but not the base class
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        self._end_watch()
        self._connections.discard(self)
        self._open.clear()
        self._deferred.clear()
        self._body.release(self._body.held)
        self._reader.close()

    def data_received(self, data: bytes) -> None:
        reader = self._reader
        known = reader.known
        if known is not None and len(data) == known.length and not reader.reading and data.startswith(known.text):
            # The same head as before, so the parser would find the same in it: see known_head().
            self._timing.heard = True
            self.request_complete(known.head, data[known.body_at :], True)
            return
        if self._closing:
            return
        self._timing.heard = True
        try:
            reader.feed(data)
        except RequestRefused as refused:
            self._close_with(refused.error)

    def eof_received(self) -> bool:
        # A client may half-close after its last request; it still gets its responses, unless it turns out to have gone.
        if self._reader.reading:
            self._close_with(BadRequest("the connection ended in the middle of a request"))
        self._stop_reading()
        if self._open and not self._refused:
            self._sent_ahead = len(RESPONSE_START)
            self._transport.write(RESPONSE_START)
            self._timing.written += self._sent_ahead
            self._end_watch = abort_if_gone(self._transport)
        return bool(self._open) or self._refused

    def pause_writing(self) -> None:
        self._writable = False
        self._throttle()

    def resume_writing(self) -> None:
        self._writable = True
        self._throttle()

    # -- the reader calls these

    def request_complete(self, head: RequestHead, body: bytes, keep_alive: bool) -> None:
        """Queue an exchange for a whole request and hand it to the handler, now or when its turn has come."""
        if self._closing:
            return
        exchange = Exchange(self, head, body, keep_alive and not self._draining)
        if self._open or self._paused or not exchange.keep_alive:
            self._queue(exchange)
        else:  # nearly always: one request at a time
            self._open.append(exchange)
            self._handler(exchange)

    def continue_expected(self) -> None:
        """Send ``100 Continue`` (RFC 9110 §10.1.1), as curl expects before a large body.

        With earlier requests unanswered nothing is sent: the 100 would arrive before their responses, and belong to the
        wrong request. A client that gets none sends its body after a while (curl: 1 s).
        """
        if not self._open:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    # -- the rest of the server calls these

    @property
    def peer(self) -> str:
        """The client's address as ``host:port``."""
        return peer_of(self._transport.get_extra_info("peername"))

    @property
    def open_requests(self) -> int:
        """The number of requests that have arrived whole and are not answered."""
        return len(self._open)

    def flush(self) -> None:
        """Send the responses that are ready, in the order of their requests."""
        opened = self._open
        while opened and (response := opened[0].response) is not None:
            exchange = opened.popleft()
            if self._sent_ahead:
                response, self._sent_ahead = response[self._sent_ahead :], 0
            self._transport.write(response)
            self._timing.written += len(response)
            if self._body.held and len(exchange.body) > Budget.FREE:
                self._body.release(min(self._body.held, len(exchange.body)))
            if not exchange.keep_alive:
                self._stop_reading()
                self._end_watch()
                opened.clear()
                self._deferred.clear()
                close_after_reading(self._transport) if self._refused else self._transport.close()
                return
        if self._closing and not opened:
            self._end_watch()
            self._transport.close()
        elif self._paused:
            self._throttle()

    def drain(self) -> None:
        """Make the response to the newest open exchange, or to the next request, the connection's last."""
        self._draining = True
        self._reader.forget()
        if self._open and not self._reader.reading:
            self._open[-1].keep_alive = False

    def close_if_quiet(self) -> None:
        """Close the connection unless a request is open or has begun to arrive."""
        if not self._open and not self._reader.reading:
            self._stop_reading()
            self._transport.close()

    def abort(self) -> None:
        """Close the connection at once, even if requests are open."""
        self._transport.abort()

    def check_time(self, now: float, timeouts: ClientTimeouts) -> None:
        """Close the connection if the client has exceeded a limit of ``timeouts``. ``now`` is the event loop's time.

        A client that is late with its request gets a 408 (RFC 9110 §15.5.9). One that does not read cannot be told, and
        one that has nothing open is owed nothing: these two are closed in silence.
        """
        timing, reader = self._timing, self._reader
        request = reader.requests if reader.reading else 0
        head_of = request if reader.in_head else 0
        body_of = request if not reader.in_head and not self._paused else 0  # what is not read cannot arrive
        quiet_s = timing.quiet_s(now, head_of)
        unsent = self._transport.get_write_buffer_size()
        if timing.reads_too_slowly(unsent, now, timeouts):
            log.info("http.timeout unsent_bytes=%d", unsent)
            self.abort()
        elif head_of and quiet_s > timeouts.head_s:
            self._close_with(RequestTimeout(f"request line and headers did not arrive within {timeouts.head_s:g} s"))
        elif timing.sends_too_slowly(body_of, self._body.length, now, timeouts):
            least = timeouts.body_s * timeouts.bytes_per_s
            self._close_with(
                RequestTimeout(f"fewer than {least:g} bytes of the body arrived within {timeouts.body_s:g} s")
            )
        elif not request and not self._open and quiet_s > timeouts.idle_s:
            self.close_if_quiet()

    # -- inside

    def _stop_reading(self) -> None:
        self._closing = True
        self._reader.forget()

    def _queue(self, exchange: Exchange) -> None:
        """Hand over an exchange that others are before or that is the last, unless nothing may come behind them."""
        if self._open and not self._open[-1].keep_alive:  # by drain()
            self._stop_reading()
            return
        self._open.append(exchange)
        if not exchange.keep_alive:
            self._stop_reading()  # what follows could not be answered any more (RFC 9112 §9.6), so it must not run
        if len(self._open) > 1:
            self._throttle()
        if self._paused:
            self._deferred.append(exchange)
        else:
            self._handler(exchange)

    def _close_with(self, error: Refusal) -> None:
        """Answer a request that cannot be read to its end, then close."""
        if self._closing:
            return
        self._refused = True
        self._stop_reading()
        exchange = Exchange(self, RequestHead("", self._reader.target), b"", keep_alive=False)
        self._open.append(exchange)
        self._refuse(exchange, error)

    def _throttle(self) -> None:
        """Pause or resume reading, whichever the queue of exchanges and the write buffer call for."""
        handled = len(self._open) - len(self._deferred)
        many = handled > _MAX_PIPELINED or (handled > 1 and self._body.held > _MAX_PIPELINED_BYTES)
        full = not self._writable or many
        if full != self._paused and not self.lost:
            self._paused = full
            if full:
                self._transport.pause_reading()
            elif not self._catching_up:
                self._catch_up()

    def _catch_up(self) -> None:
        """Hand over the deferred requests, as long as reading need not pause again, then go on reading.

        A handler that answers at once calls ``flush``, and that ``_throttle``: `_catching_up` makes that recursion
        this loop.
        """
        self._catching_up = True
        while self._deferred and not self._paused:
            exchange = self._deferred.popleft()
            self._throttle()
            self._handler(exchange)
        self._catching_up = False
        if not self._paused and not self.lost:
            self._transport.resume_reading()
