"""The open connections of a server, whatever they speak, as a drain sees them."""

from typing import Protocol


class Member(Protocol):
    """One open connection."""

    @property
    def open_requests(self) -> int:
        """How many requests have come and are not answered."""

    def drain(self) -> None:
        """Tell the client to open no more on this connection; go on answering."""

    def close_if_quiet(self) -> None:
        """Close, unless something is open; then when that is answered."""

    def abort(self) -> None:
        """Close at once, whatever is open."""


Fleet = set[Member]
