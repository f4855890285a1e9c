"""What commands that deploy show while they work: log lines, colours, and a line that changes."""

import os
import sys
from collections.abc import Sequence

from .logrus import log

_COLOURS = {"-": "31", "+": "32"}  # ANSI red and green


def log_lines(level: str, message: str) -> None:
    """Log each line of a message on its own. logrus' format would make one line with ``\\n`` in it out of them."""
    for line in message.split("\n"):
        log(level, line)


def paint(text: str, sign: str) -> str:
    """``text`` in green for ``+`` and in red for ``-``; unchanged if stdout is no terminal or NO_COLOR is set."""
    colour = _COLOURS.get(sign)
    is_plain = colour is None or not sys.stdout.isatty() or os.environ.get("NO_COLOR")
    return text if is_plain else f"\x1b[{colour}m{text}\x1b[0m"


class PendingLine:
    """Shows what is still waited for: on a terminal one line that changes, elsewhere a log line for each change."""

    def __init__(self) -> None:
        self._last: tuple[tuple[str, str], ...] = ()
        self._is_terminal = sys.stderr.isatty()

    def __call__(self, pending: Sequence[tuple[str, str]]) -> None:
        now = tuple(pending)
        if now == self._last:
            return
        known, self._last = set(self._last), now
        if self._is_terminal:
            text = "; ".join(f"{title}: {words}" for title, words in now)
            room = os.get_terminal_size(sys.stderr.fileno()).columns - 1
            print(f"\r\x1b[K{f'waiting for {text}'[:room] if text else ''}", end="", file=sys.stderr, flush=True)
            return
        for title, words in now:
            if (title, words) not in known:
                log("info", f"waiting for {title}: {words}")

    def clear(self) -> None:
        """Remove the line, before other lines are written."""
        if self._is_terminal and self._last:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
        self._last = ()
