"""What goes to a server under test and what comes back, whatever carries it."""

import json
from dataclasses import dataclass
from typing import Any, Protocol

from ..errors import ScorekitError


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. ``message`` is a SeldonMessage as plain JSON values; ``str`` is a body to be sent as it stands."""

    message: Any
    verb: str = "predict"
    content_type: str = "application/json"

    def body(self) -> bytes:
        text = self.message if isinstance(self.message, str) else json.dumps(self.message)
        return text.encode("utf-8", "surrogatepass")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: an HTTP status (a gRPC transport translates its codes) and JSON bytes."""

    status: int
    body: bytes


class NoAnswer(ScorekitError):
    """The server took the request and gave no answer to it. ``hung``: it still held it when the time was up."""

    def __init__(self, message: str, hung: bool) -> None:
        self.hung = hung
        super().__init__(message)


class Unreachable(ScorekitError):
    """Nobody listens there, or what listens is no model server: nothing can be tested."""


class Transport(Protocol):
    """A way to a server. REST is ``scorekit.client``; gRPC fulfils the same protocol."""

    def send(self, ask: Ask, /) -> Answer:
        """The server's answer. Raises ``NoAnswer`` or ``Unreachable``; never waits for ever."""
