"""W3C Trace Context: which trace a request belongs to."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

# version-traceid-spanid-flags, in lower-case hexadecimal (§3.2 of the recommendation). Version ff and ids of zeros are
# invalid. Later versions may append fields after another dash; version 00 must not.
_PARENT = re.compile(rb"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_STATE = re.compile(rb"[\x20-\x7e\t]{0,512}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """The contents of ``traceparent`` and ``tracestate``."""

    parent: bytes
    """The whole ``traceparent``, as it came."""
    state: bytes
    """The whole ``tracestate``, as it came; empty if there is none."""
    trace_id: str
    """32 hexadecimal digits."""
    span_id: str
    """16 hexadecimal digits: the caller's span."""
    sampled: bool
    """Whether the caller records the trace."""

    def lines(self) -> bytes:
        """Return complete HTTP/1.1 header lines that carry the trace as it came."""
        state = b"tracestate: %b\r\n" % self.state if self.state else b""
        return b"traceparent: %b\r\n%b" % (self.parent, state)

    def fields(self) -> tuple[tuple[bytes, bytes], ...]:
        """Return the same as header fields of HTTP/2."""
        state = ((b"tracestate", self.state),) if self.state else ()
        return ((b"traceparent", self.parent), *state)


def trace(headers: Mapping[bytes, bytes]) -> Trace | None:
    """Return the trace of a request. A malformed ``traceparent`` counts as none, and its ``tracestate`` too.

    Nothing that is returned can end a header line or a line of the log: it comes back in the answer.
    """
    parent = headers.get(b"traceparent")
    match = _PARENT.fullmatch(parent) if parent is not None and len(parent) <= 200 else None
    if parent is None or match is None or (match[1] == b"00" and match[5]):
        return None
    if match[5] and not _STATE.fullmatch(match[5]):
        return None
    state = headers.get(b"tracestate", b"")
    if not _STATE.fullmatch(state):
        state = b""
    return Trace(
        parent=parent,
        state=state,
        trace_id=match[2].decode(),
        span_id=match[3].decode(),
        sampled=bool(int(match[4], 16) & 1),
    )
