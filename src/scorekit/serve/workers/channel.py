"""What the supervisor and a worker say to each other: frames over a pair of sockets.

A frame is one byte for its kind, four bytes for the length of the payload, and the payload: JSON or text. Pickle is not
used, because a worker runs the user's code and the supervisor must read what it sends as data.

    worker                                supervisor
      │ STATE {"state": "built", …} ────────▶ │   the model is constructed
      │ STATE {"state": "loaded"} ──────────▶ │   the model is loaded
      │ STATE {"state": "probed"} ──────────▶ │   its first prediction is done
      │ STATE {"state": "ready", …} ────────▶ │   it listens
      │ BEAT ───────────────────────────────▶ │   once a second: the event loop runs
      │                                       │
      │ SCRAPE ─────────────────────────────▶ │   somebody asks this worker for metrics
      │ ◀────────────────────────────── COUNT │   … so every worker is asked for its counts
      │ FAMILIES ───────────────────────────▶ │
      │ ◀─────────────────────────────── TEXT │   … and the sum goes back to the first one
      │                                       │
      │ RENEW reason ───────────────────────▶ │   it has served for long enough
      │ ◀───────────────────────────── RETIRE │   its successor is ready
      │ STUCK ──────────────────────────────▶ │   its model hangs; it answers its callers and exits
"""

import socket
from asyncio import BaseTransport, Protocol, Transport
from collections.abc import Callable, Iterator
from typing import Any, cast

import orjson

STATE = b"S"
"""From a worker: its new state, a JSON object with the key ``state``."""
FAMILIES = b"M"
"""From a worker: everything it has counted."""
SCRAPE = b"A"
"""From a worker: a client of its metrics page waits for the metrics of all workers."""
COUNT = b"G"
"""From the supervisor: send what you have counted."""
TEXT = b"T"
"""From the supervisor: the metrics of all workers, as text."""
BEAT = b"B"
"""From a worker: its event loop runs."""
RENEW = b"R"
"""From a worker: it wants to be replaced, for the reason in the payload."""
STUCK = b"H"
"""From a worker: its model does not return. The worker answers the waiting requests and exits by itself."""
RETIRE = b"E"
"""From the supervisor: your successor serves; accept no more connections, finish, and exit."""

Frame = tuple[bytes, bytes]
"""The kind and the payload."""

_HEADER_BYTES = 5


def frame(kind: bytes, payload: bytes = b"") -> bytes:
    """Return the bytes of one frame."""
    return kind + len(payload).to_bytes(4, "big") + payload


def send_state(to: socket.socket, state: str, **more: Any) -> None:
    """Send a worker's state while there is no event loop yet."""
    to.sendall(frame(STATE, orjson.dumps({"state": state, **more})))


class ChannelReader:
    """Cuts the bytes of a stream into frames."""

    def __init__(self) -> None:
        self._buffer = b""

    def __repr__(self) -> str:
        return f"<ChannelReader buffered={len(self._buffer)}>"

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Yield every frame that ``data`` completes."""
        self._buffer += data
        while len(self._buffer) >= _HEADER_BYTES:
            end = _HEADER_BYTES + int.from_bytes(self._buffer[1:_HEADER_BYTES], "big")
            if len(self._buffer) < end:
                return
            kind, payload = self._buffer[:1], self._buffer[_HEADER_BYTES:end]
            self._buffer = self._buffer[end:]
            yield kind, payload


class Channel(Protocol):
    """A worker's end, in its event loop.

    ``received`` is called with the kind and the payload of each frame, ``closed`` once if the supervisor has died.
    """

    def __init__(self, received: Callable[[bytes, bytes], None], closed: Callable[[], None]) -> None:
        self._frames = ChannelReader()
        self._received = received
        self._closed = closed
        self._transport: Transport

    def connection_made(self, transport: BaseTransport) -> None:
        self._transport = cast(Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed()

    def data_received(self, data: bytes) -> None:
        for kind, payload in self._frames.feed(data):
            self._received(kind, payload)

    def send(self, kind: bytes, payload: bytes = b"") -> None:
        """Send one frame."""
        self._transport.write(frame(kind, payload))
