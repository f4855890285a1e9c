"""The head of an HTTP/1.1 request: its request line and header fields, checked so that no two servers can disagree.

The rules against request smuggling are divided between the parser and this module. A request is smuggled when a gateway
and the server behind it disagree about where a request ends, so whatever is ambiguous gets a 400 and the connection is
closed (RFC 9112 §6.3, §11.2).

llhttp (httptools 0.6.4 or newer: older versions accept folded lines, bare LF and spaces before colons) refuses:

* Content-Length beside Transfer-Encoding, two Content-Length fields, a length with a sign, a space or a comma
  (§6.1, §6.3);
* bare CR, bare LF and NUL, in lines, chunk sizes and chunk extensions (§2.2, §7.1);
* white space before a colon (§5.1) and folded lines (§5.2).

This module refuses what llhttp accepts:

* any transfer coding but ``chunked`` alone, and all of them in HTTP/1.0, where gateways differ (§6.1, §7);
* two fields of a kind that counts once, and a request of HTTP/1.1 without ``Host`` (§3.2);
* a target that is neither a path nor the address of one on the host that ``Host`` names (§3.2.1, §3.2.2);
* every version but 1.0 and 1.1 (§2.3).
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from ...errors import BadRequest
from ..trace import trace

Fields = list[tuple[bytes, bytes]]
"""Names in lower case, and values, of the header fields that this server reads, in the order they came."""

NO_HEADERS: Mapping[bytes, bytes] = MappingProxyType({})

KNOWN = frozenset(
    {
        b"authorization",
        b"connection",
        b"content-encoding",
        b"content-length",
        b"content-type",
        b"expect",
        b"host",
        b"origin",
        b"traceparent",
        b"tracestate",
        b"transfer-encoding",
        b"x-api-key",
        b"x-envoy-expected-rq-timeout-ms",
    }
)
"""The header fields that this server reads. All others are counted and ignored."""

# Fields that may occur once (RFC 9110 §5.3): a gateway may have acted on one of two, and the server on the other.
_ONCE = frozenset({b"host", b"content-length", b"transfer-encoding", b"content-type", b"authorization", b"x-api-key"})
# Fields that belong to an offer of another protocol. `expect` goes with them: the body has been sent already.
_OF_UPGRADE = frozenset({b"connection", b"upgrade", b"http2-settings", b"expect"})

# A connection that remembers a head holds its bytes for as long as it is open, so long heads are parsed each time.
_MAX_KNOWN_BYTES = 4096

# A name or an address, and a port (RFC 3986 §3.2.2). Empty where the target has no authority (RFC 9112 §3.2).
_HOST = re.compile(rb"(?:[A-Za-z0-9._~!$&'()*+,;=%-]*|\[[0-9A-Fa-f:.]+\])(?::\d{0,5})?")


class RequestHead:
    """The request line and the header fields of a request. Requests of one connection with equal heads share one.

    ``headers`` maps the fields in ``KNOWN`` that the request has, by name in lower case, to their values.
    """

    __slots__ = (
        "content_type",
        "headers",
        "is_http_10",
        "is_json",
        "method",
        "origin",
        "path",
        "query",
        "response_headers",
        "timeout_s",
        "trace",
    )

    def __init__(
        self, method: str, target: bytes, is_http_10: bool = False, headers: Mapping[bytes, bytes] = NO_HEADERS
    ) -> None:
        self.method = method
        self.path, _, self.query = target.partition(b"?")
        self.is_http_10 = is_http_10
        self.headers = headers
        self.content_type = headers.get(b"content-type", b"").decode("latin-1")
        self.is_json = self.content_type == "application/json" and not self.query and b"content-encoding" not in headers
        """Whether the body is plain JSON, so that nothing else needs to be looked at."""
        self.origin = headers.get(b"origin", b"")
        wait = headers.get(b"x-envoy-expected-rq-timeout-ms", b"")
        self.timeout_s = int(wait[:9]) / 1000 if wait.isdigit() else 0.0
        """How long the gateway waits for the answer, in seconds; 0 if it does not say."""

        self.trace = trace(headers) if b"traceparent" in headers else None
        """The W3C trace that the request belongs to."""
        self.response_headers = b"" if self.trace is None else self.trace.lines()
        """Complete header lines that every response to this request carries."""

    def __repr__(self) -> str:
        return f"<RequestHead {self.method} {self.path!r}>"


class KnownHead:
    """A head that a connection has read before, and how long the whole request was."""

    __slots__ = ("body_at", "head", "length", "text")

    def __init__(self, head: RequestHead, text: bytes, length: int) -> None:
        self.head = head
        self.text = text
        self.body_at = len(text)
        self.length = length


def parse_head(method: str, target: bytes, version: str, fields: Fields) -> RequestHead:
    """Return the head of a request. Raises ``BadRequest`` if two servers could read it differently."""
    headers: dict[bytes, bytes] = {}
    for name, value in fields:
        if name in headers:
            if name in _ONCE:
                raise BadRequest(f"the request has more than one {name.decode()} header")
            value = headers[name] + b", " + value
        headers[name] = value
    if version != "1.1" and version != "1.0":
        raise BadRequest("unsupported HTTP version; this server speaks HTTP/1.0, HTTP/1.1 and HTTP/2")
    host = headers.get(b"host")
    if host is None:
        if version == "1.1":
            raise BadRequest("an HTTP/1.1 request must have a Host header")
    elif _HOST.fullmatch(host) is None:
        raise BadRequest("the Host header is not a host name or address")
    coding = headers.get(b"transfer-encoding")
    if coding is not None and (version == "1.0" or coding.lower() != b"chunked"):
        raise BadRequest("unsupported Transfer-Encoding; only chunked is supported, and only in HTTP/1.1")
    if b"#" in target:
        raise BadRequest("the request target must not have a fragment")
    if not target.startswith(b"/") and target != b"*":
        target = _origin_form(target, host)
    return RequestHead(method, target, version == "1.0", headers)


def known_head(head: RequestHead, data: bytes, body_bytes: int) -> KnownHead | None:
    """Return what to remember of ``data``, which was one whole request with this head and a body of ``body_bytes``.

    Clients send the same head again and again, and parsing it is a third of the work of a small request. A later piece
    of the same length that begins with the same bytes is therefore taken for a request without parsing. That is right
    only if a parser would cut it into the same head and body, so ``None`` is returned unless ``data`` is exactly a head
    and the number of bytes that its Content-Length names, and the head says nothing about the connection.
    """
    body_at = data.find(b"\r\n\r\n") + 4
    whole = 4 <= body_at <= _MAX_KNOWN_BYTES and len(data) - body_at == body_bytes
    return KnownHead(head, data[:body_at], len(data)) if whole and _framed_by_length(head.headers, body_bytes) else None


def _framed_by_length(headers: Mapping[bytes, bytes], body_bytes: int) -> bool:
    if b"transfer-encoding" in headers or b"expect" in headers or b"close" in headers.get(b"connection", b"").lower():
        return False
    length = headers.get(b"content-length")
    return length == b"%d" % body_bytes if length is not None else not body_bytes


def without_upgrade(method: bytes, target: bytes, version: str, fields: Fields) -> bytes:
    """Return the bytes of the same head without its offer of another protocol (RFC 9110 §7.8)."""
    lines = [b"%b: %b\r\n" % field for field in fields if field[0] not in _OF_UPGRADE]
    if any(name == b"connection" and b"close" in value.lower() for name, value in fields):
        lines.append(b"Connection: close\r\n")
    return b"%b %b HTTP/%b\r\n%b\r\n" % (method, target, version.encode(), b"".join(lines))


def _origin_form(target: bytes, host: bytes | None) -> bytes:
    """Return the path and query of ``http://host/path?query``, a form that every server must accept (RFC 9112 §3.2.2).

    The section has the server believe the target rather than ``Host``. Nothing here depends on the host and nobody
    sends two different ones in good faith, so a difference is refused: the one reading that no two servers can have.
    """
    scheme, _, rest = target.partition(b"://")
    authority, slash, path = rest.partition(b"/")
    if scheme.lower() not in (b"http", b"https"):
        raise BadRequest("the request target must be a path or an http:// URL")
    if host is not None and authority.lower() != host.lower():
        raise BadRequest("the request target and the Host header name different hosts")
    return slash + path if slash else b"/"
