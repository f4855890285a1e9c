"""gRPC calls on HTTP/2 streams: messages out of DATA, answers and one status at the end."""

import logging
import re
import time
from asyncio import TimerHandle, get_running_loop
from collections.abc import Callable
from typing import Any, Protocol

from ...codec import proto
from ...errors import (
    BadRequest,
    ComponentError,
    DeadlineExceeded,
    Overloaded,
    PayloadTooLarge,
    RequestError,
    UnsupportedEncoding,
)
from ...message import Message
from ..http2.header_fields import Fields
from ..http2.streams import Stream, StreamListener
from ..observe.references import internal_error_text, new_reference
from . import status
from .status import StatusCode

log = logging.getLogger(__name__)

# gRPC's framing (the document "gRPC over HTTP2" of the gRPC project)
# --------------------------------------------------------------------
#
# A body is a sequence of messages. Frames of DATA may cut it anywhere:
#
#     +------------+-----------------+------------------+
#     | compressed |     length      | message          |  and again
#     |   1 byte   |  4, big-endian  | `length` bytes   |
#     +------------+-----------------+------------------+
#
# The HTTP status is 200 for every call that reached a gRPC server. What became of the call stands in the trailers
# `grpc-status` and `grpc-message`, which end it. A call that fails before its first message sends them in the one
# HEADERS frame that it has ("Trailers-Only").
ANSWER: Fields = ((b":status", b"200"), (b"content-type", b"application/grpc"))
_DONE = status.trailers(StatusCode.OK)
_MESSAGE_HEAD_BYTES = 5

_MAX_WAITING_BYTES = 1 << 20
"""Of answers on one stream of many messages. A client with more of them does not read, and gets no further one."""

_TIMEOUT = re.compile(rb"(\d{1,8})([HMSmun])")
_SECONDS = {b"H": 3600.0, b"M": 60.0, b"S": 1.0, b"m": 1e-3, b"u": 1e-6, b"n": 1e-9}

# HealthCheckResponse by status. Only Watch answers SERVICE_UNKNOWN: Check fails with NOT_FOUND (grpc.health.v1).
SERVING, NOT_SERVING, SERVICE_UNKNOWN = b"\x08\x01", b"\x08\x02", b"\x08\x03"


class UnaryMethod(Protocol):
    """Answers ``call``, which has sent the message ``body``, now or later. May raise ``RequestError``."""

    def __call__(self, body: bytes, call: "UnaryCall", /) -> None: ...


