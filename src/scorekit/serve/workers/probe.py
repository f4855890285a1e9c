"""The first predictions of a worker, of rows of its contract: they warm the model up, and show whether it works."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ...codec.tensor import from_ndarray
from ...contract.columns import Contract
from ...errors import ComponentError, RequestError
from ...inference.batch_trial import MAX_ROWS, Verdict, try_batching
from ...inference.executor import Executor
from ...message import Verb
from ...model.component import Component

log = logging.getLogger(__name__)

AGAIN_S = 5.0
"""A model that failed its probe is asked again so often, until it answers."""


@dataclass(slots=True)
class Probe:
    """What ``component`` makes of rows of ``contract``; without one, or without ``predict``, nothing is tried."""

    component: Component
    contract: Contract | None
    took: dict[str, float] = field(default_factory=dict)
    """Seconds by step."""
    call_s: float = 0.0
    """What a call takes, if known."""
    failed: bool = False
    """Whether the model broke on a row that its contract describes."""
    _rows: Any = None
    _names: Any = None

    def first(self) -> None:
        """Predict for the first time, and for the second."""
        contract = self.contract
        if contract is None or self.component.hooks[Verb.PREDICT].method is None:
            return
        self._rows, self._names = from_ndarray(contract.rows(MAX_ROWS), "contract.json"), contract.feature_names()
        began = time.perf_counter()
        if self.answers():
            self.took["first prediction"] = time.perf_counter() - began
            began = time.perf_counter()
            self.answers()
            self.call_s = time.perf_counter() - began

    def answers(self) -> bool:
        """Whether the model answers one row; one that it refuses on purpose is an answer."""
        self.failed = False
        try:
            self.component.predict(self._rows[:1], self._names)
        except RequestError as error:
            self.failed = isinstance(error, ComponentError)
            log.warning("probe.failed cause=%r: the model refuses a row of its contract", error.__cause__ or error)
            return False
        return True

    def verdict(self, asked: str) -> Verdict:
        """Whether requests are merged, where ``asked`` is ``on``, ``off`` or ``auto``."""
        if asked == "off":
            return Verdict(False, "")
        if self.component.hooks_per_call:
            return Verdict(False, "the component has tags() or metrics(), which can tell one call from two")
        if asked == "on":
            return Verdict(True, "BATCHING=on")
        if self._rows is None:
            return Verdict(False, "there is no contract.json with rows to try predict on")
        began = time.perf_counter()
        verdict = try_batching(self.component.predict, self._rows, self._names)
        self.took["batch proof"] = time.perf_counter() - began
        return verdict


class Retrial:
    """A probe made again, as a task of the lane's. ``done`` is told whether the model works now."""

    def __init__(self, probe: Probe, done: Callable[[bool], None]) -> None:
        self._probe = probe
        self._done = done

    def __repr__(self) -> str:
        return f"<Retrial failed={self._probe.failed}>"

    def begin(self) -> bool:
        return True

    def run(self) -> None:
        self._probe.answers()

    def finish(self) -> None:
        self._done(not self._probe.failed)

    def give_up(self, why: RequestError) -> None:
        """Nobody waits."""


def until_it_works(
    probe: Probe, lane: Executor, later: Callable[[float, Callable[[], None]], object], works: Callable[[], None]
) -> None:
    """Ask the model again, ``later`` and on ``lane``, until it answers; then call ``works``."""

    def again() -> None:
        lane.submit(Retrial(probe, lambda good: works() if good else ask_later()))

    def ask_later() -> None:
        later(AGAIN_S, again)

    ask_later()
