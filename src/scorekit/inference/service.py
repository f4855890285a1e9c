"""What the verbs of the protocol mean, whatever transport brought the request."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from ..codec.tensor import Array
from ..errors import ComponentError, DeadlineExceeded, Overloaded, RequestError
from ..message import Feedback, Form, Kind, Message, Prediction, Verb
from ..metrics.registry import Metrics
from ..model.component import NOT_OFFERED, Component
from ..model.methods import assumed_health
from .answers import joined, package, routed
from .batching import Batcher
from .executor import Lane, Turns

log = logging.getLogger(__name__)


class Caller(Protocol):
    """Whoever waits for an answer: one request of one transport."""

    @property
    def abandoned(self) -> bool:
        """Whether the connection has gone, so that nobody would read the answer."""

    @property
    def deadline(self) -> float:
        """When an answer is of no more use, by ``time.perf_counter``; infinite if never."""

    def answer(self, message: Message) -> None: ...
    def answer_raw(self, value: Any) -> None:
        """Answer with what a raw method returned, in the transport's own form."""

    def fail(self, error: RequestError) -> None: ...


class Request(Protocol):
    """What a caller asks, decoded only as far as the component needs it. Decoding raises ``BadRequest``."""

    @property
    def form(self) -> Form:
        """What ``raw`` is."""

    @property
    def raw(self) -> Any:
        """The transport's own form: what a raw method is given."""

    def take_metrics(self, answer: Any, verb: Verb, include: bool) -> list[Any]:
        """The metrics in what a raw method returned, which stay there only if they are to be included."""

    def message(self) -> Message: ...
    def messages(self) -> list[Message]:
        """Those of an aggregate."""


class Check(Protocol):
    """What requests to predict must keep to."""

    def __call__(self, message: Message, /) -> None:
        """Raise ``BadRequest`` for a message that the model shall not see."""

    def admits(self, rows: Array, /) -> bool:
        """Whether every one of ``rows`` may pass."""


class FeedbackRequest(Protocol):
    """What a caller tells of an earlier answer; ``raw`` and ``text`` are its two forms for raw methods."""

    @property
    def raw(self) -> Any: ...
    @property
    def text(self) -> str: ...
    def feedback(self) -> Feedback: ...
    def take_metrics(self, answer: Any, verb: Verb, include: bool) -> list[Any]: ...


