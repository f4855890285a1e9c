"""What arrives on one HTTP/2 connection: frames to streams, by the rules of RFC 9113.

Whoever owns the socket feeds frames in and sends what is put out.
"""

import logging
from collections.abc import Callable, Sequence

from ...settings.limits import MAX_HEAD_BYTES, MAX_STREAMS
from ..limits.memory import Budget
from ..observe.finished import RequestObserver
from . import frames
from .flood_guard import FloodGuard
from .frames import ErrorCode, Http2Error, SettingId, frame, window_update
from .header_blocks import HeaderBlock, HeaderBlockReader
from .header_fields import check_trailers
from .observed import ObservedStream
from .request_memory import RequestMemory
from .reset_streams import ResetStreams
from .streams import Stream, StreamHandler

log = logging.getLogger(__name__)

# Flow control, both ways (RFC 9113 §5.2, §6.9)
# ----------------------------------------------
#
# Each direction has a window for the connection and one for each stream: the bytes of DATA that the other side may
# still send. Both begin at 65,535.
#
# Requests: we open the connection's window to 4 MiB at once, and each stream's to 1 MiB by SETTINGS. What arrives is
# counted in `_taken` and `Stream.taken`; at half a window a WINDOW_UPDATE gives it all back. At half, because then a
# client that sends without pause never waits for us, and we send one update for many DATA frames.
#
# Answers: `window` and `Stream.window` are what the client accepts. DATA takes from both, WINDOW_UPDATE adds, and a
# change of SETTINGS_INITIAL_WINDOW_SIZE shifts every open stream, below zero if need be (§6.9.2).
STREAM_WINDOW = 1 << 20
CONNECTION_WINDOW = 4 << 20
DEFAULT_WINDOW = 65_535

# A header block is HEADERS and any number of CONTINUATION frames up to the flag END_HEADERS; no other frame may come
# between them (§6.10), and none of its fields is known before its end. A client that never sets the flag would make us
# collect, or with empty frames loop, without end (CVE-2024-27316). A block of MAX_HEAD_BYTES takes four full frames.
_MAX_PARTS = 32


