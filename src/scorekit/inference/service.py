"""The entry of every request to the component, whatever transport brought it: admission, then the way of its verb."""

import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from ..errors import Overloaded, RequestError
from ..message import Form, Message, PayloadKind, Prediction, Verb
from ..metrics.registry import Metrics
from ..model.component import NOT_OFFERED, Component
from ..model.methods import assumed_health
from .answers import joined
from .batching import Batcher, Check
from .calls import Call, Caller, CallTask, FeedbackRequest, RawAnswer, RawTask, Request, Responder
from .executor import EventLoop, Executor

# Expected waits follow from averages, so a caller is refused a quarter of the wait before it would be late.
_MARGIN = 1.25

# The message of a health check, which has neither payload nor meta.
_NOTHING = Message(PayloadKind.STR, "")


class Service:
    """One component, behind its verbs. All its calls run on ``executor``; without one, in the loop.

    ``path``
        is what this component adds to ``meta.requestPath``: its id and image, or nothing (the stock wrapper adds them
        only if PREDICTIVE_UNIT_ID is set).
    ``max_batch_rows``
        merges requests into batches of at most so many rows, unless the component could tell; ``None`` merges nothing.
        No request waits longer than ``max_batch_delay_s`` for others.
    ``check``
        is given the messages to predict, or the rows of several at once. Raw methods are called without it.
    ``include_metrics``
        says whether answers carry the component's metrics.
    ``max_in_flight``, ``max_wait_s``
        bound the queue. A request that would be one of more than ``max_in_flight`` that wait, or that is expected to
        wait longer than ``max_wait_s`` or past its own deadline, fails at once with ``Overloaded``. A request whose
        deadline comes before its turn fails with ``DeadlineExceeded``.
    """

    def __init__(
        self,
        component: Component,
        loop: EventLoop,
        *,
        path: Mapping[str, str] = MappingProxyType({}),
        max_batch_rows: int | None = None,
        max_batch_delay_s: float = 0.005,
        include_metrics: bool = True,
        metrics: Metrics | None = None,
        check: Check | None = None,
        executor: Executor | None = None,
        max_in_flight: int = 1024,
        max_wait_s: float = float("inf"),
    ) -> None:
        self._max_in_flight = max_in_flight
        self._max_wait_s = max_wait_s
        self._component = component
        self._check = check
        self._metrics = metrics or Metrics({})
        self._path = dict(path)
        self._responder = Responder(
            component=component, metrics=self._metrics, path=self._path, include_metrics=include_metrics
        )
        self._executor = Executor(loop) if executor is None else executor
        self._batcher = None
        if max_batch_rows is not None and not component.hooks_per_call:
            self._batcher = Batcher(
                component.predict,
                loop,
                self._executor,
                max_rows=max_batch_rows,
                max_delay_s=max_batch_delay_s,
                check=check,
                observe=self._metrics.batch,
            )
        self._predict_takes_meta = component.hooks[Verb.PREDICT].takes_meta

    def __repr__(self) -> str:
        return f"<Service {self._component!r} {self._executor!r} {self._batcher or 'batching off'}>"

    @property
    def batching(self) -> bool:
        """Whether requests are merged."""
        return self._batcher is not None

    def ask(self, verb: Verb, request: Request, caller: Caller) -> None:
        """Answer ``caller`` with the component's answer to ``request``, now or in a later turn of the loop.

        A raw method of the component, if it has one for this form of request, goes before the method that is given
        rows. Does not raise: every error becomes a call of ``caller.fail``.
        """
        if self._is_full(caller):
            caller.fail(Overloaded("too many requests are waiting on this server; try again"))
            return
        if request.form in self._component.hooks[verb].raw:
            self._executor.submit(RawTask(self._responder, verb, request, caller, otherwise=self._ask_decoded))
        else:
            self._ask_decoded(verb, request, caller)

    def tell(self, request: FeedbackRequest, caller: Caller) -> None:
        """Have the component learn from feedback, and answer ``caller``. Does not raise, as :meth:`ask`."""
        verb, component = Verb.SEND_FEEDBACK, self._component
        try:
            feedback = request.feedback()
        except RequestError as error:
            self._responder.fail(caller, error)
            return
        self._metrics.feedback(feedback.reward)
        routing = feedback.routing.get(next(iter(self._path), "0"))
        forms = [form for form in (Form.TEXT, Form.PROTO) if form in component.hooks[verb].raw]

        def learn() -> Any:
            for form in forms:
                answer = component.call_raw(verb, form, request.text if form is Form.TEXT else request.raw)
                if answer is not NOT_OFFERED:
                    return RawAnswer(answer)
            return component.feedback(feedback, routing)

        # The feedback counts even if the caller has gone by now.
        call = Call(self._responder, verb, feedback.request, caller, source=request)
        self._executor.submit(CallTask(call, learn, even_if_abandoned=True))

    def health(self, caller: Caller) -> None:
        """Answer ``caller`` with the component's health, before all who wait for predictions. Does not raise."""
        verb, component = Verb.HEALTH_STATUS, self._component
        call = Call(self._responder, verb, _NOTHING, caller)
        if Form.JSON in component.hooks[verb].raw:
            self._run(call, lambda: RawAnswer(component.call_raw(verb, Form.JSON)), first=True)
        elif component.hooks[verb].method in (None, assumed_health):
            call.done(component.health())  # no code of the user's, so there is nothing to wait for
        else:
            self._run(call, component.health, first=True)

    def _is_full(self, caller: Caller) -> bool:
        """Whether ``caller`` must be refused; those who have gone meanwhile do not keep it out."""
        return self._would_wait_too_long(caller) and not (
            self._executor.drop_abandoned() and not self._would_wait_too_long(caller)
        )

    def _would_wait_too_long(self, caller: Caller) -> bool:
        executor, batcher = self._executor, self._batcher
        queued = executor.waiting
        waiting = queued if batcher is None else max(queued, batcher.waiting)
        if waiting >= self._max_in_flight:
            return True
        if not queued:
            return False  # the request is the next, or joins a batch that is
        wait_s = executor.wait_s
        if wait_s > self._max_wait_s:
            return True
        # A caller that would be answered too late is refused now: in time to ask elsewhere, and before it makes others
        # late as well.
        return wait_s > 0 and time.perf_counter() + _MARGIN * wait_s + executor.mean_s > caller.deadline

    def _ask_decoded(self, verb: Verb, request: Request, caller: Caller) -> None:
        """Call the method that is given rows."""
        try:
            message = joined(request.messages()) if verb is Verb.AGGREGATE else request.message()
        except RequestError as error:
            self._responder.fail(caller, error)
            return
        call = Call(self._responder, verb, message, caller)
        if verb is Verb.PREDICT:
            # A component that is given `meta` sees which request it works for, so that one is not merged.
            sees_meta = message.meta is not None and self._predict_takes_meta
            if self._batcher is not None and message.kind.is_array and not sees_meta:
                self._batcher.submit(call)
                return
            if self._check is not None:
                try:
                    self._check(message)
                except RequestError as error:
                    call.failed(error)
                    return
        self._run(call, lambda: self._component.call(verb, message.payload, message.names, message.meta))

    def _run(self, call: Call, work: Callable[[], Prediction | RawAnswer], first: bool = False) -> None:
        self._executor.submit(CallTask(call, work), first)
