"""The access log: a line of JSON for each request, without anything that was in it."""

import contextlib
import os
from datetime import UTC, datetime
from typing import Any

import orjson

from .finished import FinishedRequest
from .references import printable


def line(seen: FinishedRequest) -> bytes:
    """One line, however the request was written: what is no printable ASCII is escaped, and long paths are cut."""
    entry: dict[str, Any] = {
        "time": datetime.fromtimestamp(seen.began, UTC).isoformat(timespec="milliseconds"),
        "protocol": seen.protocol,
        "method": printable(seen.method.encode("latin-1", "replace")),
        "path": printable(seen.path),
        "status": seen.status,
        "ms": round(seen.seconds * 1000, 3),
        "in_bytes": seen.in_bytes,
        "out_bytes": seen.out_bytes,
        "peer": seen.peer,
    }
    if seen.grpc is not None:
        entry["grpc_status"] = seen.grpc
    if seen.trace is not None:
        entry["trace_id"], entry["span_id"] = seen.trace.trace_id, seen.trace.span_id
    if seen.reference:
        entry["reference"] = seen.reference
    return orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE)


def write(seen: FinishedRequest) -> None:
    """Write the line to standard output, in one piece, so that lines of several workers do not mix."""
    with contextlib.suppress(OSError):  # nobody reads the log; requests are answered all the same
        os.write(1, line(seen))