class Service:
    """One component, behind its verbs.

    ``path`` is what this node adds to ``meta.requestPath``: its own id and image, or nothing (stock: only where
    PREDICTIVE_UNIT_ID is set). With ``max_batch_rows`` requests are merged, where the component cannot tell; none
    waits longer than ``max_batch_delay_s`` for others. Without ``include_metrics`` answers do not carry the component's
    metrics. ``check`` sees each decoded message to predict, or rows of several at once; raw methods are asked without
    it. Every call of the component is made on ``lane``.

    A request that would be one of more than ``max_in_flight`` that wait, or would wait for longer than ``max_wait_s``
    or for most of what its own deadline leaves, fails at once with ``Overloaded``; one whose deadline has come before
    its turn with ``DeadlineExceeded``.
    """

    def __init__(
        self,
        component: Component,
        turns: Turns,
        path: Mapping[str, str],
        max_batch_rows: int | None = None,
        include_metrics: bool = True,
        metrics: Metrics | None = None,
        check: Check | None = None,
        lane: Lane | None = None,
        max_batch_delay_s: float = 0.005,
        max_in_flight: int = 1024,
        max_wait_s: float = float("inf"),
    ) -> None:
        self._max_in_flight = max_in_flight
        self._max_wait_s = max_wait_s
        self._component = component
        self._check = check
        self._metrics = metrics or Metrics({})
        self._include_metrics = include_metrics
        self._path = dict(path)
        self._lane = Lane(turns) if lane is None else lane
        self._batcher = None
        if max_batch_rows is not None and not component.hooks_per_call:
            self._batcher = Batcher(
                component.predict,
                turns,
                self._lane,
                max_batch_rows,
                max_batch_delay_s,
                self._metrics.batch,
                None if check is None else check.admits,
            )
        self._predict_takes_meta = component.hooks[Verb.PREDICT].takes_meta

    def __repr__(self) -> str:
        return f"<Service {self._component!r} {self._lane!r} {self._batcher or 'batching off'}>"

    def ask(self, verb: Verb, request: Request, caller: Caller) -> None:
        """Answer ``caller`` with what the component makes of ``request``, now or in a later turn of the loop."""
        if self._full(caller):
            caller.fail(Overloaded("this server has as many requests waiting as it takes; try again"))
            return
        if self._component.offers_raw(verb, request.form):
            self._lane.enter(_RawTask(self, verb, request, caller))
            return
        self.ask_decoded(verb, request, caller)

    def _full(self, caller: Caller) -> bool:
        lane, batcher = self._lane, self._batcher
        waiting = lane.waiting if batcher is None else max(lane.waiting, batcher.waiting)
        wait_s = lane.wait_s
        if waiting >= self._max_in_flight or wait_s > self._max_wait_s:
            return True
        # Who would be answered too late is refused now: in time to ask elsewhere, and before others are late for it.
        return wait_s > 0 and time.perf_counter() + _MARGIN * wait_s + lane.mean_s > caller.deadline

    def ask_decoded(self, verb: Verb, request: Request, caller: Caller) -> None:
        """:meth:`ask`, by the method that is given rows."""
        try:
            message = joined(request.messages()) if verb is Verb.AGGREGATE else request.message()
        except RequestError as error:
            self.report(error)
            caller.fail(error)
            return
        call = _Call(verb, message, caller, self)
        if verb is Verb.PREDICT:
            # A component that is handed `meta` sees which request it works for.
            told_meta = message.meta is not None and self._predict_takes_meta
            if self._batcher is not None and message.kind.is_array and not told_meta:
                self._batcher.submit(call)
                return
            if (refusal := self.refusal(message)) is not None:
                call.failed(refusal)
                return
        self._run(call, lambda: self._component.call(verb, message.payload, message.names, message.meta))

    def tell(self, request: FeedbackRequest, caller: Caller) -> None:
        """Have the component learn what became of an earlier answer, and answer ``caller``."""
        verb, component = Verb.SEND_FEEDBACK, self._component
        try:
            told = request.feedback()
        except RequestError as error:
            self.report(error)
            caller.fail(error)
            return
        self._metrics.feedback(told.reward)
        routing = told.routing.get(next(iter(self._path), "0"))
        forms = [form for form in (Form.TEXT, Form.PROTO) if component.offers_raw(verb, form)]

        def learn() -> Any:
            for form in forms:
                answer = component.call_raw(verb, form, request.text if form is Form.TEXT else request.raw)
                if answer is not NOT_OFFERED:
                    return _Raw(answer)
            return component.feedback(told, routing)

        # Nobody's leaving takes back what was told.
        self._lane.enter(_CallTask(_Call(verb, told.request, caller, self, request), learn, even_if_abandoned=True))

    def health(self, caller: Caller) -> None:
        """Answer ``caller`` with what the component says of its health; it passes all who wait for predictions."""
        verb, component = Verb.HEALTH_STATUS, self._component
        call = _Call(verb, _NOTHING, caller, self)
        if component.offers_raw(verb, Form.JSON):
            self._lane.enter(_CallTask(call, lambda: _Raw(component.call_raw(verb, Form.JSON))), first=True)
        elif component.hooks[verb].method in (None, assumed_health):
            call.done(component.health())  # no code of the user's: nothing to wait for
        else:
            self._run(call, component.health, first=True)

    def packaged(self, verb: Verb, request: Message, prediction: Prediction) -> Message:
        """The answer to ``request``, as the verb has it."""
        if prediction.metrics:
            self._metrics.record(verb, prediction.metrics)
        make = routed if verb is Verb.ROUTE else package
        return make(request, prediction, self._path, self._include_metrics)

    def refusal(self, message: Message) -> RequestError | None:
        """Why the model shall not see ``message``, if it shall not."""
        if self._check is not None:
            try:
                self._check(message)
            except RequestError as error:
                return error
        return None

    def report(self, error: RequestError) -> None:
        """Log and count a failure of the model's."""
        if isinstance(error, ComponentError):
            self._metrics.failure()
            log.error("component.failed id=%s", error.reference, exc_info=error.__cause__)

    def error(self, cause: BaseException) -> RequestError:
        """What a caller is told of ``cause``, which user code raised."""
        return self._component.error(cause)

    def call_raw(self, verb: Verb, request: Request) -> Any:
        """What the component's raw method makes of ``request``."""
        return self._component.call_raw(verb, request.form, request.raw)

    def answer_raw(self, verb: Verb, request: Request | FeedbackRequest | None, answer: Any, caller: Caller) -> None:
        """Answer ``caller`` with what a raw method returned."""
        if request is not None:
            self._metrics.record(verb, request.take_metrics(answer, verb, self._include_metrics))
        caller.answer_raw(answer)

    @property
    def batching(self) -> bool:
        """Whether requests are merged."""
        return self._batcher is not None

    def _run(self, call: "_Call", work: Callable[[], Prediction], first: bool = False) -> None:
        self._lane.enter(_CallTask(call, work), first)


