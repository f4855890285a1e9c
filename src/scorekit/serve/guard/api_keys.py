"""Who may ask: API keys, compared in constant time. Off unless there are any."""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from ...errors import SetupError, Unauthenticated
from ..grpc import status
from ..grpc.calls import ANSWER
from ..http1.exchange import Exchange
from ..http2.header_fields import Headers
from ..http2.streams import Stream, StreamHandler, StreamListener

# Kubelets and gateways ask these without a key.
_OPEN = frozenset({b"/health/ping", b"/health/status", b"/api/v1.0/health/status"})
_OPEN_CALLS = b"/grpc.health.v1.Health/"

_WHAT_TO_DO = "send an API key: the header X-API-Key, or Authorization: Bearer"


class Keys:
    """The keys that are good. Any number of them, so that one can be replaced while clients still use another."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._digests: list[bytes] = []
        self.replace(keys)

    def __repr__(self) -> str:
        return f"<Keys {len(self._digests)}>"

    def replace(self, keys: Iterable[str]) -> None:
        """Only these are good from now on."""
        self._digests = [hashlib.sha256(key.encode()).digest() for key in keys]

    def allow(self, told: Mapping[bytes, bytes]) -> bool:
        """Whether the header fields ``told`` have a good key. Takes as long for a bad one as for a good one."""
        sent = told.get(b"x-api-key")
        if sent is None:
            scheme, _, sent = told.get(b"authorization", b"").partition(b" ")
            if scheme.lower() != b"bearer":
                return False
        digest = hashlib.sha256(sent.strip()).digest()
        good = False
        for each in self._digests:
            good |= hmac.compare_digest(each, digest)
        return good


def read_keys(text: str) -> list[str]:
    """One key a line or between commas; blank lines and those that begin with ``#`` are passed over."""
    lines = (line.strip() for line in text.splitlines())
    return [key for line in lines if not line.startswith("#") for key in map(str.strip, line.split(",")) if key]


def keys_of(file: str, variable: str) -> list[str]:
    """The keys of the file named ``file``, or else of the text ``variable``; none where neither is given.

    Raises ``SetupError`` for a file that cannot be read or has none: a server that was to be closed must not be open.
    """
    if not file:
        found = read_keys(variable)
        if variable and not found:
            raise SetupError("API_KEYS has no key in it")
        return found
    try:
        found = read_keys(Path(file).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"the API keys cannot be read from {file}: {type(error).__name__}") from error
    if not found:
        raise SetupError(f"{file} has no API key in it: one a line")
    return found


def guarded(
    handler: Callable[[Exchange], None], refuse: Callable[[Exchange, Unauthenticated], None], keys: Keys
) -> Callable[[Exchange], None]:
    """``handler`` for those who have a key; health is for everybody, and so is a browser's question before it asks."""

    def handle(exchange: Exchange) -> None:
        head = exchange.head
        if keys.allow(head.headers) or head.path in _OPEN or head.method == "OPTIONS":
            handler(exchange)
        else:
            exchange.response_headers += b"WWW-Authenticate: Bearer\r\n"
            refuse(exchange, Unauthenticated(_WHAT_TO_DO))

    return handle


def guarded_calls(handler: StreamHandler, keys: Keys) -> StreamHandler:
    """The same over gRPC, where the key stands in metadata of the same names."""

    def handle(stream: Stream, head: Headers) -> StreamListener:
        if keys.allow(head) or head.get(b":path", b"").startswith(_OPEN_CALLS):
            return handler(stream, head)
        stream.start(ANSWER + status.of(Unauthenticated(_WHAT_TO_DO)), end=True)
        return StreamListener()

    return handle
