"""What a supervisor and a worker say to each other: frames on a pair of sockets.

A frame is its kind, four bytes of length, and JSON or text. No pickle: a worker runs the user's code, and what it says
is read as data.
"""

import socket
from asyncio import BaseTransport, Protocol, Transport
from collections.abc import Callable, Iterator
from typing import Any, cast

import orjson

STATE = b"S"
"""From a worker: what has become of it, a JSON object with the key ``state``."""
FAMILIES = b"M"
"""From a worker: all it has counted."""
SCRAPE = b"A"
"""From a worker: somebody asks for the metrics of all."""
COUNT = b"G"
"""From the supervisor: tell what you have counted."""
TEXT = b"T"
"""From the supervisor: the metrics of all, as text."""
BEAT = b"B"
"""From a worker: its event loop turns."""
RENEW = b"R"
"""From a worker: it has served for long enough, for the reason in the payload, and wants a successor."""
STUCK = b"H"
"""From a worker: its model does not come back; it answers whoever waits and ends by itself."""
RETIRE = b"E"
"""From the supervisor: a successor serves; take no new connections and end."""

Frame = tuple[bytes, bytes]

_HEAD = 5


def frame(kind: bytes, payload: bytes = b"") -> bytes:
    """The bytes of one frame."""
    return kind + len(payload).to_bytes(4, "big") + payload


def say(to: socket.socket, state: str, **more: Any) -> None:
    """Tell a state, where there is no event loop yet."""
    to.sendall(frame(STATE, orjson.dumps({"state": state, **more})))


class Frames:
    """Bytes as they come, cut into frames."""

    def __init__(self) -> None:
        self._buffer = b""

    def __repr__(self) -> str:
        return f"<Frames buffered={len(self._buffer)}>"

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Every frame that ``data`` completes."""
        self._buffer += data
        while len(self._buffer) >= _HEAD:
            end = _HEAD + int.from_bytes(self._buffer[1:_HEAD], "big")
            if len(self._buffer) < end:
                return
            kind, payload = self._buffer[:1], self._buffer[_HEAD:end]
            self._buffer = self._buffer[end:]
            yield kind, payload


class Channel(Protocol):
    """A worker's end, in its event loop. ``heard`` is told each frame, ``alone`` that the supervisor has gone."""

    def __init__(self, heard: Callable[[bytes, bytes], None], alone: Callable[[], None]) -> None:
        self._frames = Frames()
        self._heard = heard
        self._alone = alone
        self._transport: Transport

    def connection_made(self, transport: BaseTransport) -> None:
        self._transport = cast(Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._alone()

    def data_received(self, data: bytes) -> None:
        for kind, payload in self._frames.feed(data):
            self._heard(kind, payload)

    def send(self, kind: bytes, payload: bytes = b"") -> None:
        """Send one frame."""
        self._transport.write(frame(kind, payload))