# Waits are estimated by what a call takes on average.
_MARGIN = 1.25

# A request without payload or meta: what a health check asks.
_NOTHING = Message(Kind.STR, "")


class _Raw:
    """What a raw method returned, where a prediction may stand as well."""

    __slots__ = ("answer",)

    def __init__(self, answer: Any) -> None:
        self.answer = answer


class _Call:
    """A request on its way through the model: what the batcher calls a job."""

    __slots__ = ("_request", "_service", "_source", "_verb", "caller", "deadline", "names", "rows")

    def __init__(
        self, verb: Verb, request: Message, caller: Caller, service: Service, source: FeedbackRequest | None = None
    ) -> None:
        self._verb = verb
        self._request = request
        self._service = service
        self._source = source
        self.caller = caller
        self.deadline = caller.deadline
        # Of a job for the batcher, which are of array kinds only.
        self.rows: Array = request.payload
        self.names: Sequence[str] | None = request.names

    @property
    def abandoned(self) -> bool:
        return self.caller.abandoned

    def expired(self) -> None:
        """Its deadline has come before its turn."""
        _expire(self.caller)

    def refusal(self) -> RequestError | None:
        """See :meth:`Service.refusal`."""
        return self._service.refusal(self._request)

    def done(self, prediction: Prediction | _Raw) -> None:
        service = self._service
        try:
            if isinstance(prediction, _Raw):
                service.answer_raw(self._verb, self._source, prediction.answer, self.caller)
                return
            answer = service.packaged(self._verb, self._request, prediction)
        except RequestError as error:
            self.failed(error)
        except Exception as error:  # noqa: BLE001  the border around user values
            # What the model returned is an object of its own making, and looking at it runs its code.
            self.failed(service.error(error))
        else:
            self.caller.answer(answer)

    def failed(self, error: RequestError) -> None:
        self._service.report(error)
        self.caller.fail(error)


def _wanted(caller: Caller) -> bool:
    """Whether a turn has come in time for somebody who still waits; if it is too late, the caller is told."""
    if caller.abandoned:
        return False
    if caller.deadline < time.perf_counter():
        _expire(caller)
        return False
    return True


def _expire(caller: Caller) -> None:
    caller.fail(DeadlineExceeded("the time for an answer was over before the model was free"))


class _CallTask:
    """A call by itself, as a task of the lane's."""

    __slots__ = ("_call", "_even_if_abandoned", "_outcome", "_work")

    def __init__(self, call: _Call, work: Callable[[], Any], even_if_abandoned: bool = False) -> None:
        self._call = call
        self._work = work
        self._even_if_abandoned = even_if_abandoned
        self._outcome: Any = None

    def begin(self) -> bool:
        return self._even_if_abandoned or _wanted(self._call.caller)

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


class _RawTask:
    """A request for a raw method; where that declines, the method that is given rows is asked."""

    __slots__ = ("_caller", "_outcome", "_request", "_service", "_verb")

    def __init__(self, service: Service, verb: Verb, request: Request, caller: Caller) -> None:
        self._service = service
        self._verb = verb
        self._request = request
        self._caller = caller
        self._outcome: Any = None

    def begin(self) -> bool:
        return _wanted(self._caller)

    def run(self) -> None:
        try:
            self._outcome = self._service.call_raw(self._verb, self._request)
        except RequestError as error:
            self._outcome = error

    def finish(self) -> None:
        outcome, service = self._outcome, self._service
        if outcome is NOT_OFFERED:
            service.ask_decoded(self._verb, self._request, self._caller)
        elif isinstance(outcome, RequestError):
            service.report(outcome)
            self._caller.fail(outcome)
        else:
            service.answer_raw(self._verb, self._request, outcome, self._caller)

    def give_up(self, why: RequestError) -> None:
        self._caller.fail(why)
