"""Whether bytes move at all: clients that send or read a drop at a time hold what others could have."""


class Pace:
    """Looked at now and then. Each stretch of time must move so many bytes, or be the end of it."""

    __slots__ = ("_moved", "_of", "_since")

    def __init__(self) -> None:
        self._of: object = None
        self._moved = 0
        self._since = 0.0

    def __repr__(self) -> str:
        return f"<Pace moved={self._moved} since={self._since:g}>"

    def too_slow(self, of: object, moved: int, now: float, stretch_s: float, bytes_per_s: float) -> bool:
        """Whether of the transfer ``of``, ``moved`` bytes so far, a stretch is over in which it has not kept the pace.

        A transfer that is seen for the first time begins its first stretch.
        """
        if of != self._of or moved - self._moved > stretch_s * bytes_per_s:
            self._of, self._moved, self._since = of, moved, now
        return now - self._since > stretch_s
