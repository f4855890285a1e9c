"""HTTP/2 on an ``asyncio.Protocol``: bytes in, streams out. The protocol itself is the library h2's, which does no I/O.

There is no task and no coroutine per stream: what arrives is handed on by plain calls, and answers leave by plain
calls, all that one turn of the event loop made in one write.
"""

import contextlib
import logging
import time
from asyncio import BaseTransport, Protocol, Transport, get_running_loop
from collections.abc import Callable
from typing import Any, cast

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    DataReceived,
    RemoteSettingsChanged,
    RequestReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes
from hyperframe.frame import GoAwayFrame

from .fleet import Fleet

log = logging.getLogger(__name__)

Headers = list[tuple[bytes, bytes]]

MAX_STREAMS = 128
"""Streams open at once on one connection; nginx's number."""

MAX_HEAD_BYTES = 64 * 1024
"""All headers of one request; as for HTTP/1.1."""

# How much a client may send before it hears from us, for one stream and for all of a connection.
_STREAM_WINDOW = 1 << 20
_CONNECTION_WINDOW = 4 << 20

# A client may take back this many streams in a second; more is the "rapid reset" attack (CVE-2023-44487).
_MAX_RESETS_PER_S = 500

# How long a refused client may go on sending before its connection is closed on it.
_PASS_OVER_S = 2.0

_CONFIG = H2Configuration(
    client_side=False,
    header_encoding=None,
    # What comes in is checked; what goes out is our own.
    validate_outbound_headers=False,
    normalize_outbound_headers=False,
)


class Exchange:
    """What a stream is to whoever answers it. Nothing here may raise."""

    def received(self, data: bytes) -> None:
        """Some of the request's body."""

    def ended(self) -> None:
        """The request is complete."""

    def gone(self) -> None:
        """The client has taken its request back, or has gone: nobody will read an answer."""


Handler = Callable[["Stream", Headers], Exchange]
"""Takes the head of a request. Must not raise."""


class Stream:
    """One request and its answer, as the connection keeps them."""

    __slots__ = ("_connection", "_out", "_trailers", "exchange", "id", "requested")

    def __init__(self, connection: "Connection", number: int) -> None:
        self._connection = connection
        self._out = b""
        self._trailers: Headers | None = None
        self.id = number
        self.exchange: Exchange = Exchange()
        self.requested = False
        """Whether the whole request has come."""

    def __repr__(self) -> str:
        return f"<Stream {self.id} waiting_bytes={len(self._out)}>"

    def start(self, headers: Headers, end: bool = False) -> None:
        """Begin the answer; with ``end`` it is also its end. A stream that is closed passes over what it is told."""
        connection = self._connection
        if self.id not in connection.streams:
            return
        try:
            connection.h2.send_headers(self.id, headers, end_stream=end)
        except ProtocolError:
            return  # reset already by a frame whose event is still to come
        if end:
            connection.finished(self)
        connection.wake()

    def send(self, data: bytes) -> None:
        """More of the body; what the client's window has no room for waits."""
        self._out = self._out + data if self._out else data
        self.push()

    def finish(self, trailers: Headers) -> None:
        """End the answer, once all of its body has left."""
        self._trailers = trailers
        self.push()

    def push(self) -> None:
        """Send what may be sent."""
        if self.id not in self._connection.streams:
            return
        try:
            self._push(self._connection.h2)
        except ProtocolError:
            return  # reset already by a frame whose event is still to come
        self._connection.wake()

    def _push(self, h2: H2Connection) -> None:
        out = self._out
        if out:
            window = h2.local_flow_control_window(self.id)
            frame = h2.max_outbound_frame_size
            sent = 0
            while sent < len(out) and window > 0:
                part = out[sent : sent + min(window, frame)]
                h2.send_data(self.id, part)
                sent += len(part)
                window -= len(part)
            self._out = out[sent:]
        if self._trailers is not None and not self._out:
            if self._trailers:
                h2.send_headers(self.id, self._trailers, end_stream=True)
            else:
                h2.end_stream(self.id)
            self._connection.finished(self)


