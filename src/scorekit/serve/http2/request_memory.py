"""Bytes of requests that one HTTP/2 connection holds."""

from ...settings.limits import MAX_HELD_BYTES
from ..limits.memory import Budget
from .frames import ErrorCode, Http2Error
from .streams import Stream


class RequestMemory:
    """Counts the bodies of unanswered requests.

    Flow control alone does not bound them: a window is opened again when its bytes have arrived here, not when they are
    answered. So 128 streams of 4 MB messages could hold half a gigabyte for one client.
    """

    __slots__ = ("_budget", "held")

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self.held = 0
        """Bytes of all streams of the connection."""

    def check(self, stream: Stream, more: int) -> None:
        """Reserve ``more`` bytes for a stream. Raises ``Http2Error`` if they are too many.

        A single request may be of any size up to the limit of messages; what is limited is what piles up beside it. A
        stream that does not fit into the worker's budget is refused unprocessed, so that the client may try it
        elsewhere (RFC 9113 §8.7).
        """
        held = stream.held + more
        if self.held + more > MAX_HELD_BYTES and self.held > stream.held:
            raise Http2Error(ErrorCode.ENHANCE_YOUR_CALM, "too many bytes of unanswered requests", stream.id)
        if held > Budget.FREE:
            charged = more if stream.held > Budget.FREE else held
            if not self._budget.has(charged):
                raise Http2Error(
                    ErrorCode.REFUSED_STREAM,
                    "this server has no memory left for request bodies; try again later",
                    stream.id,
                )
            self._budget.held += charged

    def release(self, stream: Stream) -> None:
        """Give back what a stream holds."""
        self.held -= stream.held
        if stream.held > Budget.FREE:
            self._budget.held -= stream.held
