"""Requests on their way through the model: jobs of the batcher, tasks of the executor, and how they are answered.

::

    rows to predict, batching on     Call ───────────────▶ Batcher ──▶ Executor
    anything else of one request     CallTask(Call) ─────────────────▶ Executor
    a raw method of the component    RawTask ────────────────────────▶ Executor
                                        └─ it declines: the request starts again as one of the two above

Each of them ends with exactly one call of its ``Caller``: ``answer``, ``answer_raw`` or ``fail``. A caller that has
gone gets none, unless its call must be made all the same.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ..errors import ComponentError, DeadlineExceeded, RequestError
from ..message import Feedback, Form, Message, Prediction, Verb
from ..metrics.registry import Metrics
from ..model.component import NOT_OFFERED, Component
from .answers import package, routed

log = logging.getLogger(__name__)


class Caller(Protocol):
    """Whoever waits for an answer: one request of one transport."""

    @property
    def abandoned(self) -> bool:
        """Whether the connection has gone, so that nobody would read the answer."""

    @property
    def deadline(self) -> float:
        """The time, by ``time.perf_counter``, after which an answer is useless; infinite if there is none."""

    def answer(self, message: Message) -> None:
        """Send ``message`` in the transport's encoding; what cannot be encoded becomes an error. Does not raise."""

    def answer_raw(self, value: Any) -> None:
        """Send what a raw method returned, in the transport's own form. Does not raise."""

    def fail(self, error: RequestError) -> None:
        """Send ``error`` with the transport's status for it. Does not raise."""


class Request(Protocol):
    """A request of a transport, decoded only as far as the component needs it."""

    @property
    def form(self) -> Form:
        """The form of ``raw``."""

    @property
    def raw(self) -> Any:
        """The transport's own form, which a raw method is given. Raises ``BadRequest`` if it cannot be read."""

    def take_metrics(self, answer: Any, verb: Verb, include: bool) -> list[Any]:
        """Return the metrics in a raw method's answer; without ``include`` they are removed from it."""

    def message(self) -> Message:
        """Decode the request. Raises ``BadRequest`` that says where the fault is."""

    def messages(self) -> list[Message]:
        """Decode the messages of a request to aggregate. Raises ``BadRequest`` that says where the fault is."""


class FeedbackRequest(Protocol):
    """Feedback of a transport. ``raw`` and ``text`` are the two forms that raw methods are given."""

    @property
    def raw(self) -> Any: ...
    @property
    def text(self) -> str: ...
    def feedback(self) -> Feedback:
        """Decode the feedback. Raises ``BadRequest``."""

    def take_metrics(self, answer: Any, verb: Verb, include: bool) -> list[Any]:
        """As :meth:`Request.take_metrics`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Responder:
    """Answers the callers of one component: with a message of what it returned, or with an error that is counted."""

    component: Component
    metrics: Metrics
    path: Mapping[str, str]
    """What this component adds to ``meta.requestPath``: its id and image, or nothing."""
    include_metrics: bool
    """Whether answers carry the component's metrics."""

    def message(self, verb: Verb, request: Message, prediction: Prediction) -> Message:
        """Return the answer to ``request``. Raises ``BadAnswer`` for a value that has no form on the wire."""
        if prediction.metrics:
            self.metrics.record(verb, prediction.metrics)
        make = routed if verb is Verb.ROUTE else package
        return make(request, prediction, self.path, self.include_metrics)

    def answer_raw(self, verb: Verb, request: Request | FeedbackRequest | None, answer: Any, caller: Caller) -> None:
        """Send what a raw method returned for ``request``, and count the metrics in it."""
        if request is not None:
            self.metrics.record(verb, request.take_metrics(answer, verb, self.include_metrics))
        caller.answer_raw(answer)

    def fail(self, caller: Caller, error: RequestError) -> None:
        """Send ``error``; one that is the model's fault is counted, and its cause is logged under its reference."""
        if isinstance(error, ComponentError):
            self.metrics.failure()
            log.error("component.failed id=%s", error.reference, exc_info=error.__cause__)
        caller.fail(error)


