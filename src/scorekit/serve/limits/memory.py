"""How many bytes of requests one worker holds, of all its clients together."""


class Budget:
    """A number of bytes that is shared. Small bodies are not counted: there are only so many connections."""

    __slots__ = ("held", "most")

    FREE = 64 * 1024
    """Up to this size a body is not counted."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.held = 0

    def __repr__(self) -> str:
        return f"<Budget {self.held} of {self.most}>"

    def has(self, more: int) -> bool:
        """Whether ``more`` bytes may be held besides."""
        return self.held + more <= self.most
