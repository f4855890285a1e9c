"""Checks that are repeated for as long as a worker runs, whatever happens in them."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping

log = logging.getLogger(__name__)


class GuardedCheck:
    """A check that may fail without ending those after it.

    An exception in one check must not end a guard for good: a worker without its time limits, for example, would serve
    on, and any client could then hold connections for ever. The first failure is logged with its traceback; further
    ones are not, until the check has worked again, because a check that fails every second would fill the log.
    """

    def __init__(self, name: str, check: Callable[[], object]) -> None:
        self._name = name
        self._check = check
        self._failing = False

    def __repr__(self) -> str:
        return f"<GuardedCheck {self._name}{' failing' if self._failing else ''}>"

    def run(self) -> bool:
        """Run the check once, and return whether it worked. Does not raise an ``Exception``."""
        try:
            self._check()
        except Exception:
            if not self._failing:
                log.exception("guard.failed name=%s: it goes on", self._name)
            self._failing = True
            return False
        self._failing = False
        return True


async def repeat(name: str, check: Callable[[], object], every_s: float) -> None:
    """Run ``check`` now and every ``every_s`` seconds, until cancelled. An exception is logged and ends nothing."""
    guarded = GuardedCheck(name, check)
    while True:
        guarded.run()
        await asyncio.sleep(every_s)


def run_turns(checks: Mapping[str, Callable[[], object]], go_on: Callable[[], bool], pause_s: float = 0.1) -> None:
    """Run ``checks``, by their names, in turn for as long as ``go_on()``. Without an event loop: they wait themselves.

    After a turn in which one of them has failed there is a pause, because what fails may also have failed to wait.
    """
    guarded = [GuardedCheck(name, check) for name, check in checks.items()]
    while go_on():
        failed = [each for each in guarded if not each.run()]
        if failed:
            time.sleep(pause_s)
