"""W3C Trace Context: which trace a request belongs to."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_PARENT = re.compile(rb"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_STATE = re.compile(rb"[\x20-\x7e\t]{0,512}")


@dataclass(frozen=True, slots=True)
class Trace:
    """What ``traceparent`` and ``tracestate`` say."""

    parent: bytes
    state: bytes
    trace_id: str
    span_id: str
    sampled: bool

    def lines(self) -> bytes:
        """Header lines that tell it to the caller as it came."""
        state = b"tracestate: %b\r\n" % self.state if self.state else b""
        return b"traceparent: %b\r\n%b" % (self.parent, state)

    def fields(self) -> tuple[tuple[bytes, bytes], ...]:
        """The same as header fields."""
        state = ((b"tracestate", self.state),) if self.state else ()
        return ((b"traceparent", self.parent), *state)


def trace(told: Mapping[bytes, bytes]) -> Trace | None:
    """The trace of a request by its header fields; what is malformed is none, and its state with it."""
    parent = told.get(b"traceparent")
    match = _PARENT.fullmatch(parent) if parent is not None and len(parent) <= 200 else None
    if parent is None or match is None or (match[1] == b"00" and match[5]):
        return None
    if match[5] and not _STATE.fullmatch(match[5]):
        return None
    state = told.get(b"tracestate", b"")
    if not _STATE.fullmatch(state):
        state = b""
    return Trace(parent, state, match[2].decode(), match[3].decode(), bool(int(match[4], 16) & 1))