class IncomingFrames:
    """The frames of one client, and the streams that they make."""

    def __init__(
        self, handler: StreamHandler, max_headers: int, budget: Budget, observers: Sequence[RequestObserver]
    ) -> None:
        self._handler = handler
        self._observers = observers
        self._memory = RequestMemory(budget)
        self._out: list[bytes] = []
        self._settings_read = False
        self._drains = 0
        self._closing = False
        self._flood_guard = FloodGuard()
        self._header_blocks = HeaderBlockReader(max_headers)
        self._block: HeaderBlock | None = None  # a header block whose end has not arrived
        self._last = 0  # the highest stream that the client has opened
        self._reset_streams = ResetStreams()
        self._taken = 0
        self._initial_window = DEFAULT_WINDOW
        self.window = DEFAULT_WINDOW
        self.max_frame = frames.MAX_FRAME_BYTES
        self.writable = True
        self.unsent = self.sent_frames = self.sent_bytes = 0
        self.streams: dict[int, Stream] = {}
        self._handlers: tuple[Callable[[int, int, bytes], None], ...] = (  # by frame type
            self._on_data,
            self._on_headers,
            self._on_priority,
            self._on_reset,
            self._on_settings,
            self._on_push,
            self._on_ping,
            self._on_go_away,
            self._on_window,
            self._on_continuation,
        )

    def say(self, data: bytes) -> None:
        """Send ``data`` within this turn of the loop or the next."""
        raise NotImplementedError

    @property
    def peer(self) -> str:
        """The client's address as ``host:port``."""
        raise NotImplementedError

    def finished(self, stream: Stream) -> None:
        """Forget a stream whose answer is complete."""
        self._drop(stream)
        if not stream.requested:
            self._reset(stream.id, ErrorCode.NO_ERROR)  # the client need not send the rest (RFC 9113 §8.1)

    def piled_up(self, stream: Stream) -> None:
        """Reset ``stream``, the last to add to more bytes than may wait for the client."""
        log.info("http2.piled_up unsent_bytes=%d", self.unsent)
        self._end(stream.id, ErrorCode.ENHANCE_YOUR_CALM)

    def _take(self, kind: int, flags: int, number: int, payload: bytes) -> None:
        if not self._settings_read:
            if kind != frames.SETTINGS or flags & frames.ACK:
                raise Http2Error(ErrorCode.PROTOCOL_ERROR, "the first frame is not SETTINGS")  # §3.4
            self._settings_read = True
        if self._block is not None and (kind != frames.CONTINUATION or number != self._block.stream):
            raise Http2Error(ErrorCode.PROTOCOL_ERROR, "another frame within a header block")  # §6.10
        if kind < len(self._handlers):
            self._handlers[kind](flags, number, payload)
        else:
            self._flood_guard.idle()  # unknown types must be ignored (§5.5)

    def _on_data(self, flags: int, number: int, payload: bytes) -> None:
        length = len(payload)  # padding counts for windows too (§6.1)
        self._taken += length
        if self._taken >= CONNECTION_WINDOW // 2:
            if self._taken > CONNECTION_WINDOW:
                raise Http2Error(ErrorCode.FLOW_CONTROL_ERROR, "DATA beyond the connection's window")
            self._out.append(window_update(0, self._taken))
            self._taken = 0
        if flags & frames.PADDED:
            payload = frames.unpadded(flags, payload)
        stream = self.streams.get(number)
        if stream is None or stream.requested:
            self._not_open(number)
            return
        if stream.awaited is not None:
            stream.awaited -= len(payload)
            if stream.awaited < 0 or (flags & frames.END_STREAM and stream.awaited):  # §8.1.1
                raise Http2Error(ErrorCode.PROTOCOL_ERROR, "the length of the body differs from content-length", number)
        if flags & frames.END_STREAM:
            stream.requested = True
        else:
            stream.taken += length
            if not payload:
                self._flood_guard.idle()
            if stream.taken >= STREAM_WINDOW // 2:
                if stream.taken > STREAM_WINDOW:
                    raise Http2Error(ErrorCode.FLOW_CONTROL_ERROR, "DATA beyond the stream's window", number)
                self._out.append(window_update(number, stream.taken))
                stream.taken = 0
        if payload:
            more, memory = len(payload), self._memory
            if memory.held + more > Budget.FREE:
                memory.check(stream, more)
            stream.held += more
            memory.held += more
            stream.exchange.received(payload)
        if stream.requested:
            stream.exchange.ended()

    def _on_headers(self, flags: int, number: int, payload: bytes) -> None:
        payload = frames.unpadded(flags, payload)
        if not number & 1:
            raise Http2Error(ErrorCode.PROTOCOL_ERROR, "stream of a client with an even number")  # §5.1.1
        depends_on_itself = False
        if flags & frames.PRIORITIZED:
            if len(payload) < 5:
                raise Http2Error(ErrorCode.FRAME_SIZE_ERROR, "HEADERS is too short for its priority")
            depends_on_itself = int.from_bytes(payload[:4], "big") & 0x7FFF_FFFF == number
            payload = payload[5:]
        block = HeaderBlock(number, bool(flags & frames.END_STREAM), depends_on_itself, payload)
        if flags & frames.END_HEADERS:
            self._block_complete(block)
        else:
            self._block = block

    def _on_continuation(self, flags: int, number: int, payload: bytes) -> None:
        block = self._block
        if block is None:
            raise Http2Error(ErrorCode.PROTOCOL_ERROR, "CONTINUATION without HEADERS")
        block.text += payload
        block.parts += 1
        if len(block.text) > MAX_HEAD_BYTES or block.parts > _MAX_PARTS or not payload:
            raise Http2Error(ErrorCode.ENHANCE_YOUR_CALM, "header block is too long, or has an empty CONTINUATION")
        if flags & frames.END_HEADERS:
            self._block = None
            self._block_complete(block)

    def _on_priority(self, flags: int, number: int, payload: bytes) -> None:
        # Deprecated and without effect, but its format is still checked (§5.3.2, §6.3).
        if not number:
            raise Http2Error(ErrorCode.PROTOCOL_ERROR, "PRIORITY without a stream")
        if len(payload) != 5:
            raise Http2Error(ErrorCode.FRAME_SIZE_ERROR, "PRIORITY is not 5 bytes long", number)
        if int.from_bytes(payload[:4], "big") & 0x7FFF_FFFF == number:
            raise Http2Error(ErrorCode.PROTOCOL_ERROR, "stream depends on itself", number)
        self._flood_guard.idle()

    def _on_reset(self, flags: int, number: int, payload: bytes) -> None:
        if len(payload) != 4:
            raise Http2Error(ErrorCode.FRAME_SIZE_ERROR, "RST_STREAM is not 4 bytes long")
        if not number or number > self._last:
            raise Http2Error(ErrorCode.PROTOCOL_ERROR, "RST_STREAM for an idle stream")
        stream = self.streams.get(number)
        if stream is not None:
            self._drop(stream)
            stream.exchange.gone()
        self._flood_guard.reset()

    def _on_settings(self, flags: int, number: int, payload: bytes) -> None:
        if number:
            raise Http2Error(ErrorCode.PROTOCOL_ERROR, "SETTINGS with a stream")
        if flags & frames.ACK:
            if payload:
                raise Http2Error(ErrorCode.FRAME_SIZE_ERROR, "SETTINGS acknowledgement with a payload")
            self._flood_guard.idle()
            return
        self._flood_guard.idle(1 + len(payload) // 6)
        for name, value in frames.read_settings(payload):
            if name == SettingId.INITIAL_WINDOW_SIZE:
                for stream in self.streams.values():
                    stream.window += value - self._initial_window
                    if stream.window > frames.MAX_WINDOW:
                        raise Http2Error(ErrorCode.FLOW_CONTROL_ERROR, "flow-control window above 2^31 - 1")
                self._initial_window = value
            elif name == SettingId.MAX_FRAME_SIZE:
                self.max_frame = value
        self._out.append(frame(frames.SETTINGS, frames.ACK, 0))
        self._push_all()

    def _on_push(self, flags: int, number: int, payload: bytes) -> None:
        raise Http2Error(ErrorCode.PROTOCOL_ERROR, "PUSH_PROMISE from a client")  # §8.4

    def _on_ping(self, flags: int, number: int, payload: bytes) -> None:
        if number:
            raise Http2Error(ErrorCode.PROTOCOL_ERROR, "PING with a stream")
        if len(payload) != 8:
            raise Http2Error(ErrorCode.FRAME_SIZE_ERROR, "PING is not 8 bytes long")
        if not flags & frames.ACK:
            self._out.append(frame(frames.PING, frames.ACK, 0, payload))
        self._flood_guard.idle()

    def _on_go_away(self, flags: int, number: int, payload: bytes) -> None:
        # The client opens no further streams; it closes the connection when its last one has ended (§6.8).
        if number:
            raise Http2Error(ErrorCode.PROTOCOL_ERROR, "GOAWAY with a stream")
        if len(payload) < 8:
            raise Http2Error(ErrorCode.FRAME_SIZE_ERROR, "GOAWAY is shorter than 8 bytes")
        self._flood_guard.idle()

    def _on_window(self, flags: int, number: int, payload: bytes) -> None:
        if len(payload) != 4:
            raise Http2Error(ErrorCode.FRAME_SIZE_ERROR, "WINDOW_UPDATE is not 4 bytes long")
        more = int.from_bytes(payload, "big") & 0x7FFF_FFFF
        self._flood_guard.window(self.sent_frames)
        if not more:
            raise Http2Error(ErrorCode.PROTOCOL_ERROR, "WINDOW_UPDATE with an increment of 0", number)
        if not number:
            self.window += more
            if self.window > frames.MAX_WINDOW:
                raise Http2Error(ErrorCode.FLOW_CONTROL_ERROR, "flow-control window above 2^31 - 1")
            self._push_all()
            return
        if number > self._last:
            raise Http2Error(ErrorCode.PROTOCOL_ERROR, "WINDOW_UPDATE for an idle stream")
        stream = self.streams.get(number)
        if stream is not None:
            stream.window += more
            if stream.window > frames.MAX_WINDOW:
                raise Http2Error(ErrorCode.FLOW_CONTROL_ERROR, "flow-control window above 2^31 - 1", number)
            stream.push()

    def _block_complete(self, block: HeaderBlock) -> None:
        """Open a stream with a complete header block, or end a request with its trailers."""
        number = block.stream
        stream = self.streams.get(number)
        headers = self._header_blocks.known(block.text) if stream is None else None
        # Decoded before anything is refused, for later blocks depend on the table that this one may change.
        fields = [] if headers is not None else self._header_blocks.fields(block.text)
        if block.depends_on_itself:
            self._last = max(self._last, number)
            raise Http2Error(ErrorCode.PROTOCOL_ERROR, "stream depends on itself", number)
        if stream is not None:
            self._trailers(stream, block, fields)
            return
        if number <= self._last:
            self._not_open(number)
            return
        self._last = number
        if self._drains == 2 or self._closing or len(self.streams) >= MAX_STREAMS:
            # The client may send the request again, elsewhere or later: nothing of it was done (§8.7).
            raise Http2Error(ErrorCode.REFUSED_STREAM, "too many streams, or the server is shutting down", number)
        if headers is None:
            headers = self._header_blocks.request(block, fields)
        if self._observers or b"traceparent" in headers:
            stream = ObservedStream(
                self, number, self._initial_window, headers=headers, observers=self._observers, peer=self.peer
            )
        else:
            stream = Stream(self, number, self._initial_window)
        self.streams[number] = stream
        length = headers.get(b"content-length")
        if length is not None:
            stream.awaited = int(length[:19])
            if block.ends and stream.awaited:
                raise Http2Error(ErrorCode.PROTOCOL_ERROR, "the length of the body differs from content-length", number)
        stream.requested = block.ends
        stream.exchange = self._handler(stream, headers)
        if block.ends:
            stream.exchange.ended()

    def _trailers(self, stream: Stream, block: HeaderBlock, fields: list[tuple[bytes, bytes]]) -> None:
        if stream.requested:
            self._not_open(stream.id)
            return
        if not block.ends:
            raise Http2Error(ErrorCode.PROTOCOL_ERROR, "header block that does not end the stream", stream.id)
        check_trailers(fields, stream.id)
        if stream.awaited:
            raise Http2Error(ErrorCode.PROTOCOL_ERROR, "the length of the body differs from content-length", stream.id)
        stream.requested = True
        stream.exchange.ended()

    def _not_open(self, number: int) -> None:
        """Ignore DATA or HEADERS for a stream that we have reset; raise ``Http2Error`` for any other (§5.1)."""
        if not number or number > self._last:
            raise Http2Error(ErrorCode.PROTOCOL_ERROR, "frame for an idle stream")
        if number not in self._reset_streams:
            raise Http2Error(ErrorCode.STREAM_CLOSED, "frame for a closed stream")
        self._flood_guard.idle()

    def _end(self, number: int, code: ErrorCode) -> None:
        """Reset a stream and tell its listener."""
        stream = self.streams.get(number)
        self._reset(number, code)
        if stream is not None:
            self._drop(stream)
            stream.exchange.gone()

    def _drop(self, stream: Stream) -> None:
        """Forget a stream and give back what it holds."""
        del self.streams[stream.id]
        self._memory.release(stream)
        if stream.unsent or self._observers:
            stream.forgotten()

    def _reset(self, number: int, code: ErrorCode) -> None:
        self._reset_streams.add(number)
        self.say(frame(frames.RST_STREAM, 0, number, code.to_bytes(4, "big")))

    def _push_all(self) -> None:
        for stream in list(self.streams.values()):
            stream.push()

    def _go_away(self, last: int, code: ErrorCode = ErrorCode.NO_ERROR) -> None:
        self._out.append(frame(frames.GOAWAY, 0, 0, last.to_bytes(4, "big") + code.to_bytes(4, "big")))
