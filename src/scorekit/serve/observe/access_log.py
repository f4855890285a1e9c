"""The access log: one line of JSON for each request, without anything that was in it."""

import functools
import logging
from datetime import UTC, datetime
from typing import Any

import orjson

from .finished import FinishedRequest
from .lossy_output import LossyOutput
from .references import printable

log = logging.getLogger(__name__)


def line(request: FinishedRequest) -> bytes:
    """Return one line of printable ASCII, whatever the client sent: all else is escaped, and long paths are cut."""
    entry: dict[str, Any] = {
        "time": datetime.fromtimestamp(request.began, UTC).isoformat(timespec="milliseconds"),
        "protocol": request.protocol,
        "method": printable(request.method.encode("latin-1", "replace")),
        "path": printable(request.path),
        "status": request.status,
        "ms": round(request.seconds * 1000, 3),
        "in_bytes": request.in_bytes,
        "out_bytes": request.out_bytes,
        "peer": request.peer,
    }
    if request.grpc_status is not None:
        entry["grpc_status"] = request.grpc_status
    if request.trace is not None:
        entry["trace_id"], entry["span_id"] = request.trace.trace_id, request.trace.span_id
    if request.reference:
        entry["reference"] = request.reference
    return orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE)


def write(request: FinishedRequest) -> None:
    """Write the line to standard output, which does not wait for its reader: lines that it does not take are lost."""
    output = _output()
    output.write(line(request))
    if output.lost and not output.waiting:
        log.warning("access_log.lost lines=%d: standard output was full", output.lost)
        output.lost = 0


@functools.cache
def _output() -> LossyOutput:
    return LossyOutput(1)
