"""How much a client may ask for nothing."""

import logging
import time

from ...settings.limits import MAX_IDLE_PER_S, MAX_RESETS_PER_S
from .frames import ErrorCode, Http2Error

log = logging.getLogger(__name__)


# A client opens its windows for what it has read; Envoy's number, and what all may have at the beginning.
_MAX_WINDOWS_PER_DATA = 10
_MIN_WINDOWS = 5000


class FloodGuard:
    """What one connection has asked for nothing in this second. Raises ``Fault`` where it is too much."""

    def __init__(self) -> None:
        self._since = 0.0
        self._resets = self._idle = self._windows = 0

    def __repr__(self) -> str:
        return f"<FloodGuard resets={self._resets} idle={self._idle}>"

    def reset(self) -> None:
        """A stream was taken back, or the client has had us reset it (CVE-2025-8671)."""
        self._begin()
        self._resets += 1
        if self._resets > MAX_RESETS_PER_S:
            log.warning("http2.calmed resets_per_s=%d", self._resets)
            raise Http2Error(ErrorCode.ENHANCE_YOUR_CALM, "too many streams taken back")

    def idle(self, times: int = 1) -> None:
        """A frame has come that only asks for attention."""
        self._begin()
        self._idle += times
        if self._idle > MAX_IDLE_PER_S:
            log.warning("http2.calmed idle_frames_per_s=%d", self._idle)
            raise Http2Error(ErrorCode.ENHANCE_YOUR_CALM, "too many frames that ask for nothing")

    def _begin(self) -> None:
        now = time.monotonic()
        if now - self._since > 1:
            self._since, self._resets, self._idle = now, 0, 0

    def window(self, sent: int) -> None:
        """A window was opened, when so many DATA frames have been sent in all."""
        self._windows += 1
        if self._windows > _MIN_WINDOWS + _MAX_WINDOWS_PER_DATA * sent:
            log.warning("http2.calmed window_updates=%d data_frames=%d", self._windows, sent)
            raise Http2Error(ErrorCode.ENHANCE_YOUR_CALM, "too many windows for so few answers")
