"""The log on standard error: each event is one line, whatever clients and models put into it.

A client controls parts of many records: a path, a header, an error of the model that quotes the request. With a line
break in it one record would look like two, and the second could say anything; with escape sequences it could rewrite
the terminal of a person who reads the log. So every such character is written as an escape of Python, ``\\n`` or
``\\x1b``.
"""

import logging
import re

from ..serve.observe.lossy_output import LossyOutput

_LAST_S = 0.2  # how long the end of a process waits for a reader of its last records

# Control characters of ASCII and Latin-1 (but the tab), Unicode's line ends, its marks for writing from right to left,
# and lone surrogates, which cannot be encoded.
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def escaped(text: str) -> str:
    """``text`` on one line, with control characters escaped."""
    return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)


class EscapingFormatter(logging.Formatter):
    """A message is one line; each line of a traceback begins with a bar, so that it does not look like a record."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  logging's name
        return escaped(super().formatMessage(record))

    def formatException(self, ei: "logging._SysExcInfoType") -> str:  # noqa: N802  as above
        return "\n".join(f"  | {escaped(line)}" for line in super().formatException(ei).split("\n"))

    def formatStack(self, stack_info: str) -> str:  # noqa: N802  as above
        return "\n".join(f"  | {escaped(line)}" for line in stack_info.split("\n"))


class LossyHandler(logging.Handler):
    """Writes records to a descriptor without ever waiting for its reader. Those that are lost are counted and told."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._output = LossyOutput(descriptor)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._write(record)
            if (lost := self._output.lost) and not self._output.waiting:
                self._output.lost = 0
                text = f"log.lost records={lost}: standard error was full"
                self._write(logging.LogRecord(__name__, logging.WARNING, __file__, 0, text, None, None))
        except Exception:  # noqa: BLE001  as all handlers: a record that cannot be formatted
            self.handleError(record)

    def flush(self) -> None:
        self._output.flush()

    def close(self) -> None:
        self._output.flush(_LAST_S)
        super().close()

    def _write(self, record: logging.LogRecord) -> None:
        self._output.write(f"{self.format(record)}\n".encode(errors="backslashreplace"))


def start_logging(level: str) -> None:
    """Send records of ``level`` and above to standard error."""
    handler = LossyHandler(2)
    handler.setFormatter(EscapingFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=level, handlers=[handler])
