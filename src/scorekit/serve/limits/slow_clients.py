"""Detects clients that send or read so slowly that they hold a connection for nothing."""


class TransferRate:
    """Measures one direction of a connection over windows of time.

    A timeout for the whole transfer would be wrong: a large body over a slow but honest line takes minutes. A timeout
    between two reads would be wrong too: a client that sends one byte every few seconds would never exceed it. So the
    transfer is divided into windows of some seconds, and each must move a minimum of bytes:

        time  ───────┬───────────────┬───────────────┬──────▶
        bytes        │  enough       │  enough       │ too few: close
                     └ window begins └ next window   └ next window

    A window ends early when enough bytes have moved; the next begins at that moment.
    """

    __slots__ = ("_moved", "_of", "_since")

    def __init__(self) -> None:
        self._of: object = None
        self._moved = 0
        self._since = 0.0

    def __repr__(self) -> str:
        return f"<TransferRate moved={self._moved} since={self._since:g}>"

    def too_slow(self, of: object, moved: int, now: float, window_s: float, bytes_per_s: float) -> bool:
        """Return whether a window has passed in which fewer than ``window_s * bytes_per_s`` bytes moved.

        ``of`` identifies the transfer, ``moved`` is the number of bytes it has moved so far. The first call for a new
        transfer begins its first window.
        """
        if of != self._of or moved - self._moved > window_s * bytes_per_s:
            self._of, self._moved, self._since = of, moved, now
        return now - self._since > window_s
