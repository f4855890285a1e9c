"""The time limits of one HTTP/1.1 connection."""

from ..limits.open_connections import ClientTimeouts
from ..limits.slow_clients import TransferRate


class ConnectionTiming:
    """When a client was last heard, and how fast it sends and reads.

    ``watch`` looks at each connection once a second. A timer for each request would cost more than a small request
    does, so the connection only sets ``heard`` and counts ``written``, and the clock is read here.
    """

    __slots__ = ("_head_of", "_quiet_since", "_receiving", "_sending", "heard", "written")

    def __init__(self) -> None:
        self.heard = True
        """Whether bytes have arrived since the last look."""
        self.written = 0
        """Bytes of answers that were handed to the transport so far."""
        self._quiet_since = 0.0
        self._head_of = 0  # the request whose head was unfinished at the last look
        self._sending, self._receiving = TransferRate(), TransferRate()

    def quiet_s(self, now: float, head_of: int) -> float:
        """Return for how many seconds the client has sent nothing that counts.

        ``head_of`` is the number of the request whose head is unfinished, 0 if there is none. A head has one time limit
        for all of it: bytes that trickle in do not extend it, or a client could hold a connection with a byte now and
        then (Slowloris). A connection that is within a head at each look, but each time another one, is busy, not slow.
        """
        if self.heard:
            if not head_of or head_of != self._head_of:
                self._quiet_since = now
            self.heard = False
        self._head_of = head_of
        return now - self._quiet_since

    def reads_too_slowly(self, unsent: int, now: float, timeouts: ClientTimeouts) -> bool:
        """Return whether the client takes its answers too slowly. ``unsent`` is the size of the write buffer."""
        moved = self.written - unsent
        slow = self._sending.too_slow(unsent > 0, moved, now, timeouts.write_s, timeouts.bytes_per_s)
        return slow and unsent > 0

    def sends_too_slowly(self, body_of: int, received: int, now: float, timeouts: ClientTimeouts) -> bool:
        """Return whether a body comes too slowly.

        ``body_of`` is the number of the request whose body is unfinished, 0 if there is none. ``received`` counts the
        bytes of the body so far.
        """
        slow = self._receiving.too_slow(body_of, received, now, timeouts.body_s, timeouts.bytes_per_s)
        return slow and body_of > 0
