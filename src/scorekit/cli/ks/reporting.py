"""The end of ``ks apply`` and ``ks delete``: how far the run got, and interruptions."""

import signal
from typing import TYPE_CHECKING, Any

from .logrus import log
from .terminal import PendingLine

if TYPE_CHECKING:
    from ...deploy import Outcome, WaitResult

INTERRUPTED = 130
"""The exit status after Ctrl-C, as shells have it."""


class interruptible:  # noqa: N801  # reads as a verb: with interruptible():
    """Makes SIGTERM raise ``KeyboardInterrupt`` as Ctrl-C does, so that the command can report how far it got."""

    def __enter__(self) -> None:
        self._before = signal.signal(signal.SIGTERM, self._stop)

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGTERM, self._before)

    def _stop(self, *_: Any) -> None:
        raise KeyboardInterrupt


def report_outcome(outcome: "Outcome", verb: str, why: str, *, is_dry: bool = False) -> None:
    """Log what was done, what was refused and what was not tried, and that a rerun completes it."""
    done = ", ".join(each.title for each in outcome.done) or "nothing"
    refused = ", ".join(title for title, _ in outcome.refused)
    remaining = ", ".join(outcome.remaining)
    log("error", f"{why}. {'would be ' if is_dry else ''}{verb}: {done}")
    if refused:
        log("error", f"refused: {refused}")
    if remaining:
        log("error", f"not {'checked' if is_dry else 'done'}: {remaining}")
    if is_dry:
        log("error", "this was a dry run; nothing was changed")
        return
    log("error", f"run the command again to complete it{' after fixing what was refused' if refused else ''}")


def report_wait(result: "WaitResult", pending: PendingLine, *, state: str, timeout_s: float) -> int:
    """Log what failed and what did not reach ``state`` in time; the exit status that follows from it."""
    pending.clear()
    for title, words in result.failed.items():
        log("error", f"{title} failed: {words}")
    for title, words in result.late.items():
        what = f"is not {state} yet" if result.failed else f"is not {state} after {timeout_s:.0f} s"
        log("error", f"{title} {what}: {words}")
    return 1 if result.failed or result.late else 0
