"""One request of an HTTP/2 connection and its answer."""

from collections.abc import Callable
from typing import Protocol

from ...settings.limits import MAX_HELD_BYTES
from . import frames
from .frames import frame
from .header_fields import Fields, Headers, encoded


class StreamListener:
    """Receives a stream's request, and answers it. No method may raise."""

    def received(self, data: bytes) -> None:
        """Take a part of the request's body."""

    def ended(self) -> None:
        """The request is complete."""

    def gone(self) -> None:
        """The client has reset the stream or closed the connection: nobody will read an answer."""


StreamHandler = Callable[["Stream", Headers], StreamListener]
"""Called with each new stream and the headers of its request. Must not raise."""


class StreamConnection(Protocol):
    """What a stream needs of its connection."""

    max_frame: int
    """The longest payload that the client accepts, in bytes."""
    window: int
    """How many bytes of DATA the client accepts on all streams together."""
    streams: "dict[int, Stream]"

    writable: bool
    """Whether the client reads what is sent."""
    unsent: int
    """Bytes of answers that wait for the client's windows, on all streams together."""
    sent_frames: int
    sent_bytes: int
    """DATA frames and bytes of them that were sent so far."""

    def say(self, data: bytes) -> None:
        """Send ``data`` within this turn of the loop or the next."""

    def piled_up(self, stream: "Stream") -> None:
        """Too many bytes wait for the client. ``stream`` was the last to add to them."""

    def finished(self, stream: "Stream") -> None:
        """The answer of ``stream`` is complete."""


# A stream is open for as long as it is in `streams` of its connection. The two directions end on their own (RFC 9113
# §5.1):
#
#   request   HEADERS ──▶ DATA… ──▶ END_STREAM: `requested`          half-closed (remote)
#   answer    start() ──▶ send()… ──▶ finish(): leaves `streams`     closed
#
# An answer may be complete before its request is. The rest of the request is then not wanted, and RST_STREAM NO_ERROR
# tells the client so (§8.1). A stream that was reset stays usable for whoever answers it: its methods do nothing.
class Stream:
    """One request and its answer, as the connection keeps them."""

    __slots__ = (
        *("_connection", "_out", "_trailers", "awaited", "exchange", "held", "id", "reference", "requested", "taken"),
        *("unsent", "window"),
    )

    reference: str
    """The reference under which the log has the cause of an error. Not set for most streams."""

    def __init__(self, connection: StreamConnection, number: int, window: int) -> None:
        self._connection = connection
        # The answer's bytes that have not been sent. Those that must wait are a bytearray: it grows at its end and
        # shrinks at its beginning in time that is proportional to what is added or taken, whatever its size is.
        self._out: bytes | bytearray = b""
        self.unsent = 0
        """Bytes of the answer that wait for the client."""
        self.held = 0
        """Bytes of the request's body so far."""
        self._trailers: Fields | None = None
        self.id = number
        self.window = window
        """How many bytes of DATA the client accepts on this stream."""
        self.taken = 0
        """Bytes that arrived since the client's window was last opened."""
        self.awaited: int | None = None
        """Bytes of the body that are still to come by Content-Length, if the request has one."""
        self.exchange: StreamListener = StreamListener()
        self.requested = False
        """Whether the whole request has arrived."""

    def __repr__(self) -> str:
        return f"<Stream {self.id} waiting_bytes={len(self._out)}>"

    def start(self, fields: Fields, end: bool = False) -> None:
        """Begin the answer with header fields. With ``end`` they are all of it."""
        connection = self._connection
        if self.id in connection.streams:
            connection.say(frames.headers(self.id, encoded(fields), end, connection.max_frame))
            if end:
                connection.finished(self)

    def send(self, data: bytes) -> None:
        """Add to the answer's body. What does not fit into the client's windows waits here."""
        if self._out:
            if isinstance(self._out, bytes):
                self._out = bytearray(self._out)
            self._out += data
        else:
            self._out = data
        self.push()

    def finish(self, trailers: Fields) -> None:
        """End the answer with ``trailers``, once all of its body has been sent."""
        self._trailers = trailers
        self.push()

    def push(self) -> None:
        """Send as much as the client's windows, its socket and its frame size allow."""
        connection, out = self._connection, self._out
        if self.id not in connection.streams:
            return
        if out:
            if connection.writable:
                room = min(len(out), self.window, connection.window)
                most = connection.max_frame
                for at in range(0, room, most):
                    connection.sent_frames += 1
                    connection.say(frame(frames.DATA, 0, self.id, out[at : min(at + most, room)]))
                if room > 0:  # windows may be negative: a client can shrink them with SETTINGS (RFC 9113 §6.9.2)
                    self.window -= room
                    connection.window -= room
                    connection.sent_bytes += room
                    if room == len(out):
                        self._out = out = b""
                    else:
                        if isinstance(out, bytes):
                            self._out = out = bytearray(out)
                        del out[:room]
            if self.unsent or out:
                connection.unsent += len(out) - self.unsent
                grown, self.unsent = len(out) > self.unsent, len(out)
                # One large answer may wait. Several that add up to more than the limit are a client that opens no
                # windows: the stream that went above it is reset.
                if grown and connection.unsent > MAX_HELD_BYTES and connection.unsent > len(out):
                    connection.piled_up(self)
                    return
        if self._trailers is not None and not out:
            if self._trailers:
                block = encoded(self._trailers)
                connection.say(frames.headers(self.id, block, True, connection.max_frame))
            else:
                connection.say(frame(frames.DATA, frames.END_STREAM, self.id))
            connection.finished(self)

    def forgotten(self) -> None:
        """Drop what waits for the client: the stream has ended."""
        self._connection.unsent -= self.unsent
        self.unsent, self._out = 0, b""
