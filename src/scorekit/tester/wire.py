"""What goes to a server under test and what comes back, whatever carries it."""

import json
from dataclasses import dataclass
from typing import Any, Protocol

from ..errors import ScorekitError


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. ``message`` is a SeldonMessage as plain JSON values; ``str`` is a body to be sent as it stands.

    ``other``: over the second protocol, where a server is asked over two.
    """

    message: Any
    verb: str = "predict"
    other: bool = False

    def body(self) -> bytes:
        text = self.message if isinstance(self.message, str) else json.dumps(self.message)
        return text.encode("utf-8", "surrogatepass")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: an HTTP status (a gRPC transport translates its codes) and JSON bytes.

    ``places``: whether the request had places that a refusal could name; bytes that are no message have none.
    """

    status: int
    body: bytes
    places: bool = True

    @property
    def no_route(self) -> bool:
        """Whether there is no such route: the stock wrapper says so with a 500 that tells of a 404 or 405."""
        stock = self.status == 500 and (b"404 Not Found" in self.body or b"405 Method Not Allowed" in self.body)
        return self.status in (404, 405) or stock


class NoAnswer(ScorekitError):
    """The server took the request and gave no answer to it. ``hung``: it still held it when the time was up."""

    def __init__(self, message: str, hung: bool) -> None:
        self.hung = hung
        super().__init__(message)


class Unsendable(ScorekitError):
    """A request that this protocol has no form for, such as JSON that breaks off over gRPC."""


class Unreachable(ScorekitError):
    """Nobody listens there, or what listens is no model server: nothing can be tested."""


class Transport(Protocol):
    """A way to a server: ``scorekit.client`` has one for REST and one for gRPC."""

    def where(self, verb: str, /) -> str:
        """The address that ``verb`` is asked at."""

    def send(self, ask: Ask, /) -> Answer:
        """The server's answer. Raises ``NoAnswer``, ``Unsendable`` or ``Unreachable``; never waits for ever."""