class RawAnswer:
    """What a raw method returned, in the place of a prediction."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


class Call:
    """One request to one method of the component: a job of the batcher's, or the subject of a :class:`CallTask`."""

    __slots__ = ("_caller", "_responder", "_source", "_verb", "message")

    def __init__(
        self,
        responder: Responder,
        verb: Verb,
        message: Message,
        caller: Caller,
        *,
        source: FeedbackRequest | None = None,
    ) -> None:
        self._responder = responder
        self._verb = verb
        self._caller = caller
        self._source = source
        self.message = message

    def wanted(self, now: float) -> bool:
        """Return whether the caller still waits at ``now``, by ``time.perf_counter``.

        If its deadline has passed, it gets an error.
        """
        return _wanted(self._caller, now)

    @property
    def abandoned(self) -> bool:
        """Whether the caller has gone."""
        return self._caller.abandoned

    def done(self, outcome: Prediction | RawAnswer) -> None:
        """Answer the caller with what the component returned."""
        responder = self._responder
        try:
            if isinstance(outcome, RawAnswer):
                responder.answer_raw(self._verb, self._source, outcome.value, self._caller)
                return
            answer = responder.message(self._verb, self.message, outcome)
        except RequestError as error:
            self.failed(error)
        except Exception as error:  # noqa: BLE001  the border around user values
            # What the model returned is an object of its own making, and looking at it runs its code.
            self.failed(responder.component.error(error))
        else:
            self._caller.answer(answer)

    def failed(self, error: RequestError) -> None:
        """Answer the caller with ``error``."""
        self._responder.fail(self._caller, error)


def _wanted(caller: Caller, now: float) -> bool:
    if caller.abandoned:
        return False
    if caller.deadline < now:
        caller.fail(DeadlineExceeded("the deadline of this request passed before the model was free"))
        return False
    return True


class CallTask:
    """A call that is not merged with others, as a task of the executor's. ``work`` calls the component."""

    __slots__ = ("_call", "_even_if_abandoned", "_outcome", "_work")

    def __init__(self, call: Call, work: Callable[[], Any], even_if_abandoned: bool = False) -> None:
        self._call = call
        self._work = work
        self._even_if_abandoned = even_if_abandoned
        self._outcome: Any = None

    def begin(self) -> bool:
        return self._even_if_abandoned or self._call.wanted(time.perf_counter())

    def drop_abandoned(self) -> bool:
        return self._call.abandoned and not self._even_if_abandoned

    def run(self) -> None:
        try:
            self._outcome = self._work()
        except RequestError as error:
            self._outcome = error

    def finish(self) -> None:
        if isinstance(self._outcome, RequestError):
            self._call.failed(self._outcome)
        else:
            self._call.done(self._outcome)

    def give_up(self, why: RequestError) -> None:
        self._call.failed(why)


class RawTask:
    """A call of a raw method, as a task of the executor's; where that declines, ``otherwise`` is called instead."""

    __slots__ = ("_caller", "_otherwise", "_outcome", "_request", "_responder", "_verb")

    def __init__(
        self,
        responder: Responder,
        verb: Verb,
        request: Request,
        caller: Caller,
        *,
        otherwise: Callable[[Verb, Request, Caller], None],
    ) -> None:
        self._responder = responder
        self._verb = verb
        self._request = request
        self._caller = caller
        self._otherwise = otherwise
        self._outcome: Any = None

    def begin(self) -> bool:
        return _wanted(self._caller, time.perf_counter())

    def drop_abandoned(self) -> bool:
        return self._caller.abandoned

    def run(self) -> None:
        request = self._request
        try:
            self._outcome = self._responder.component.call_raw(self._verb, request.form, request.raw)
        except RequestError as error:
            self._outcome = error

    def finish(self) -> None:
        outcome = self._outcome
        if outcome is NOT_OFFERED:
            self._otherwise(self._verb, self._request, self._caller)
        elif isinstance(outcome, RequestError):
            self._responder.fail(self._caller, outcome)
        else:
            self._responder.answer_raw(self._verb, self._request, outcome, self._caller)

    def give_up(self, why: RequestError) -> None:
        self._caller.fail(why)
