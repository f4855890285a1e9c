"""Reads HTTP/1.1 requests: pieces of a byte stream in, whole requests out.

httptools (llhttp) parses; this module adds what llhttp leaves to its user: limits on every part of a request, and the
decision to go on without an upgrade. There is no task, coroutine or stream object per request.
"""

from typing import Any, Protocol

import httptools

from ...errors import BadRequest, HeadTooLarge
from ...settings.limits import MAX_HEAD_BYTES
from ..limits.memory import Budget
from .head import KNOWN, Fields, KnownHead, RequestHead, known_head, parse_head, without_upgrade
from .refusals import RequestRefused, body_too_large, budget_exhausted, head_too_large

# Framing may take this many bytes for each byte of a body. A client that flushes after each byte sends six: "1", CR LF,
# the byte, CR LF.
_MAX_FRAMING_PER_BYTE = 8


class RequestSink(Protocol):
    """Who takes the requests of a reader: the connection."""

    def request_complete(self, head: RequestHead, body: bytes, keep_alive: bool) -> None:
        """Take a whole request."""

    def continue_expected(self) -> None:
        """Tell the client to send its body, if nothing else must be sent first."""


class RequestBody:
    """The body of the request being read, and what this connection's bodies hold of the worker's memory budget."""

    __slots__ = ("_budget", "_charged", "_content", "_max_bytes", "held", "length")

    def __init__(self, max_bytes: int, budget: Budget) -> None:
        self._max_bytes = max_bytes
        self._budget = budget
        self.held = 0
        """Bytes of the budget that bodies of this connection hold, read and unanswered ones together."""
        self.begin()

    def begin(self) -> None:
        """Start the next body."""
        self._content: bytes | bytearray = b""
        self._charged = 0
        self.length = 0

    def announce(self, content_length: bytes) -> None:
        """Raise ``RequestRefused`` if a body of this Content-Length would be too large, before any of it is read."""
        if not content_length.isdigit():
            return  # the parser refuses it
        significant = content_length.lstrip(b"0")  # int() refuses more than 4300 digits
        if len(significant) > 18 or int(significant or b"0") > self._max_bytes:
            raise RequestRefused(body_too_large(self._max_bytes))
        if len(content_length) > 4 and not self._budget.has(int(significant or b"0")):
            raise RequestRefused(budget_exhausted())

    def add(self, part: bytes) -> None:
        """Append a part. Raises ``RequestRefused`` if the body is too large, or the worker holds too much."""
        self.length += len(part)
        if self.length > self._max_bytes:
            raise RequestRefused(body_too_large(self._max_bytes))
        if self.length > Budget.FREE:
            more = self.length - self._charged
            if not self._budget.has(more):
                raise RequestRefused(budget_exhausted())
            self._budget.held += more
            self.held += more
            self._charged += more
        if not self._content:
            self._content = part  # most bodies come in one part: no copy
        else:
            # A list of parts would cost 33 bytes and more for each, and a client may send one byte in each chunk.
            if isinstance(self._content, bytes):
                self._content = bytearray(self._content)
            self._content += part

    def take(self) -> bytes:
        """Return the whole body and let go of it. What it holds of the budget stays held until ``release``."""
        content, self._content = self._content, b""
        return bytes(content)

    def release(self, count: int) -> None:
        """Give ``count`` bytes back to the budget."""
        self._budget.held -= count
        self.held -= count


class FramingBytes:
    """Counts bytes that are not part of any body, and limits them. Raises ``RequestRefused``.

    llhttp reports what it parsed, but not how many bytes that took. It reports nothing of an unfinished header line or
    of chunk extensions, and has no limit on either, so a client could send them without end. Whole pieces, as the
    socket delivered them, are counted instead.
    """

    __slots__ = ("_around_body", "_fruitless")

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """A head or a body begins."""
        self._fruitless = 0  # bytes of pieces since the last one that completed a head or brought some of a body
        self._around_body = 0

    def head_exceeds(self, length: int) -> bool:
        """Return whether a head is too long if the next piece has ``length`` bytes of it."""
        return self._fruitless + length > MAX_HEAD_BYTES

    def in_head(self, length: int) -> None:
        """A piece of ``length`` bytes lay within one head."""
        self._fruitless += length
        if self._fruitless > MAX_HEAD_BYTES:
            raise RequestRefused(head_too_large())

    def in_body(self, length: int, content: int, body_bytes: int) -> None:
        """A piece of ``length`` bytes lay between a head and the end of its request; ``content`` were of the body."""
        self._around_body += length - content
        if self._around_body > MAX_HEAD_BYTES + _MAX_FRAMING_PER_BYTE * body_bytes:
            raise RequestRefused(HeadTooLarge("the chunks of the body have too many bytes of framing"))
        if content:
            self._fruitless = 0
            return
        self._fruitless += length
        if self._fruitless > MAX_HEAD_BYTES:
            raise RequestRefused(HeadTooLarge(f"chunk extensions or trailers are longer than {MAX_HEAD_BYTES} bytes"))


