"""How many bytes of requests one worker holds, for all its clients together."""


class Budget:
    """A shared number of bytes.

    Bodies of up to ``FREE`` bytes are not counted: there are at most as many of them as connections, and the number of
    connections has a limit of its own.
    """

    __slots__ = ("held", "most")

    FREE = 64 * 1024
    """The largest body, in bytes, that is not counted."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.held = 0

    def __repr__(self) -> str:
        return f"<Budget {self.held} of {self.most}>"

    def has(self, more: int) -> bool:
        """Return whether ``more`` bytes fit into the budget."""
        return self.held + more <= self.most
