"""What is sent to a server under test and what it answers, whatever the protocol."""

import json
from dataclasses import dataclass
from typing import Any, Protocol

from ..errors import ScorekitError


@dataclass(frozen=True, slots=True)
class Query:
    """One request. ``message`` is a SeldonMessage as plain JSON values; a ``str`` is a body to send as it is.

    ``other`` sends it over the second protocol of a server that is tested over two.
    """

    message: Any
    verb: str = "predict"
    other: bool = False

    def body(self) -> bytes:
        """The body of an HTTP request."""
        text = self.message if isinstance(self.message, str) else json.dumps(self.message)
        return text.encode("utf-8", "surrogatepass")


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP status (the gRPC client translates its codes) and a body of JSON.

    ``places`` is false if a refusal of the request cannot name a place in it, because it was not even a message.
    """

    status: int
    body: bytes
    places: bool = True

    @property
    def no_route(self) -> bool:
        """Whether the server has no such route.

        The stock wrapper (seldon-core 1.17.1) turns Flask's 404 and 405 into a 500 whose text still has the old status.
        """
        stock = self.status == 500 and (b"404 Not Found" in self.body or b"405 Method Not Allowed" in self.body)
        return self.status in (404, 405) or stock


class NoAnswer(ScorekitError):
    """The server took the request and did not answer it. ``hung`` is true if it still held it when time was up."""

    def __init__(self, message: str, hung: bool) -> None:
        self.hung = hung
        super().__init__(message)


class Unsendable(ScorekitError):
    """The protocol has no form for this request, such as truncated JSON over gRPC."""


class Unreachable(ScorekitError):
    """There is no server at the address, or it is not a model server: nothing can be tested."""


class Transport(Protocol):
    """A way to a server: ``clients.rest`` and ``clients.grpc`` have one each, tests have one in memory."""

    def where(self, verb: str, /) -> str:
        """The address that ``verb`` is sent to."""

    def send(self, query: Query, /) -> Answer:
        """The server's answer, within the client's timeout.

        Raises ``NoAnswer`` if the server does not answer, ``Unsendable`` if the protocol has no form for the query and
        ``Unreachable`` if there is no server.
        """
