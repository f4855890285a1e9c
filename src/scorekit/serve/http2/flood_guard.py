"""Flood protection: limits HTTP/2 frames that cost work but carry no request.

All of these frames are legal. Each costs the client a few bytes and the server some work, and HTTP/2's flow control,
which covers DATA only, holds none of them back. So each kind has a limit, and a connection that exceeds one ends with
GOAWAY ENHANCE_YOUR_CALM (RFC 9113 §10.5):

* streams that the client resets, or makes us reset, above ``MAX_RESETS_PER_S``: rapid reset (CVE-2023-44487) and "made
  you reset" (CVE-2025-8671). The limit of open streams does not help here, for a stream that is reset at once is open
  for no time, while its request may already be with the model.
* PING, SETTINGS and each setting in it, PRIORITY, GOAWAY, frames of unknown types and empty DATA above
  ``MAX_IDLE_PER_S`` together: the floods of 2019 (CVE-2019-9512 pings, -9515 settings, -9518 empty frames).
* WINDOW_UPDATE above 5000 and ten for each DATA frame that was sent to the client, which is Envoy's
  ``max_inbound_window_update_frames_per_data_frame_sent``.

CONTINUATION has limits of its own, in :mod:`~scorekit.serve.http2.incoming`.
"""

import logging
import time

from ...settings.limits import MAX_IDLE_PER_S, MAX_RESETS_PER_S
from .frames import ErrorCode, Http2Error

log = logging.getLogger(__name__)

# A client updates its windows as it reads answers, so its updates grow with the DATA frames that it is sent. The first
# 5000 are free, for a client may open windows before its first answer.
_MAX_WINDOWS_PER_DATA = 10
_MIN_WINDOWS = 5000


class FloodGuard:
    """Counts the frames of one connection. Each method raises ``Http2Error`` once its limit is exceeded."""

    def __init__(self) -> None:
        self._since = 0.0
        self._resets = self._idle = self._windows = 0

    def __repr__(self) -> str:
        return f"<FloodGuard resets={self._resets} idle={self._idle}>"

    def reset(self) -> None:
        """Count a stream that the client has reset, or has made us reset."""
        self._begin()
        self._resets += 1
        if self._resets > MAX_RESETS_PER_S:
            log.warning("http2.calmed resets_per_s=%d", self._resets)
            raise Http2Error(ErrorCode.ENHANCE_YOUR_CALM, "too many resets of streams")

    def idle(self, times: int = 1) -> None:
        """Count frames that carry no part of a request."""
        self._begin()
        self._idle += times
        if self._idle > MAX_IDLE_PER_S:
            log.warning("http2.calmed idle_frames_per_s=%d", self._idle)
            raise Http2Error(ErrorCode.ENHANCE_YOUR_CALM, "too many frames that carry no request")

    def window(self, data_frames: int) -> None:
        """Count a WINDOW_UPDATE. ``data_frames`` is the number of DATA frames that were sent to the client so far."""
        self._windows += 1
        if self._windows > _MIN_WINDOWS + _MAX_WINDOWS_PER_DATA * data_frames:
            log.warning("http2.calmed window_updates=%d data_frames=%d", self._windows, data_frames)
            raise Http2Error(ErrorCode.ENHANCE_YOUR_CALM, "too many WINDOW_UPDATE frames")

    def _begin(self) -> None:
        now = time.monotonic()
        if now - self._since > 1:
            self._since, self._resets, self._idle = now, 0, 0
