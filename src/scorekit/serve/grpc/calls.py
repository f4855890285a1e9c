"""gRPC calls: messages out of the body's bytes, answers and one status at the end."""

import logging
import re
import time
from asyncio import TimerHandle, get_running_loop
from collections.abc import Callable
from typing import Any, Protocol

from ...codec import proto
from ...errors import BadRequest, ComponentError, DeadlineExceeded, PayloadTooLarge, RequestError, UnsupportedEncoding
from ...message import Message
from ..http2.header_fields import Fields
from ..http2.streams import Stream, StreamListener
from ..observe.references import internal_error_text, new_reference
from . import status

log = logging.getLogger(__name__)

ANSWER: Fields = ((b":status", b"200"), (b"content-type", b"application/grpc"))
_DONE = status.trailers(status.OK)
_DEADLINE = re.compile(rb"(\d{1,8})([HMSmun])")
_SECONDS = {b"H": 3600.0, b"M": 60.0, b"S": 1.0, b"m": 1e-3, b"u": 1e-6, b"n": 1e-9}
_HEAD_BYTES = 5  # before each message: one byte that says whether it is compressed, four of length

# HealthCheckResponse by status; SERVICE_UNKNOWN is what a watcher of a service that is not here is told.
SERVING, NOT_SERVING, SERVICE_UNKNOWN = b"\x08\x01", b"\x08\x02", b"\x08\x03"

CallObserver = Callable[[str, str, str, float], None]
"""Told each answered call: its full method, its kind, the name of its status and its seconds."""


class UnaryMethod(Protocol):
    """Has ``call`` answered for the message ``body``, now or later. May raise ``RequestError``."""

    def __call__(self, body: bytes, call: "UnaryCall", /) -> None: ...