# What is being read, and the callback that leads on. `reading` is false and `in_head` true between two requests.
#
#     between ── on_message_begin ──▶ head ── on_headers_complete ──▶ body ── on_message_complete ──▶ between
#     two                             in_head                                                         two
#
# A request without a body passes through `body` within one call of the parser. Trailers are reported by on_header in
# the state `body`; they count as headers and are otherwise ignored.
class RequestReader:
    """Reads the requests of one connection and hands each to ``sink`` when it is complete."""

    def __init__(self, sink: RequestSink, max_headers: int, body: RequestBody) -> None:
        self._sink = sink
        self._max_headers = max_headers
        self._body = body
        self._framing = FramingBytes()
        self.reading = False
        """Whether a request has begun and is not complete."""
        self.in_head = True
        """Whether the next bytes belong to a head."""
        self.requests = 0
        """Requests that have begun so far."""
        self.known: KnownHead | None = None
        """A head that need not be parsed when it comes again."""
        self._remembers = True
        self.target = b""
        """The target of the request line, as far as it has been read."""
        self._completed = 0  # requests in the current piece
        self._head: RequestHead
        self._head_source: object = None  # the method, target, version and fields that `_head` was made of
        # httptools looks its callbacks up once, here. The body's own method spares a call for each part.
        self.on_body = body.add
        self._parser: Any = httptools.HttpRequestParser(self)

    def feed(self, data: bytes) -> None:
        """Read the next piece. Raises ``RequestRefused`` at the first byte that cannot be part of a valid request."""
        between = not self.reading
        self._completed = 0
        rest = self._parse(data)
        while rest:
            # Behind a declined upgrade. A loop, because each of these requests may offer an upgrade again; and a view,
            # because a copy of what is left for each of them would be quadratic.
            rest = self._parse(rest)
        whole = between and self._completed == 1 and not self.reading
        if whole and self._remembers and self._parser.should_keep_alive():
            self.known = known_head(self._head, data, self._body.length) or self.known

    def forget(self) -> None:
        """Stop remembering heads: the next request must be seen by the parser, or must not be answered at all."""
        self.known = None
        self._remembers = False

    def close(self) -> None:
        """Let go of the parser, which holds this reader's callbacks, and of the sink: two reference cycles."""
        self.forget()
        self._parser = None
        del self._sink

    def _parse(self, data: bytes | memoryview) -> memoryview | None:
        """Parse ``data``, and return what is left of it behind a head that offers another protocol, if there is one."""
        framing, body = self._framing, self._body
        in_head, requests, received = self.in_head, self.requests, body.length
        self._head_complete = False
        self._may_be_long = framing.head_exceeds(len(data))
        upgrade = None
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            upgrade = offer
        except httptools.HttpParserCallbackError as error:
            if isinstance(error.__context__, RequestRefused):
                raise error.__context__ from None
            raise  # a bug of ours: the event loop logs it and closes the connection
        except httptools.HttpParserError as error:
            raise RequestRefused(BadRequest(f"not HTTP: {error}")) from None
        if upgrade is not None:  # out of the handler, or a later error would have it as its context
            self._parse(self._without_upgrade())
            return memoryview(data)[upgrade.args[0] :]
        if self.in_head:
            if in_head and not self._head_complete:
                framing.in_head(len(data))
        elif not in_head and requests == self.requests:
            framing.in_body(len(data), body.length - received, body.length)
        return None

    def _without_upgrade(self) -> bytes:
        """Return the head that offers another protocol, as Java's clients do (h2c) on their first request, without it.

        A server may ignore an Upgrade and go on in HTTP/1.1 (RFC 9110 §7.8). llhttp stops behind the head of such a
        request, whatever follows, so a new parser reads it again.
        """
        method = self._parser.get_method()
        if method == b"CONNECT":
            raise RequestRefused(BadRequest("this server is not a proxy and does not support CONNECT"))
        head = without_upgrade(method, self.target, self._parser.get_http_version(), self._fields)
        self._parser = httptools.HttpRequestParser(self)
        return head

    # -- httptools calls these

    def on_message_begin(self) -> None:
        self.reading = True
        self.requests += 1
        self.target = b""
        self._fields: Fields = []
        self._header_count = self._fields_bytes = 0
        self._body.begin()

    def on_url(self, url: bytes) -> None:
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name in KNOWN:
            self._fields.append((name, value))
        self._header_count += 1
        if self._header_count > self._max_headers:
            raise RequestRefused(HeadTooLarge(f"the request has more than {self._max_headers} headers"))
        if self._may_be_long:
            self._fields_bytes += len(name) + len(value)
            if self._fields_bytes > MAX_HEAD_BYTES:
                raise RequestRefused(head_too_large())

    def on_headers_complete(self) -> None:
        self.in_head, self._head_complete = False, True
        if self._may_be_long and self._framing.head_exceeds(len(self.target) + self._fields_bytes):
            raise RequestRefused(head_too_large())
        self._framing.begin()
        parser = self._parser
        source = parser.get_method(), self.target, parser.get_http_version(), self._fields
        if source == self._head_source:  # a gateway numbers its requests, and the other fields stay the same
            head = self._head
        else:
            try:
                head = parse_head(source[0].decode("ascii"), *source[1:])
            except BadRequest as error:
                raise RequestRefused(error) from None
            self._head, self._head_source = head, source
        length = head.headers.get(b"content-length")
        if length is not None:
            self._body.announce(length)
        if not head.is_http_10 and head.headers.get(b"expect", b"").lower() == b"100-continue":
            self._sink.continue_expected()

    def on_message_complete(self) -> None:
        self.reading = False
        self.in_head = True
        self._framing.begin()
        parser = self._parser
        if parser.should_upgrade():
            return  # the parser has not looked at the body: _decline_upgrade reads the request again
        self._completed += 1
        self._sink.request_complete(self._head, self._body.take(), parser.should_keep_alive())