class GrpcCall(StreamListener):
    """One call: collects messages out of the stream's DATA, and ends with one status."""

    def __init__(self, stream: Stream, max_message_bytes: int) -> None:
        self._stream = stream
        self._max_message_bytes = max_message_bytes
        self._part: bytes | bytearray = b""  # the beginning of a message
        self._needed = _MESSAGE_HEAD_BYTES  # the length at which `_part` is worth looking at
        self._timer: TimerHandle | None = None
        self._started = False
        self.deadline = float("inf")
        """The time, by ``time.perf_counter``, at which the client stops waiting."""
        self.abandoned = False
        """Whether nobody would read an answer: the call has ended, or the client has gone."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._stream!r} {'over' if self.abandoned else 'open'}>"

    def take(self, body: bytes) -> None:
        """Take one whole message. May raise ``RequestError``."""
        raise NotImplementedError

    def last(self) -> None:
        """No further message comes."""

    def expire_after(self, timeout: bytes) -> None:
        """End the call with DEADLINE_EXCEEDED after the time that a grpc-timeout header names.

        The call has a timer of its own, beside the deadline that the service looks at, because the time may be over
        before the request has arrived whole.
        """
        match = _TIMEOUT.fullmatch(timeout)
        if match is None:
            self.fail(BadRequest(f"invalid grpc-timeout: {ascii(timeout[:40])[2:-1]}"))
        else:
            seconds = int(match[1]) * _SECONDS[match[2]]
            self.deadline = time.perf_counter() + seconds
            self._timer = get_running_loop().call_later(seconds, self._expired)

    def received(self, data: bytes) -> None:
        if self.abandoned:
            return
        if self._part:
            # A list of parts would cost 33 bytes and more for each, and a client may send a byte in each frame.
            if isinstance(self._part, bytes):
                self._part = bytearray(self._part)
            self._part += data
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
            # The outermost handler: whatever went wrong is a bug of ours, and without an answer the caller would wait.
            log.exception("grpc.failed id=%s", self.fail_internally())
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

    def send(self, body: bytes) -> None:
        """Send one message."""
        if not self.abandoned:
            if not self._started:
                self._started = True
                self._stream.start(ANSWER)
            self._stream.send(b"\0" + len(body).to_bytes(4, "big") + body)

    def end(self, trailers: Fields) -> None:
        """End the call. Only the first call of this counts."""
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

    def fail_internally(self) -> str:
        """End the call because of a bug of ours. Returns the reference under which the log must have the cause."""
        self._stream.reference = reference = new_reference()
        self.end(status.trailers(StatusCode.INTERNAL, internal_error_text(reference)))
        return reference

    def _messages(self, data: bytes) -> bytes:
        """Take every whole message in ``data`` and return what is left, the beginning of the next.

        A length above the limit is refused when the five bytes have arrived, before anything of it is stored.
        """
        at, end = 0, len(data)  # to cut off each message would copy all that follow it
        while end - at >= _MESSAGE_HEAD_BYTES and not self.abandoned:
            if data[at]:
                raise UnsupportedEncoding("this server does not read compressed messages; send them uncompressed")
            body_at = at + _MESSAGE_HEAD_BYTES
            length = int.from_bytes(data[at + 1 : body_at], "big")
            if length > self._max_message_bytes:
                raise PayloadTooLarge(
                    f"the message has {length} bytes; this server accepts at most {self._max_message_bytes}"
                )
            self._needed = _MESSAGE_HEAD_BYTES + length
            if end - at < self._needed:
                break
            at += self._needed
            self._needed = _MESSAGE_HEAD_BYTES
            self.take(data[body_at:at])
        return data[at:]

    def _expired(self) -> None:
        self.fail(DeadlineExceeded("the time that grpc-timeout allows has passed"))

    def _over(self) -> None:
        self.abandoned = True
        self._part = b""
        if self._timer is not None:
            self._timer.cancel()


class UnaryCall(GrpcCall):
    """A call of one message and one answer, which the service answers.

    ``observe`` is called with the name of the call's status and its seconds when it is answered.
    """

    def __init__(
        self, stream: Stream, max_message_bytes: int, method: UnaryMethod, observe: Callable[[str, float], None]
    ) -> None:
        super().__init__(stream, max_message_bytes)
        self._began = time.perf_counter()
        self._method = method
        self._observe = observe
        self._body: bytes | None = None

    def take(self, body: bytes) -> None:
        """Keep the one message. Raises ``BadRequest`` if there was one before."""
        if self._body is not None:
            raise BadRequest("this method takes exactly one message; there was another")
        self._body = body

    def last(self) -> None:
        if self._body is None:
            self.fail(BadRequest("this method takes exactly one message; there was none"))
            return
        try:
            self._method(self._body, self)
        except RequestError as error:
            self.fail(error)
        except Exception:
            # The outermost handler, as in received().
            log.exception("grpc.failed id=%s", self.fail_internally())

    def end(self, trailers: Fields) -> None:
        if not self.abandoned:
            self._observe(status.name(trailers), time.perf_counter() - self._began)
        super().end(trailers)

    def answer(self, message: Message) -> None:
        """Answer with an encoded message, or with the error if it cannot be encoded."""
        try:
            body = proto.encode(message)
        except RequestError as error:
            self.fail(error)
        else:
            self.reply(body)

    def answer_raw(self, value: Any) -> None:
        """Answer with what a raw method returned, or with the error if that is not a message."""
        try:
            body = proto.write(value)
        except RequestError as error:
            self.fail(error)
        else:
            self.reply(body)

    def reply(self, body: bytes) -> None:
        """Answer with a serialized message."""
        self.send(body)
        self.end(_DONE)


class MessageStreamCall(GrpcCall):
    """A call that answers each message with one."""

    def __init__(self, stream: Stream, max_message_bytes: int, answer: Callable[[bytes], bytes]) -> None:
        super().__init__(stream, max_message_bytes)
        self._answer = answer

    def take(self, body: bytes) -> None:
        """Answer one message. Raises ``Overloaded`` if the client reads none of them."""
        if self._stream.unsent > _MAX_WAITING_BYTES:
            raise Overloaded("the answers of this call wait to be read; read them before you send more messages")
        self.send(self._answer(body))

    def last(self) -> None:
        self.end(_DONE)


class HealthWatch(GrpcCall):
    """A call that is sent the health of a service, now and whenever it changes."""

    def __init__(
        self,
        stream: Stream,
        max_message_bytes: int,
        health: Callable[[bytes], bytes | None],
        watches: "set[HealthWatch]",
    ) -> None:
        super().__init__(stream, max_message_bytes)
        self._health = health
        self._watches = watches
        self._asked = False

    def take(self, body: bytes) -> None:
        """Begin to watch. Raises ``BadRequest`` if there was a message before, because the service takes one."""
        if self._asked:
            raise BadRequest("this method takes exactly one message; there was another")
        self._asked = True
        state = self._health(body)
        if state is not None:
            self._watches.add(self)
        self.report(SERVICE_UNKNOWN if state is None else state)

    def report(self, state: bytes) -> None:
        """Send the state. After NOT_SERVING the call ends, or the open call would hold up the server's shutdown."""
        self.send(state)
        if state == NOT_SERVING:
            self.end(_DONE)

    def _over(self) -> None:
        super()._over()
        self._watches.discard(self)
