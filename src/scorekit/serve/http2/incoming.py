"""What comes over one HTTP/2 connection: frames to streams, by the rules of RFC 9113, and what breaks them.

Whoever owns the socket feeds frames in and sends what is put out.
"""

import logging
from collections.abc import Callable, Sequence

from ...settings.limits import MAX_HEAD_BYTES, MAX_HELD_BYTES, MAX_STREAMS
from ..limits.memory import Budget
from ..observe.finished import RequestObserver
from . import frames
from .flood import FloodGuard
from .frames import ErrorCode, Http2Error, SettingId, frame
from .header_blocks import HeaderBlock, HeaderBlockReader
from .observed import ObservedStream
from .streams import Stream, StreamHandler

log = logging.getLogger(__name__)

STREAM_WINDOW = 1 << 20
CONNECTION_WINDOW = 4 << 20
"""How much a client may send before it hears from us, for one stream and for all of a connection. It hears at half."""

DEFAULT_WINDOW = 65_535

# Frames of one block of header fields: four hold as many bytes as it may have.
_MAX_PARTS = 32

# Streams that were reset from here, whose frames may still be on their way.
_MAX_FORGOTTEN = 1000


class IncomingFrames:
    """One client's frames, and the streams that they make."""

    def __init__(
        self, handler: StreamHandler, max_headers: int, budget: Budget, looks: Sequence[RequestObserver]
    ) -> None:
        self._handler = handler
        self._budget = budget
        self._looks = looks
        self._out: list[bytes] = []
        self._held = 0  # bytes of requests
        self._set = False  # the client has said its first settings
        self._drains = 0
        self._closing = False
        self._calm = FloodGuard()
        self._heads = HeaderBlockReader(max_headers)
        self._block: HeaderBlock | None = None  # header fields that go on in the next frame
        self._last = 0  # the highest stream that the client has opened
        self._forgotten: dict[int, None] = {}
        self._taken = 0
        self._initial_window = DEFAULT_WINDOW
        self.window = DEFAULT_WINDOW
        """Bytes that the client takes on all streams together."""
        self.max_frame = frames.MAX_FRAME_BYTES
        self.writable = True
        self.unsent = self.sent_frames = self.sent_bytes = 0
        self.streams: dict[int, Stream] = {}
        self._handlers: tuple[Callable[[int, int, bytes], None], ...] = (
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
        """Who has connected."""
        raise NotImplementedError

    def finished(self, stream: Stream) -> None:
        """``stream`` has been answered."""
        self._drop(stream)
        if not stream.requested:
            self._reset(stream.id, ErrorCode.NO_ERROR)  # the client need not send the rest (RFC 9113 §8.1)

    def piled_up(self, stream: Stream) -> None:
        """More waits for the client than it may; ``stream`` is the last to add to it."""
        log.info("http2.piled_up unsent_bytes=%d", self.unsent)
        self._end(stream.id, ErrorCode.ENHANCE_YOUR_CALM)

    def _take(self, kind: int, flags: int, number: int, payload: bytes) -> None:
        if not self._set:
            if kind != frames.SETTINGS or flags & frames.ACK:
                raise Http2Error(ErrorCode.PROTOCOL_ERROR, "the first frame is no SETTINGS")
            self._set = True
        if self._block is not None and (kind != frames.CONTINUATION or number != self._block.stream):
            raise Http2Error(ErrorCode.PROTOCOL_ERROR, "a block of header fields was interrupted")
        if kind < len(self._handlers):  # what is not known is passed over (§4.1)
            self._handlers[kind](flags, number, payload)
        else:
            self._calm.idle()

    def _on_data(self, flags: int, number: int, payload: bytes) -> None:
        length = len(payload)
        self._taken += length
        if self._taken >= CONNECTION_WINDOW // 2:
            if self._taken > CONNECTION_WINDOW:
                raise Http2Error(ErrorCode.FLOW_CONTROL_ERROR, "more than the connection's window")
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
            if stream.awaited < 0 or (flags & frames.END_STREAM and stream.awaited):
                raise Http2Error(ErrorCode.PROTOCOL_ERROR, "the body is not as long as its header says", number)
        if flags & frames.END_STREAM:
            stream.requested = True
        else:
            stream.taken += length
            if not payload:
                self._calm.idle()
            if stream.taken >= STREAM_WINDOW // 2:
                if stream.taken > STREAM_WINDOW:
                    raise Http2Error(ErrorCode.FLOW_CONTROL_ERROR, "more than the stream's window", number)
                self._out.append(window_update(number, stream.taken))
                stream.taken = 0
        if payload:
            more = len(payload)
            if self._held + more > Budget.FREE:
                self._check_held(stream, more)
            stream.held += more
            self._held += more
            stream.exchange.received(payload)
        if stream.requested:
            stream.exchange.ended()

    def _on_headers(self, flags: int, number: int, payload: bytes) -> None:
        payload = frames.unpadded(flags, payload)
        if not number & 1:
            raise Http2Error(ErrorCode.PROTOCOL_ERROR, "a client's streams have odd numbers")
        of_itself = False
        if flags & frames.PRIORITIZED:
            if len(payload) < 5:
                raise Http2Error(ErrorCode.FRAME_SIZE_ERROR, "a frame is too short for its priority")
            of_itself = int.from_bytes(payload[:4], "big") & 0x7FFF_FFFF == number
            payload = payload[5:]
        block = HeaderBlock(number, bool(flags & frames.END_STREAM), of_itself, payload)
        if flags & frames.END_HEADERS:
            self._headed(block)
        else:
            self._block = block

    def _on_continuation(self, flags: int, number: int, payload: bytes) -> None:
        block = self._block
        if block is None:
            raise Http2Error(ErrorCode.PROTOCOL_ERROR, "a CONTINUATION of nothing")
        block.text += payload
        block.parts += 1
        if len(block.text) > MAX_HEAD_BYTES or block.parts > _MAX_PARTS or not payload:
            raise Http2Error(ErrorCode.ENHANCE_YOUR_CALM, "header fields without end")  # CVE-2024-27316 and its kin
        if flags & frames.END_HEADERS:
            self._block = None
            self._headed(block)

    def _on_priority(self, flags: int, number: int, payload: bytes) -> None:
        if not number:
            raise Http2Error(ErrorCode.PROTOCOL_ERROR, "a PRIORITY of no stream")
        if len(payload) != 5:
            raise Http2Error(ErrorCode.FRAME_SIZE_ERROR, "a PRIORITY has five bytes", number)
        if int.from_bytes(payload[:4], "big") & 0x7FFF_FFFF == number:
            raise Http2Error(ErrorCode.PROTOCOL_ERROR, "a stream depends on itself", number)
        self._calm.idle()

    def _on_reset(self, flags: int, number: int, payload: bytes) -> None:
        if len(payload) != 4:
            raise Http2Error(ErrorCode.FRAME_SIZE_ERROR, "a RST_STREAM has four bytes")
        if not number or number > self._last:
            raise Http2Error(ErrorCode.PROTOCOL_ERROR, "a RST_STREAM of no stream")
        stream = self.streams.get(number)
        if stream is not None:
            self._drop(stream)
            stream.exchange.gone()
        self._calm.reset()

    def _on_settings(self, flags: int, number: int, payload: bytes) -> None:
        if number:
            raise Http2Error(ErrorCode.PROTOCOL_ERROR, "a SETTINGS of a stream")
        if flags & frames.ACK:
            if payload:
                raise Http2Error(ErrorCode.FRAME_SIZE_ERROR, "a SETTINGS that acknowledges is empty")
            self._calm.idle()
            return
        self._calm.idle(1 + len(payload) // 6)
        for name, value in frames.read_settings(payload):
            if name == SettingId.INITIAL_WINDOW_SIZE:
                for stream in self.streams.values():
                    stream.window += value - self._initial_window
                    if stream.window > frames.MAX_WINDOW:
                        raise Http2Error(ErrorCode.FLOW_CONTROL_ERROR, "a window is too large")
                self._initial_window = value
            elif name == SettingId.MAX_FRAME_SIZE:
                self.max_frame = value
        self._out.append(frame(frames.SETTINGS, frames.ACK, 0))
        self._push_all()

    def _on_push(self, flags: int, number: int, payload: bytes) -> None:
        raise Http2Error(ErrorCode.PROTOCOL_ERROR, "a PUSH_PROMISE from a client")

    def _on_ping(self, flags: int, number: int, payload: bytes) -> None:
        if number:
            raise Http2Error(ErrorCode.PROTOCOL_ERROR, "a PING of a stream")
        if len(payload) != 8:
            raise Http2Error(ErrorCode.FRAME_SIZE_ERROR, "a PING has eight bytes")
        if not flags & frames.ACK:
            self._out.append(frame(frames.PING, frames.ACK, 0, payload))
        self._calm.idle()

    def _on_go_away(self, flags: int, number: int, payload: bytes) -> None:
        if number:
            raise Http2Error(ErrorCode.PROTOCOL_ERROR, "a GOAWAY of a stream")
        if len(payload) < 8:
            raise Http2Error(ErrorCode.FRAME_SIZE_ERROR, "a GOAWAY is too short")
        self._calm.idle()

    def _on_window(self, flags: int, number: int, payload: bytes) -> None:
        if len(payload) != 4:
            raise Http2Error(ErrorCode.FRAME_SIZE_ERROR, "a WINDOW_UPDATE has four bytes")
        more = int.from_bytes(payload, "big") & 0x7FFF_FFFF
        self._calm.window(self.sent_frames)
        if not more:
            raise Http2Error(ErrorCode.PROTOCOL_ERROR, "a WINDOW_UPDATE by nothing", number)
        if not number:
            self.window += more
            if self.window > frames.MAX_WINDOW:
                raise Http2Error(ErrorCode.FLOW_CONTROL_ERROR, "a window is too large")
            self._push_all()
            return
        if number > self._last:
            raise Http2Error(ErrorCode.PROTOCOL_ERROR, "a WINDOW_UPDATE of no stream")
        stream = self.streams.get(number)
        if stream is not None:
            stream.window += more
            if stream.window > frames.MAX_WINDOW:
                raise Http2Error(ErrorCode.FLOW_CONTROL_ERROR, "a window is too large", number)
            stream.push()

    def _headed(self, block: HeaderBlock) -> None:
        """A block of header fields is complete: the head of a request, or what comes after its body."""
        number = block.stream
        stream = self.streams.get(number)
        known = self._heads.known(block.text) if stream is None else None
        fields = [] if known is not None else self._heads.fields(block.text)
        if block.depends_on_itself:
            self._last = max(self._last, number)
            raise Http2Error(ErrorCode.PROTOCOL_ERROR, "a stream depends on itself", number)
        if stream is not None:
            self._trailed(stream, block, fields)
            return
        if number <= self._last:
            self._not_open(number)
            return
        self._last = number
        if self._drains == 2 or self._closing or len(self.streams) >= MAX_STREAMS:
            # Safe to ask elsewhere: nothing was done.
            raise Http2Error(ErrorCode.REFUSED_STREAM, "no more streams", number)
        if known is None:
            known = self._heads.request(block, fields)
        if self._looks or b"traceparent" in known:
            stream = ObservedStream(self, number, self._initial_window, known, self._looks, self.peer)
        else:
            stream = Stream(self, number, self._initial_window)
        self.streams[number] = stream
        length = known.get(b"content-length")
        if length is not None:
            stream.awaited = int(length[:19])
            if block.ends and stream.awaited:
                raise Http2Error(ErrorCode.PROTOCOL_ERROR, "the body is not as long as its header says", number)
        stream.requested = block.ends
        stream.exchange = self._handler(stream, known)
        if block.ends:
            stream.exchange.ended()

    def _trailed(self, stream: Stream, block: HeaderBlock, fields: list[tuple[bytes, bytes]]) -> None:
        if stream.requested:
            self._not_open(stream.id)
            return
        if not block.ends:
            raise Http2Error(ErrorCode.PROTOCOL_ERROR, "a second head", stream.id)
        try:
            frames.check_trailers(fields)
        except Http2Error as fault:
            fault.stream = stream.id
            raise
        if stream.awaited:
            raise Http2Error(ErrorCode.PROTOCOL_ERROR, "the body is not as long as its header says", stream.id)
        stream.requested = True
        stream.exchange.ended()

    def _not_open(self, number: int) -> None:
        """DATA or HEADERS has come of a stream that does not expect it."""
        if not number or number > self._last:
            raise Http2Error(ErrorCode.PROTOCOL_ERROR, "a frame of no stream")
        if number not in self._forgotten:
            raise Http2Error(ErrorCode.STREAM_CLOSED, "a frame of a stream that is closed")
        self._calm.idle()

    def _end(self, number: int, code: ErrorCode) -> None:
        """Take a stream from the client."""
        stream = self.streams.get(number)
        self._reset(number, code)
        if stream is not None:
            self._drop(stream)
            stream.exchange.gone()

    def _check_held(self, stream: Stream, more: int) -> None:
        """Raise ``Fault`` where ``more`` bytes of a stream are too many."""
        held = stream.held + more
        if self._held + more > MAX_HELD_BYTES and self._held > stream.held:
            raise Http2Error(ErrorCode.ENHANCE_YOUR_CALM, "too many bytes of requests at once", stream.id)
        if held > Budget.FREE:
            charged = more if stream.held > Budget.FREE else held
            if not self._budget.has(charged):
                raise Http2Error(
                    ErrorCode.REFUSED_STREAM, "this server holds as many bytes of requests as it may", stream.id
                )
            self._budget.held += charged

    def _drop(self, stream: Stream) -> None:
        """Forget a stream and what it holds."""
        del self.streams[stream.id]
        self._held -= stream.held
        if stream.held > Budget.FREE:
            self._budget.held -= stream.held
        if stream.unsent or self._looks:
            stream.forgotten()

    def _reset(self, number: int, code: ErrorCode) -> None:
        self._forgotten[number] = None
        if len(self._forgotten) > _MAX_FORGOTTEN:
            del self._forgotten[next(iter(self._forgotten))]
        self.say(frame(frames.RST_STREAM, 0, number, code.to_bytes(4, "big")))

    def _push_all(self) -> None:
        for stream in list(self.streams.values()):
            stream.push()

    def _go_away(self, last: int, code: ErrorCode = ErrorCode.NO_ERROR) -> None:
        self._out.append(frame(frames.GOAWAY, 0, 0, last.to_bytes(4, "big") + code.to_bytes(4, "big")))


def window_update(stream: int, by: int) -> bytes:
    """A WINDOW_UPDATE frame."""
    return frame(frames.WINDOW_UPDATE, 0, stream, by.to_bytes(4, "big"))