class GrpcCall(StreamListener):
    """One call: takes messages out of the body's bytes and ends with a status, once."""

    def __init__(self, stream: Stream, max_message_bytes: int) -> None:
        self._stream = stream
        self._max_message_bytes = max_message_bytes
        self._part: bytes | bytearray = b""  # of a message
        self._needed = _HEAD_BYTES
        self._timer: TimerHandle | None = None
        self._started = False
        self.deadline = float("inf")
        """By when an answer is wanted; with a timer of its own, for a call may be late before it has come whole."""
        self.abandoned = False
        """Whether nobody would read an answer: it has ended, or the client has gone."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._stream!r} {'over' if self.abandoned else 'open'}>"

    def take(self, body: bytes) -> None:
        """One whole message has come. May raise ``RequestError``."""
        raise NotImplementedError

    def last(self) -> None:
        """No more messages come."""

    def expire_after(self, timeout: bytes) -> None:
        """End with DEADLINE_EXCEEDED after the time a grpc-timeout header says."""
        match = _DEADLINE.fullmatch(timeout)
        if match is None:
            self.fail(BadRequest(f"grpc-timeout is no time: {ascii(timeout[:40])[2:-1]}"))
        else:
            seconds = int(match[1]) * _SECONDS[match[2]]
            self.deadline = time.perf_counter() + seconds
            self._timer = get_running_loop().call_later(seconds, self._expired)

    def received(self, data: bytes) -> None:
        if self.abandoned:
            return
        if self._part:
            if isinstance(self._part, bytes):
                self._part = bytearray(self._part)
            self._part += data  # however small the parts are, they take no more than what is in them
            if len(self._part) < self._needed:
                return
            data = bytes(self._part)
        elif len(data) < self._needed:
            self._part = data
            return
        try:
            data = self._messages(data)
        except RequestError as error:
            self.fail(error)
            return
        except Exception:
            # The outermost handler: whatever went wrong is ours, and the caller must not wait for ever.
            log.exception("grpc.failed id=%s", self.broke())
            return
        self._part = data

    def ended(self) -> None:
        if self.abandoned:
            return
        if self._part:
            self.fail(BadRequest("the call ended in the middle of a message"))
        else:
            self.last()

    def gone(self) -> None:
        self._over()

    def say(self, body: bytes) -> None:
        """Send one message."""
        if not self.abandoned:
            if not self._started:
                self._started = True
                self._stream.start(ANSWER)
            self._stream.send(b"\0" + len(body).to_bytes(4, "big") + body)

    def end(self, trailers: Fields) -> None:
        """End the call. Only the first end counts."""
        if self.abandoned:
            return
        self._over()
        if self._started:
            self._stream.finish(trailers)
        else:
            self._stream.start(ANSWER + trailers, end=True)

    def fail(self, error: RequestError) -> None:
        """End the call with the status of ``error``."""
        if isinstance(error, ComponentError):
            self._stream.reference = error.reference
        self.end(status.of(error))

    def broke(self) -> str:
        """End the call for a fault of ours. Returns the reference under which the log is to tell of it."""
        self._stream.reference = reference = new_reference()
        self.end(status.trailers(status.INTERNAL, internal_error_text(reference)))
        return reference

    def _messages(self, data: bytes) -> bytes:
        """Take every whole message of ``data``; what is left is the beginning of the next."""
        while len(data) >= _HEAD_BYTES:
            if data[0]:
                raise UnsupportedEncoding("this server takes messages as they are, not compressed")
            length = int.from_bytes(data[1:_HEAD_BYTES], "big")
            if length > self._max_message_bytes:
                raise PayloadTooLarge(
                    f"the message has {length} bytes; this server takes {self._max_message_bytes} at most"
                )
            self._needed = _HEAD_BYTES + length
            if len(data) < self._needed:
                return data
            self.take(data[_HEAD_BYTES : self._needed])
            data = data[self._needed :]
            self._needed = _HEAD_BYTES
        return data

    def _expired(self) -> None:
        self.fail(DeadlineExceeded("the time that grpc-timeout allows is over"))

    def _over(self) -> None:
        self.abandoned = True
        self._part = b""
        if self._timer is not None:
            self._timer.cancel()


class UnaryCall(GrpcCall):
    """A call of one message and one answer; to the service, someone who waits for a message."""

    observe: CallObserver
    path: str

    def __init__(self, stream: Stream, max_message_bytes: int, verb: UnaryMethod) -> None:
        super().__init__(stream, max_message_bytes)
        self._began = time.perf_counter()
        self._verb = verb
        self._body: bytes | None = None

    def take(self, body: bytes) -> None:
        if self._body is not None:
            raise BadRequest("this method takes one message")
        self._body = body

    def last(self) -> None:
        try:
            if self._body is None:
                raise BadRequest("this method takes one message; there was none")
            self._verb(self._body, self)
        except RequestError as error:
            self.fail(error)
        except Exception:
            # The outermost handler: whatever went wrong is ours, and the caller must not wait for ever.
            log.exception("grpc.failed id=%s", self.broke())

    def end(self, trailers: Fields) -> None:
        if not self.abandoned:
            self.observe(self.path, "unary", status.name(trailers), time.perf_counter() - self._began)
        super().end(trailers)

    def answer(self, message: Message) -> None:
        try:
            body = proto.encode(message)
        except RequestError as error:
            self.fail(error)
        else:
            self.reply(body)

    def answer_raw(self, value: Any) -> None:
        try:
            body = proto.write(value)
        except RequestError as error:
            self.fail(error)
        else:
            self.reply(body)

    def reply(self, body: bytes) -> None:
        """Answer with a serialized message."""
        self.say(body)
        self.end(_DONE)


class MessageStreamCall(GrpcCall):
    """A call that answers each message with one."""

    def __init__(self, stream: Stream, max_message_bytes: int, answer: Callable[[bytes], bytes]) -> None:
        super().__init__(stream, max_message_bytes)
        self._answer = answer

    def take(self, body: bytes) -> None:
        self.say(self._answer(body))

    def last(self) -> None:
        self.end(_DONE)


class HealthWatch(GrpcCall):
    """A call that is told the health of a service now and whenever it changes."""

    def __init__(
        self,
        stream: Stream,
        max_message_bytes: int,
        health: Callable[[bytes], bytes | None],
        watchers: "set[HealthWatch]",
    ) -> None:
        super().__init__(stream, max_message_bytes)
        self._health = health
        self._watchers = watchers

    def take(self, body: bytes) -> None:
        state = self._health(body)
        if state is not None:
            self._watchers.add(self)
        self.tell(SERVICE_UNKNOWN if state is None else state)

    def tell(self, state: bytes) -> None:
        """Send the state; a watcher of a server that stops is told so and released, so that it can stop."""
        self.say(state)
        if state == NOT_SERVING:
            self.end(_DONE)

    def _over(self) -> None:
        super()._over()
        self._watchers.discard(self)
