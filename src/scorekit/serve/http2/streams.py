"""One request of an HTTP/2 connection and its answer."""

from collections.abc import Callable
from typing import Protocol

from ...settings.limits import MAX_HELD_BYTES
from . import frames
from .frames import Fields, frame

Headers = dict[bytes, bytes]
"""The header fields of a request by name. Several streams may share one: it is not to be changed."""


class StreamListener:
    """What a stream is to whoever answers it. Nothing here may raise."""

    def received(self, data: bytes) -> None:
        """Some of the request's body."""

    def ended(self) -> None:
        """The request is complete."""

    def gone(self) -> None:
        """The client has taken its request back, or has gone: nobody will read an answer."""


StreamHandler = Callable[["Stream", Headers], StreamListener]
"""Takes the head of a request. Must not raise."""


class StreamConnection(Protocol):
    """What a stream needs of its connection."""

    max_frame: int
    """Bytes that the client takes in one frame."""
    window: int
    """Bytes that the client takes on all streams together."""
    streams: "dict[int, Stream]"

    writable: bool
    """Whether the client reads what is sent."""
    unsent: int
    """Bytes of answers that wait for the client, of all streams together."""
    sent_frames: int
    sent_bytes: int
    """Of answers' bodies, ever."""

    def say(self, data: bytes) -> None:
        """Send ``data`` within this turn of the loop or the next."""

    def piled_up(self, stream: "Stream") -> None:
        """More waits for the client than it may; ``stream`` is the last to add to it."""

    def finished(self, stream: "Stream") -> None:
        """``stream`` has been answered."""


class Stream:
    """One request and its answer, as the connection keeps them."""

    __slots__ = (
        *(
            "_line",
            "_out",
            "_trailers",
            "awaited",
            "exchange",
            "held",
            "id",
            "reference",
            "requested",
            "taken",
            "unsent",
        ),
        "window",
    )

    reference: str
    """Under which the log tells more of the answer; unset where it does not."""

    def __init__(self, line: StreamConnection, number: int, window: int) -> None:
        self._line = line
        self._out = b""
        self.unsent = 0
        """Bytes of the answer that wait for the client."""
        self.held = 0
        """Bytes of the request's body."""
        self._trailers: Fields | None = None
        self.id = number
        self.window = window
        """Bytes that the client takes on this stream."""
        self.taken = 0
        """Bytes that came and were not given back to the client's window."""
        self.awaited: int | None = None
        """Bytes of the body that its length says are still to come."""
        self.exchange: StreamListener = StreamListener()
        self.requested = False
        """Whether the whole request has come."""

    def __repr__(self) -> str:
        return f"<Stream {self.id} waiting_bytes={len(self._out)}>"

    def start(self, fields: Fields, end: bool = False) -> None:
        """Begin the answer; with ``end`` it is also its end. A stream that is closed passes over what it is told."""
        line = self._line
        if self.id in line.streams:
            line.say(frames.headers(self.id, frames.block(fields), end, line.max_frame))
            if end:
                line.finished(self)

    def send(self, data: bytes) -> None:
        """More of the body; what the client's window has no room for waits."""
        self._out = self._out + data if self._out else data
        self.push()

    def finish(self, trailers: Fields) -> None:
        """End the answer, once all of its body has left."""
        self._trailers = trailers
        self.push()

    def push(self) -> None:
        """Send what may be sent."""
        line, out = self._line, self._out
        if self.id not in line.streams:
            return
        if out:
            if line.writable:
                room = min(len(out), self.window, line.window)
                most = line.max_frame
                for at in range(0, room, most):
                    line.sent_frames += 1
                    line.say(frame(frames.DATA, 0, self.id, out[at : min(at + most, room)]))
                if room > 0:
                    self.window -= room
                    line.window -= room
                    line.sent_bytes += room
                    self._out = out = out[room:]
            if self.unsent or out:
                line.unsent += len(out) - self.unsent
                grown, self.unsent = len(out) > self.unsent, len(out)
                if grown and line.unsent > MAX_HELD_BYTES and line.unsent > len(out):
                    line.piled_up(self)
                    return
        if self._trailers is not None and not out:
            if self._trailers:
                block = frames.block(self._trailers)
                line.say(frames.headers(self.id, block, True, line.max_frame))
            else:
                line.say(frame(frames.DATA, frames.END_STREAM, self.id))
            line.finished(self)

    def forgotten(self) -> None:
        """The stream has ended; what waited for the client does not any more."""
        self._line.unsent -= self.unsent
        self.unsent, self._out = 0, b""
