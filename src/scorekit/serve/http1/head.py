"""The header fields of an HTTP/1.1 request: which mean anything here, and which two servers could read in two ways.

httptools (llhttp) has refused most of what is malformed before: a length beside chunks, two lengths, folded or broken
lines, blanks before a colon. What it lets pass, and a gateway may read in another way, is refused here (RFC 9112).
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from ...errors import BadRequest
from ..trace import trace

Fields = list[tuple[bytes, bytes]]
"""Names in lower case and values of those that are known, in the order they came."""

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
"""Those that mean anything to this server."""

_ONCE = frozenset({b"host", b"content-length", b"transfer-encoding", b"content-type", b"authorization", b"x-api-key"})
_OF_THE_OFFER = frozenset({b"connection", b"upgrade", b"http2-settings", b"expect"})

# A name or an address, and a port (RFC 3986 §3.2.2); empty where the target has none.
_HOST = re.compile(rb"(?:[A-Za-z0-9._~!$&'()*+,;=%-]*|\[[0-9A-Fa-f:.]+\])(?::\d{0,5})?")


NO_HEADERS: Mapping[bytes, bytes] = MappingProxyType({})

# Heads longer than this are read anew each time: a connection that remembers one holds that many bytes.
_MAX_KNOWN = 4096


class RequestHead:
    """What the request line and the headers say. Requests of one connection with the same head share one.

    ``told`` has the header fields that mean anything to this server, by their names in lower case.
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
        "timeout_s",
        "told",
        "trace",
    )

    def __init__(
        self, method: str, target: bytes, is_http_10: bool = False, told: Mapping[bytes, bytes] = NO_HEADERS
    ) -> None:
        self.method = method
        self.path, _, self.query = target.partition(b"?")
        self.is_http_10 = is_http_10
        self.told = told
        self.content_type = told.get(b"content-type", b"").decode("latin-1")
        self.is_json = self.content_type == "application/json" and not self.query and b"content-encoding" not in told
        """Whether the body is JSON, and nothing else is to be looked at."""
        self.origin = told.get(b"origin", b"")
        wait = told.get(b"x-envoy-expected-rq-timeout-ms", b"")
        self.timeout_s = int(wait[:9]) / 1000 if wait.isdigit() else 0.0
        """How long the gateway waits for an answer; 0 where it does not say."""

        self.trace = trace(told) if b"traceparent" in told else None
        """The trace that it belongs to."""
        self.headers = b"" if self.trace is None else self.trace.lines()
        """What stands in each answer to it."""

    def __repr__(self) -> str:
        return f"<RequestHead {self.method} {self.path!r}>"


class Known:
    """A request's head as it came, and how long the whole request was."""

    __slots__ = ("body_at", "head", "length", "text")

    def __init__(self, head: RequestHead, text: bytes, length: int) -> None:
        self.head = head
        self.text = text
        self.body_at = len(text)
        self.length = length


def head(method: str, target: bytes, version: str, fields: Fields) -> RequestHead:
    """What the request line and the known fields say. Raises ``BadRequest`` for what could be read in two ways."""
    told: dict[bytes, bytes] = {}
    for name, value in fields:
        if name in told:
            if name in _ONCE:
                raise BadRequest(f"a request has one {name.decode()}, not two")
            value = told[name] + b", " + value
        told[name] = value
    if version != "1.1" and version != "1.0":
        raise BadRequest("this server speaks HTTP/1.1, HTTP/1.0 and HTTP/2")
    host = told.get(b"host")
    if host is None:
        if version == "1.1":
            raise BadRequest("a request of HTTP/1.1 names its Host")
    elif _HOST.fullmatch(host) is None:
        raise BadRequest("the Host is no name or address")
    coding = told.get(b"transfer-encoding")
    if coding is not None and (version == "1.0" or coding.lower() != b"chunked"):
        raise BadRequest("the only Transfer-Encoding that is taken is chunked, in HTTP/1.1")
    if b"#" in target:
        raise BadRequest("what is asked for has no fragment")
    if not target.startswith(b"/") and target != b"*":
        target = _origin_form(target, host)
    return RequestHead(method, target, version == "1.0", told)


def closes(told: Mapping[bytes, bytes]) -> bool:
    """Whether the client wants the connection to end with this request."""
    return b"close" in told.get(b"connection", b"").lower()


def known(head: RequestHead, data: bytes, body_bytes: int) -> Known | None:
    """The head of the one whole request that ``data`` was; ``None`` where its bytes alone do not say what it is.

    Clients send the same head again and again, and reading it is a third of the work of a small request.
    """
    body_at = data.find(b"\r\n\r\n") + 4
    whole = 4 <= body_at <= _MAX_KNOWN and len(data) - body_at == body_bytes
    return Known(head, data[:body_at], len(data)) if whole and _plainly_framed(head.told, body_bytes) else None


def _plainly_framed(told: Mapping[bytes, bytes], body_bytes: int) -> bool:
    """Whether the request ends after ``body_bytes``, by its length alone, and says nothing of the connection."""
    if b"transfer-encoding" in told or b"expect" in told or closes(told):
        return False
    length = told.get(b"content-length")
    return length == b"%d" % body_bytes if length is not None else not body_bytes


def without_offer(method: bytes, target: bytes, version: str, fields: Fields) -> bytes:
    """The same head without the offer of another protocol, as bytes."""
    lines = [b"%b: %b\r\n" % field for field in fields if field[0] not in _OF_THE_OFFER]
    if any(name == b"connection" and b"close" in value.lower() for name, value in fields):
        lines.append(b"Connection: close\r\n")
    return b"%b %b HTTP/%b\r\n%b\r\n" % (method, target, version.encode(), b"".join(lines))


def _origin_form(target: bytes, host: bytes | None) -> bytes:
    """The path and query of ``http://host/path?query``, which a client may send to any server (RFC 9112 §3.2.2)."""
    scheme, _, rest = target.partition(b"://")
    authority, slash, path = rest.partition(b"/")
    if scheme.lower() not in (b"http", b"https"):
        raise BadRequest("what is asked for is a path, or the address of one by http")
    if host is not None and authority.lower() != host.lower():
        raise BadRequest("the address that is asked for has another host than the field Host")
    return slash + path if slash else b"/"
