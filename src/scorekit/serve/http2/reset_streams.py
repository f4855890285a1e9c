"""Streams that this side has reset, and whose frames may still arrive."""

# The client sends nothing for a stream after it has read our RST_STREAM. What it had sent before then must be ignored
# (RFC 9113 §5.1, "closed"); this many of the newest resets are remembered for it.
_MAX_REMEMBERED = 1000


class ResetStreams:
    """The numbers of the streams that were reset last."""

    __slots__ = ("_numbers",)

    def __init__(self) -> None:
        self._numbers: dict[int, None] = {}  # a set in the order of insertion

    def __contains__(self, number: int) -> bool:
        return number in self._numbers

    def add(self, number: int) -> None:
        """Remember a stream, and forget the oldest if there are too many."""
        self._numbers[number] = None
        if len(self._numbers) > _MAX_REMEMBERED:
            del self._numbers[next(iter(self._numbers))]