class Connection(Protocol):
    """One client connection. ``fleet`` is the set of open connections, for a drain."""

    def __init__(self, handler: Handler, fleet: Fleet) -> None:
        self._handler = handler
        self._fleet = fleet
        self._transport: Transport
        self._receiving = False
        self._waking = False
        self._drains = 0
        self._closing = False
        self._resets = 0
        self._resets_since = 0.0
        self.h2 = H2Connection(_CONFIG)
        self.streams: dict[int, Stream] = {}

    def __repr__(self) -> str:
        return f"<Connection h2 {'closing' if self._closing else 'open'} streams={len(self.streams)}>"

    # -- the event loop calls these

    def connection_made(self, transport: BaseTransport) -> None:
        self._transport = cast(Transport, transport)
        self._fleet.add(self)
        self.h2.local_settings.update(
            {
                SettingCodes.MAX_CONCURRENT_STREAMS: MAX_STREAMS,
                SettingCodes.MAX_HEADER_LIST_SIZE: MAX_HEAD_BYTES,
                SettingCodes.INITIAL_WINDOW_SIZE: _STREAM_WINDOW,
                SettingCodes.ENABLE_CONNECT_PROTOCOL: 0,
            }
        )
        self.h2.local_settings.acknowledge()  # in force from the first frame, as they are sent before any
        self.h2.initiate_connection()
        self.h2.increment_flow_control_window(_CONNECTION_WINDOW - 65_535)
        self._write()

    def connection_lost(self, exc: Exception | None) -> None:
        self._closing = True
        self._fleet.discard(self)
        streams, self.streams = self.streams, {}
        for stream in streams.values():
            stream.exchange.gone()

    def data_received(self, data: bytes) -> None:
        if self._closing:
            return
        self._receiving = True
        try:
            for event in self.h2.receive_data(data):
                self._happened(event)
        except ProtocolError as error:
            log.info("http2.refused cause=%s", type(error).__name__)
            self._refuse()  # h2 has written the GOAWAY that says why
        finally:
            self._receiving = False
        self._write()

    def eof_received(self) -> bool:
        # A client may half-close after its last request; what it asked is still answered.
        self._drains = 2
        return bool(self.streams) and not self._closing

    def pause_writing(self) -> None:
        self._transport.pause_reading()  # read no faster than the client takes answers

    def resume_writing(self) -> None:
        if not self._closing:
            self._transport.resume_reading()

    # -- the rest of the server calls these

    @property
    def open_requests(self) -> int:
        return len(self.streams)

    def drain(self) -> None:
        """Ask the client to open no more streams; the second time, refuse them (RFC 9113 §6.8)."""
        if self._drains < 2 and not self._closing:
            self._drains += 1
            self._go_away(2**31 - 1 if self._drains == 1 else self.h2.highest_inbound_stream_id)

    def close_if_quiet(self) -> None:
        """Close, unless a stream is open; then when the last one ends."""
        self._drains = 2
        if not self.streams:
            self._close()

    def abort(self) -> None:
        """Close at once, whatever is open."""
        self._transport.abort()

    # -- streams call these

    def wake(self) -> None:
        """See to it that what h2 has to send leaves within this turn of the loop or the next."""
        if not self._receiving and not self._waking:
            self._waking = True
            get_running_loop().call_soon(self._write)

    def finished(self, stream: Stream) -> None:
        """``stream`` has been answered."""
        del self.streams[stream.id]
        if not stream.requested:
            # The client need not send the rest (RFC 9113 §8.1); h2 refuses this where the rest has come unseen.
            with contextlib.suppress(ProtocolError):
                self.h2.reset_stream(stream.id, ErrorCodes.NO_ERROR)

    # -- inside

    def _happened(self, event: Any) -> None:
        kind = type(event)
        if kind is RequestReceived:
            self._begun(event)
        elif kind is DataReceived:
            self._body(event)
        elif kind is StreamEnded:
            stream = self.streams.get(event.stream_id)
            if stream is not None:
                stream.requested = True
                stream.exchange.ended()
        elif kind is StreamReset:
            stream = self.streams.pop(event.stream_id, None)
            if stream is not None:
                stream.exchange.gone()
            self._count_reset()
        elif kind is WindowUpdated or kind is RemoteSettingsChanged:
            for stream in list(self.streams.values()):
                stream.push()

    def _begun(self, event: RequestReceived) -> None:
        number = event.stream_id
        if self._drains == 2 or self._closing:
            with contextlib.suppress(ProtocolError):  # perhaps it is over already
                self.h2.reset_stream(number, ErrorCodes.REFUSED_STREAM)  # safe to ask elsewhere: nothing was done
            return
        stream = self.streams[number] = Stream(self, number)
        stream.exchange = self._handler(stream, event.headers)

    def _body(self, event: DataReceived) -> None:
        number = event.stream_id
        if event.flow_controlled_length:
            self.h2.acknowledge_received_data(event.flow_controlled_length, number)
        stream = self.streams.get(number)
        if stream is not None and event.data:
            stream.exchange.received(event.data)

    def _count_reset(self) -> None:
        now = time.monotonic()
        if now - self._resets_since > 1:
            self._resets_since, self._resets = now, 0
        self._resets += 1
        if self._resets > _MAX_RESETS_PER_S and not self._closing:
            log.warning("http2.calmed resets_per_s=%d", self._resets)
            self._go_away(self.h2.highest_inbound_stream_id, ErrorCodes.ENHANCE_YOUR_CALM)
            self._refuse()

    def _go_away(self, last: int, code: int = 0) -> None:
        # Not by h2, to which a GOAWAY of ours is the end of the connection.
        self._write()
        self._transport.write(GoAwayFrame(0, last_stream_id=last, error_code=code).serialize())

    def _close(self) -> None:
        if not self._closing:
            self._closing = True
            self._transport.write(self.h2.data_to_send())
            self._transport.close()

    def _refuse(self) -> None:
        """End our side, pass over what the client still sends, then close.

        Closing with input unread would reset the connection, and with it the GOAWAY, before the client has read it.
        """
        if not self._closing:
            self._closing = True
            self._transport.write(self.h2.data_to_send())
            if self._transport.can_write_eof():
                self._transport.write_eof()
            get_running_loop().call_later(_PASS_OVER_S, self._transport.close)

    def _write(self) -> None:
        self._waking = False
        if self._closing:
            return
        data = self.h2.data_to_send()
        if data:
            self._transport.write(data)
        if self._drains == 2 and not self.streams and not self._receiving:
            self._close()
