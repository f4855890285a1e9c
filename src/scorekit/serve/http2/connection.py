"""HTTP/2 on an ``asyncio.Protocol``: bytes in, streams out (RFC 9113).

There is no task and no coroutine per stream: what arrives is handed on by plain calls, and answers leave by plain
calls, all that one turn of the event loop made in one write. gRPC clients send the same header block for every call of
a method, so a block that leaves the tables as they are is read once.
"""

import logging
from asyncio import BaseTransport, Protocol, Transport, get_running_loop
from collections.abc import Sequence
from typing import cast

from ...settings.limits import MAX_HEAD_BYTES, MAX_STREAMS
from ..limits.memory import Budget
from ..limits.open_connections import ClientTimeouts, OpenConnections, close_after_reading
from ..limits.peers import peer_of
from ..limits.slow_clients import TransferRate
from ..observe.finished import RequestObserver
from . import frames
from .frames import ErrorCode, FrameReader, Http2Error, SettingId
from .incoming import CONNECTION_WINDOW, DEFAULT_WINDOW, STREAM_WINDOW, IncomingFrames, window_update
from .streams import StreamHandler

log = logging.getLogger(__name__)


class Http2Connection(IncomingFrames, Protocol):
    """One client connection. ``fleet`` is the set of open connections, for a drain."""

    def __init__(
        self,
        handler: StreamHandler,
        fleet: OpenConnections,
        max_headers: int = 100,
        budget: Budget | None = None,
        looks: Sequence[RequestObserver] = (),
    ) -> None:
        super().__init__(handler, max_headers, budget or Budget(2**62), looks)
        self._fleet = fleet
        self._transport: Transport
        self._reader = FrameReader()
        self._receiving = False
        self._waking = False
        self._heard = True
        self._since_heard = 0.0
        self._begun: object = None  # the frame or block of header fields that has begun and not ended
        self._since_begun = 0.0
        self._sending = TransferRate()
        self._coming: dict[int, TransferRate] = {}  # of the streams whose requests were incomplete when last looked at

    def __repr__(self) -> str:
        return f"<Connection h2 {'closing' if self._closing else 'open'} streams={len(self.streams)}>"

    # -- the event loop calls these

    def connection_made(self, transport: BaseTransport) -> None:
        self._transport = cast(Transport, transport)
        self._fleet.add(self)
        offered = {
            SettingId.MAX_CONCURRENT_STREAMS: MAX_STREAMS,
            SettingId.MAX_HEADER_LIST_SIZE: MAX_HEAD_BYTES,
            SettingId.INITIAL_WINDOW_SIZE: STREAM_WINDOW,
        }
        self._transport.write(frames.settings(offered) + window_update(0, CONNECTION_WINDOW - DEFAULT_WINDOW))

    def connection_lost(self, exc: Exception | None) -> None:
        self._closing = True
        self._fleet.discard(self)
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
                except Http2Error as fault:
                    if not fault.stream:
                        raise
                    self._end(fault.stream, fault.code)
                    self._calm.reset()
                if self._closing:
                    break
        except Http2Error as fault:
            log.info("http2.refused cause=%s", fault.why)
            self._go_away(self._last, fault.code)
            self._refuse()
        finally:
            self._receiving = False
        self._write()

    def eof_received(self) -> bool:
        # A client may half-close after its last request; what it asked is still answered.
        self._drains = 2
        return bool(self.streams) and not self._closing

    def pause_writing(self) -> None:
        self.writable = False
        self._transport.pause_reading()  # read no faster than the client takes answers

    def resume_writing(self) -> None:
        self.writable = True
        if not self._closing:
            self._transport.resume_reading()
            self._push_all()

    # -- the rest of the server calls these

    @property
    def open_requests(self) -> int:
        return len(self.streams)

    def drain(self) -> None:
        """Ask the client to open no more streams; the second time, refuse them (RFC 9113 §6.8)."""
        if self._drains < 2 and not self._closing:
            self._drains += 1
            self._go_away(2**31 - 1 if self._drains == 1 else self._last)
            self._write()

    def close_if_quiet(self) -> None:
        """Close, unless a stream is open; then when the last one ends."""
        self._drains = 2
        if not self.streams:
            self._close()

    def abort(self) -> None:
        """Close at once, whatever is open."""
        self._transport.abort()

    def check_time(self, now: float, patience: ClientTimeouts) -> None:
        """Close a connection that has been quiet for too long, or stopped in the middle of a request."""
        if self._heard:
            self._heard, self._since_heard = False, now
        begun = self._block or (self._reader.begun if self._reader.in_frame else None)
        if begun is None or begun != self._begun:
            self._begun, self._since_begun = begun, now
        patience_s = patience.body_s if self._reader.in_frame and self.streams else patience.head_s
        if now - self._since_begun > patience_s:
            self._refuse_slow("a frame, or a block of header fields, does not end")
        elif not self.streams and now - self._since_heard > patience.idle_s:
            self.drain()
            self.close_if_quiet()
        else:
            buffered = self._transport.get_write_buffer_size()
            unsent = buffered + self.unsent
            moved = self.sent_bytes - buffered
            if self._sending.too_slow(unsent > 0, moved, now, patience.write_s, patience.bytes_per_s) and unsent:
                self._refuse_slow(f"{unsent} bytes of answers are not taken")
                self.abort()
            else:
                self._reset_slow(now, patience)

    def _refuse_slow(self, why: str) -> None:
        log.info("http2.timeout cause=%s", why)
        self._go_away(self._last, ErrorCode.ENHANCE_YOUR_CALM)
        self._refuse()

    def _reset_slow(self, now: float, patience: ClientTimeouts) -> None:
        coming = [stream for stream in self.streams.values() if not stream.requested]
        self._coming = {stream.id: self._coming.get(stream.id) or TransferRate() for stream in coming}
        for stream in coming:
            pace = self._coming[stream.id]
            if pace.too_slow(stream.id, stream.held, now, patience.body_s, patience.bytes_per_s):
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
        return peer_of(self._transport.get_extra_info("peername"))

    # -- inside

    def _close(self) -> None:
        if not self._closing:
            self._flush()
            self._closing = True
            self._transport.close()

    def _refuse(self) -> None:
        self._flush()
        self._closing = True
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
