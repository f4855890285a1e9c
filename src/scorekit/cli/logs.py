"""The log on standard error: one line an event, whatever clients and models put into it."""

import logging
import re
import sys

# All that a terminal or a reader of lines could take for more than text; a line end is one of them.
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def escaped(text: str) -> str:
    """``text`` on one line, without a character that is more than text."""
    return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)


class Escaping(logging.Formatter):
    """No record looks like two: a message is one line, and the lines of a traceback are set off."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  logging's name
        return escaped(super().formatMessage(record))

    def formatException(self, ei: "logging._SysExcInfoType") -> str:  # noqa: N802  as above
        return "\n".join(f"  | {escaped(line)}" for line in super().formatException(ei).split("\n"))

    def formatStack(self, stack_info: str) -> str:  # noqa: N802  as above
        return "\n".join(f"  | {escaped(line)}" for line in stack_info.split("\n"))


def start_logging(level: str) -> None:
    """Log from ``level`` up."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Escaping("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=level, handlers=[handler])
