"""The header fields of an HTTP/1.1 request: which mean anything here, and which two servers could read in two ways.

httptools (llhttp) has refused most of what is malformed before: a length beside chunks, two lengths, folded or broken
lines, blanks before a colon. What it lets pass, and a gateway may read in another way, is refused here (RFC 9112).
"""

import re
from collections.abc import Mapping

from ...errors import BadRequest
from .exchange import RequestHead

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


def plainly_framed(told: Mapping[bytes, bytes], body_bytes: int) -> bool:
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
