"""HTTP/2 on an ``asyncio.Protocol``: bytes in, streams out (RFC 9113).

There is no task and no coroutine per stream. What arrives is handed on by plain calls, answers leave by plain calls,
and everything that one turn of the event loop has produced leaves in one write.
"""

import logging
from asyncio import BaseTransport, Protocol, Transport, get_running_loop
from collections.abc import Callable, Sequence
from typing import cast

from ...settings.limits import MAX_HEAD_BYTES, MAX_STREAMS
from ..limits.gone_clients import abort_if_gone
from ..limits.memory import Budget
from ..limits.open_connections import ClientTimeouts, OpenConnections, close_after_reading
from ..limits.peers import peer_of
from ..limits.slow_clients import TransferRate
from ..observe.finished import RequestObserver
from . import frames
from .frames import ErrorCode, FrameReader, Http2Error, SettingId, window_update
from .incoming import CONNECTION_WINDOW, DEFAULT_WINDOW, STREAM_WINDOW, IncomingFrames
from .streams import StreamHandler

log = logging.getLogger(__name__)

# The states of a connection
# ==========================
#
#             drain()                    drain()               no stream is open
#   open ─────────────────▶ announced ─────────────▶ refusing ───────────────────▶ closing ──▶ lost
#   _drains 0   GOAWAY           1       GOAWAY         2
#               2^31 - 1                 last stream
#
#   close_if_quiet(), or the client ends its side: refusing, without GOAWAY
#   a connection error, or a time limit of frames: closing, after GOAWAY with the code; input is ignored for 2 s
#   abort(), answers that are not read, connection_lost(): lost
#
# GOAWAY is sent in two steps (RFC 9113 §6.8). The first names the highest possible stream, so it refuses nothing: the
# client stops opening streams when it reads it, and streams that it has opened by then are served. If it named the last
# stream that has arrived, requests on their way would be refused for no reason. The second step comes when the first
# has had time to arrive; streams above the one that it names get REFUSED_STREAM, and may be tried elsewhere (§8.7).
#
# There are two kinds of errors (§5.4). A stream error resets one stream; it counts in the flood guard, because a client
# can cause any number of them. A connection error ends all streams, because the two sides no longer agree about the
# connection: a frame is malformed, or a header block cannot be decoded.


