"""The first predictions of a worker, of rows of its contract.

They do four things before a client can ask. They warm the model up (first calls allocate and import). They show whether
the model answers at all; if not, health checks fail until it does. They measure a call, which decides whether calls run
in the event loop or in a thread. And with ``BATCHING=auto`` they show whether merged rows get the same answers.

The supervisor reports a first prediction that takes longer than ``PROBE_TIMEOUT_S``. Without a contract there are no
rows, and nothing is tried. Nor is it if the class learns or counts, and so must not see rows that nobody has sent:
:attr:`~scorekit.model.Component.unprobed` and ``NO_PROBE`` say so. Such a model counts as ready when it is loaded.
"""

import logging
import time
from collections.abc import Callable
from typing import Any

from ...codec.tensor import from_ndarray
from ...contract.columns import Contract
from ...errors import ComponentError, RequestError
from ...inference import Executor
from ...inference.batch_trial import MAX_ROWS, Verdict, try_batching
from ...message import Verb
from ...model import Component

log = logging.getLogger(__name__)

RETRY_S = 5.0
"""How long to wait before a model that has failed is tried again."""


class ModelProbe:
    """Predictions of ``component`` for rows of ``contract``; nothing is tried without either, nor if ``forbidden``."""

    def __init__(self, component: Component, contract: Contract | None, forbidden: bool = False) -> None:
        self._component = component
        self._contract = contract
        self._forbidden = forbidden
        self._rows: Any = None  # (rows, columns), from the contract
        self._names: Any = None
        self.took: dict[str, float] = {}
        """Seconds by step."""
        self.call_s = 0.0
        """Seconds that a call takes; 0 if not known."""
        self.failed = False
        """Whether the model has failed on a row that its contract describes."""

    def __repr__(self) -> str:
        return f"<ModelProbe failed={self.failed} call_s={self.call_s:g}>"

    def first(self) -> None:
        """Predict one row twice: the first call warms the model up, the second is measured."""
        contract = self._contract
        if contract is None or self._component.hooks[Verb.PREDICT].method is None:
            return
        if why := self._why_not:
            log.info("probe.left_out: %s", why)
            return
        self._rows, self._names = from_ndarray(contract.rows(MAX_ROWS), "contract.json"), contract.feature_names()
        began = time.perf_counter()
        if self.answers():
            self.took["first prediction"] = time.perf_counter() - began
            began = time.perf_counter()
            self.answers()
            self.call_s = time.perf_counter() - began

    @property
    def _why_not(self) -> str:
        return "NO_PROBE=true" if self._forbidden else self._component.unprobed

    def answers(self) -> bool:
        """Predict one row, and return whether there is an answer.

        A model that refuses the row on purpose (an error that it declares) does not count as failed.
        """
        self.failed = False
        try:
            self._component.predict(self._rows[:1], self._names)
        except RequestError as error:
            self.failed = isinstance(error, ComponentError)
            log.warning("probe.failed cause=%r: the model refuses a row of its contract", error.__cause__ or error)
            return False
        return True

    def verdict(self, asked: str) -> Verdict:
        """Return whether requests are merged, if ``asked`` is ``on``, ``off`` or ``auto``."""
        if asked == "off":
            return Verdict(False, "")
        if self._component.hooks_per_call:
            return Verdict(False, "the component has tags() or metrics(), which can tell one call from two")
        if asked == "on":
            return Verdict(True, "BATCHING=on")
        if why := self._why_not:
            return Verdict(False, why)
        if self._rows is None:
            return Verdict(False, "there is no contract.json with rows to try predict on")
        began = time.perf_counter()
        verdict = try_batching(self._component.predict, self._rows, self._names)
        self.took["batch proof"] = time.perf_counter() - began
        return verdict


class ProbeRetry:
    """A probe that is repeated, as a task of the executor. ``done`` is called with whether the model works now."""

    def __init__(self, probe: ModelProbe, done: Callable[[bool], None]) -> None:
        self._probe = probe
        self._done = done

    def __repr__(self) -> str:
        return f"<ProbeRetry failed={self._probe.failed}>"

    def begin(self) -> bool:
        return True

    def drop_abandoned(self) -> bool:
        return False

    def run(self) -> None:
        self._probe.answers()

    def finish(self) -> None:
        self._done(not self._probe.failed)

    def give_up(self, why: RequestError) -> None:
        """Do nothing: no client waits for a probe."""


def retry_until_it_works(
    probe: ModelProbe,
    executor: Executor,
    call_later: Callable[[float, Callable[[], None]], object],
    works: Callable[[], None],
) -> None:
    """Repeat the probe every few seconds, as a task of ``executor``, until the model answers; then call ``works``."""

    def again() -> None:
        executor.submit(ProbeRetry(probe, lambda good: works() if good else schedule()))

    def schedule() -> None:
        call_later(RETRY_S, again)

    schedule()
