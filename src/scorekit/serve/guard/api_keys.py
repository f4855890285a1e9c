"""API keys: only requests that carry one are answered. Off unless there are any.

Keys are compared as SHA-256 digests, and a key that was sent is compared with every valid key, by
``hmac.compare_digest``. So neither the length of a key nor its place in the file shows in the time that this takes.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from ...errors import SetupError, Unauthenticated
from ..grpc import ANSWER, status
from ..http1 import Exchange
from ..http2 import Headers, Stream, StreamHandler, StreamListener

# Kubelets and gateways request these, and have no key.
_OPEN_PATHS = frozenset({b"/health/ping", b"/health/status", b"/api/v1.0/health/status"})
_OPEN_CALLS = b"/grpc.health.v1.Health/"

_REMEDY = "send an API key: the header X-API-Key, or Authorization: Bearer"


class ApiKeys:
    """The valid keys. There may be several, so that one can be replaced while clients still use another."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._digests: list[bytes] = []
        self.replace(keys)

    def __repr__(self) -> str:
        return f"<ApiKeys {len(self._digests)}>"

    def replace(self, keys: Iterable[str]) -> None:
        """Accept only these keys from now on."""
        self._digests = [hashlib.sha256(key.encode()).digest() for key in keys]

    def allow(self, headers: Mapping[bytes, bytes]) -> bool:
        """Return whether the headers carry a valid key. An invalid key takes as long as a valid one."""
        sent = headers.get(b"x-api-key")
        if sent is None:
            scheme, _, sent = headers.get(b"authorization", b"").partition(b" ")
            if scheme.lower() != b"bearer":
                return False
        digest = hashlib.sha256(sent.strip()).digest()
        valid = False
        for each in self._digests:
            valid |= hmac.compare_digest(each, digest)
        return valid


def parse_keys(text: str) -> list[str]:
    """Return the keys in a text: one a line or between commas; blank lines and ``#`` comments are ignored."""
    lines = (line.strip() for line in text.splitlines())
    return [key for line in lines if not line.startswith("#") for key in map(str.strip, line.split(",")) if key]


def load_keys(file: str, variable: str) -> list[str]:
    """Return the keys in the file named ``file``, or else in the text ``variable``; none if both are empty.

    Raises ``SetupError`` if a file or a text is given and has no key, or the file cannot be read: a server that should
    ask for keys must not be open by mistake.
    """
    if not file:
        keys = parse_keys(variable)
        if variable and not keys:
            raise SetupError("API_KEYS contains no API key")
        return keys
    try:
        keys = parse_keys(Path(file).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"the API keys cannot be read from {file}: {type(error).__name__}") from error
    if not keys:
        raise SetupError(f"{file} contains no API key; write one on each line")
    return keys


def require_key(
    handler: Callable[[Exchange], None], refuse: Callable[[Exchange, Unauthenticated], None], keys: ApiKeys
) -> Callable[[Exchange], None]:
    """Return a handler of REST exchanges that refuses requests without a valid key.

    Health checks need none, nor does OPTIONS: a browser sends a preflight request without the page's headers.
    """

    def handle(exchange: Exchange) -> None:
        head = exchange.head
        if keys.allow(head.headers) or head.path in _OPEN_PATHS or head.method == "OPTIONS":
            handler(exchange)
        else:
            exchange.response_headers += b"WWW-Authenticate: Bearer\r\n"
            refuse(exchange, Unauthenticated(_REMEDY))

    return handle


def require_key_for_calls(handler: StreamHandler, keys: ApiKeys) -> StreamHandler:
    """Return a handler of gRPC calls that refuses calls without a valid key in metadata of the same names."""

    def handle(stream: Stream, headers: Headers) -> StreamListener:
        if keys.allow(headers) or headers.get(b":path", b"").startswith(_OPEN_CALLS):
            return handler(stream, headers)
        stream.start(ANSWER + status.of(Unauthenticated(_REMEDY)), end=True)
        return StreamListener()

    return handle