class Http2Connection(IncomingFrames, Protocol):
    """One client connection. ``connections`` is the set of open connections, which it joins."""

    def __init__(
        self,
        handler: StreamHandler,
        connections: OpenConnections,
        *,
        max_headers: int = 100,
        budget: Budget | None = None,
        observers: Sequence[RequestObserver] = (),
    ) -> None:
        super().__init__(handler, max_headers, budget or Budget(2**62), observers)
        self._connections = connections
        self._transport: Transport
        self._reader = FrameReader()
        self._receiving = False  # within data_received(), which sends at its end
        self._end_watch: Callable[[], None] = lambda: None
        self._waking = False  # a send is due in the next turn of the loop
        self._heard = True
        self._since_heard = 0.0
        self._client_ended = False  # its side of the connection
        self._begun: object = None  # the frame or header block that had begun and not ended at the last look
        self._since_begun = 0.0
        self._sending = TransferRate()
        self._coming: dict[int, TransferRate] = {}  # of streams whose requests were incomplete at the last look

    def __repr__(self) -> str:
        return f"<Http2Connection {'closing' if self._closing else 'open'} streams={len(self.streams)}>"

    # -- the event loop calls these

    def connection_made(self, transport: BaseTransport) -> None:
        self._transport = cast(Transport, transport)
        self._connections.add(self)
        offered = {
            SettingId.MAX_CONCURRENT_STREAMS: MAX_STREAMS,
            SettingId.MAX_HEADER_LIST_SIZE: MAX_HEAD_BYTES,
            SettingId.INITIAL_WINDOW_SIZE: STREAM_WINDOW,
        }
        self._transport.write(frames.settings(offered) + window_update(0, CONNECTION_WINDOW - DEFAULT_WINDOW))

    def connection_lost(self, exc: Exception | None) -> None:
        self._closing = True
        self._end_watch()
        self._connections.discard(self)
        self._handlers = ()  # breaks a reference cycle
        for stream in list(self.streams.values()):
            self._drop(stream)
            stream.exchange.gone()

    def data_received(self, data: bytes) -> None:
        if self._closing:
            return
        self._heard = True
        self._receiving = True
        try:
            for kind, flags, number, payload in self._reader.feed(data):
                try:
                    self._take(kind, flags, number, payload)
                except Http2Error as error:
                    if not error.stream:
                        raise
                    self._end(error.stream, error.code)
                    self._flood_guard.reset()
                if self._closing:
                    break
        except Http2Error as error:
            log.info("http2.refused cause=%s", error.why)
            self._go_away(self._last, error.code)
            self._refuse()
        finally:
            self._receiving = False
        self._write()

    def eof_received(self) -> bool:
        # A client may half-close after its last request; it still gets its answers, unless it turns out to have gone. A
        # WINDOW_UPDATE is a frame that needs no reply; a PING would need one, which such a client cannot send.
        self._drains = 2
        self._client_ended = True
        self._drop_hopeless()
        stays = bool(self.streams) and not self._closing
        if stays:
            self._transport.write(window_update(0, 1))
            self._end_watch = abort_if_gone(self._transport)
        return stays

    def pause_writing(self) -> None:
        self.writable = False
        self._transport.pause_reading()  # a client that reads no answers is not given more of them

    def resume_writing(self) -> None:
        self.writable = True
        if not self._closing:
            self._transport.resume_reading()
            self._push_all()

    # -- the rest of the server calls these

    @property
    def open_requests(self) -> int:
        """The number of streams that are not answered."""
        return len(self.streams)

    def drain(self) -> None:
        """Ask the client to open no more streams; at the second call, refuse them (RFC 9113 §6.8)."""
        if self._drains < 2 and not self._closing:
            self._drains += 1
            self._go_away(2**31 - 1 if self._drains == 1 else self._last)
            self._write()

    def close_if_quiet(self) -> None:
        """Close the connection now if no stream is open, otherwise when the last one has ended."""
        self._drains = 2
        if not self.streams:
            self._close()

    def abort(self) -> None:
        """Close the connection at once, even if streams are open."""
        self._transport.abort()

    def check_time(self, now: float, timeouts: ClientTimeouts) -> None:
        """Close the connection, or reset streams, if the client has exceeded a limit of ``timeouts``.

        Four things have a limit: a frame or header block that has begun must end, a connection without streams must not
        stay quiet for ever, answers must be read, and each request must arrive at a minimum rate. Pings extend none of
        them but the second.
        """
        if self._closing:
            if self._unread(now, timeouts):
                self.abort()
            return
        if self._client_ended:
            self._drop_hopeless()
            self._write()
        if self._heard:
            self._heard, self._since_heard = False, now
        begun = self._block or (self._reader.begun if self._reader.in_frame else None)
        if begun is None or begun != self._begun:
            self._begun, self._since_begun = begun, now
        limit_s = timeouts.body_s if self._reader.in_frame and self.streams else timeouts.head_s
        if now - self._since_begun > limit_s:
            self._refuse_slow("a frame or header block did not end in time")
        elif not self.streams and now - self._since_heard > timeouts.idle_s:
            self.drain()
            self.close_if_quiet()
        else:
            if unsent := self._unread(now, timeouts):
                self._refuse_slow(f"the client does not read {unsent} bytes of answers")
                self.abort()
            else:
                self._reset_slow(now, timeouts)

    def _unread(self, now: float, timeouts: ClientTimeouts) -> int:
        """Return the bytes of answers that wait for the client if it reads them too slowly, else 0."""
        buffered = self._transport.get_write_buffer_size()
        unsent = buffered + self.unsent
        moved = self.sent_bytes - buffered
        slow = self._sending.too_slow(unsent > 0, moved, now, timeouts.write_s, timeouts.bytes_per_s)
        return unsent if slow else 0

    def _drop_hopeless(self) -> None:
        """Drop the streams that cannot be completed, because the client has closed its side of the connection.

        The rest of their requests never comes, or the windows for their answers are never opened. To keep them would
        hold the connection, and a drain, for nothing.
        """
        for stream in list(self.streams.values()):
            if not stream.requested or stream.unsent > min(stream.window, self.window):
                self._drop(stream)
                stream.exchange.gone()

    def _refuse_slow(self, why: str) -> None:
        log.info("http2.timeout cause=%s", why)
        self._go_away(self._last, ErrorCode.ENHANCE_YOUR_CALM)
        self._refuse()

    def _reset_slow(self, now: float, timeouts: ClientTimeouts) -> None:
        coming = [stream for stream in self.streams.values() if not stream.requested]
        self._coming = {stream.id: self._coming.get(stream.id) or TransferRate() for stream in coming}
        for stream in coming:
            rate = self._coming[stream.id]
            if rate.too_slow(stream.id, stream.held, now, timeouts.body_s, timeouts.bytes_per_s):
                log.info("http2.timeout stream=%d", stream.id)
                self._end(stream.id, ErrorCode.ENHANCE_YOUR_CALM)

    # -- streams call these

    def say(self, data: bytes) -> None:
        """Send ``data`` within this turn of the loop or the next."""
        self._out.append(data)
        if not self._receiving and not self._waking:
            self._waking = True
            get_running_loop().call_soon(self._write)

    @property
    def peer(self) -> str:
        """The client's address as ``host:port``."""
        return peer_of(self._transport.get_extra_info("peername"))

    # -- inside

    def _close(self) -> None:
        if not self._closing:
            self._flush()
            self._closing = True
            self._end_watch()
            self._transport.close()

    def _refuse(self) -> None:
        if self._closing:
            return
        self._flush()
        self._closing = True
        self._end_watch()
        close_after_reading(self._transport)

    def _flush(self) -> None:
        if self._out:
            self._transport.write(b"".join(self._out))
            self._out.clear()

    def _write(self) -> None:
        self._waking = False
        if self._closing:
            return
        self._flush()
        if self._drains == 2 and not self.streams and not self._receiving:
            self._close()
