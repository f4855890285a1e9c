"""Requests and answers as values, whatever transport carried them.

The names are those of Seldon Core v1's ``SeldonMessage`` on the wire.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class PayloadKind(Enum):
    """The key under which a payload travels; the two array kinds are keys inside ``data``."""

    TENSOR = "tensor"
    NDARRAY = "ndarray"
    JSON = "jsonData"
    STR = "strData"
    BIN = "binData"
    CUSTOM = "customData"
    """A ``google.protobuf.Any``, which only gRPC carries."""

    __hash__ = object.__hash__  # each member exists once, and Enum's own hash is a Python call at every look-up

    def __init__(self, key: str) -> None:
        self.is_array = key in ("tensor", "ndarray")
        """Whether the payload travels inside ``data``."""


Meta = dict[str, Any]
"""The ``meta`` object of a message as JSON has it. User code is given it unchanged, so it is a plain dict."""


class Verb(Enum):
    """What a component can be asked for. The values are the names of the methods that answer."""

    PREDICT = "predict"
    TRANSFORM_INPUT = "transform_input"
    TRANSFORM_OUTPUT = "transform_output"
    ROUTE = "route"
    AGGREGATE = "aggregate"
    SEND_FEEDBACK = "send_feedback"
    HEALTH_STATUS = "health_status"

    __hash__ = object.__hash__  # as PayloadKind

    @property
    def label(self) -> str:
        """The verb's name in metrics: their label ``method`` (seldon-core 1.17.1)."""
        return _LABELS[self]


_LABELS = {
    Verb.PREDICT: "predict",
    Verb.TRANSFORM_INPUT: "inputtransform",
    Verb.TRANSFORM_OUTPUT: "outputtransform",
    Verb.ROUTE: "router",
    Verb.AGGREGATE: "aggregate",
    Verb.SEND_FEEDBACK: "feedback",
    Verb.HEALTH_STATUS: "health",
}


def labelled(metrics: Iterable[Any], verb: Verb) -> list[Any]:
    """Return ``metrics`` as the stock wrapper answers them: those with tags get the tag ``method`` as well."""
    return [
        {**metric, "tags": {**metric["tags"], "method": verb.label}}
        if isinstance(metric, dict) and isinstance(metric.get("tags"), dict)
        else metric
        for metric in metrics
    ]


class Form(Enum):
    """The form in which a method that sees the message itself (a raw method) is given it."""

    JSON = "rest"
    PROTO = "grpc"
    TEXT = "text"
    """A Feedback as JSON text, which ``send_feedback_rest`` is given."""

    __hash__ = object.__hash__  # as PayloadKind


@dataclass(slots=True)
class BatchAnswer:
    """The model's answer to a batch, whose rows belong to several requests."""

    payload: Any
    """An array or a list of shape ``(rows, …)``."""
    requests: int
    encoded: Any = None
    """What an encoder keeps of the answer from one request to the next."""


@dataclass(slots=True)
class BatchRows:
    """The place of one request's rows in the answer to its batch: from ``start`` up to ``end``."""

    answer: BatchAnswer
    start: int
    end: int


# Two of each of the next two classes are made for every request, and a frozen dataclass takes three times as long to
# make (0.49 µs against 0.14). They are not frozen for that reason alone: nothing changes them.
@dataclass(slots=True)
class Message:
    """One SeldonMessage, decoded."""

    kind: PayloadKind
    payload: Any
    """By ``kind``: an array of shape ``(rows, columns, …)`` for the two array kinds (in an answer also the list that
    the model returned), ``str`` for ``STR``, ``bytes`` for ``BIN``, any JSON value for ``JSON`` and a
    ``google.protobuf.Any`` for ``CUSTOM``. For an aggregate, a list with the payload of each message."""
    names: Any = field(default_factory=list)
    """``data.names`` as the caller sent it: ``None`` for a JSON null, ``[]`` if there are none or the payload is not an
    array. For an aggregate, a list with the names of each message."""
    meta: Meta | None = None
    """``None`` if the request has none."""
    batch_rows: BatchRows | None = field(default=None, kw_only=True)
    """Where the payload stands in the answer to a batch, if it was part of one. An encoder may use it or ignore it."""


@dataclass(frozen=True, slots=True)
class Feedback:
    """What became of an earlier answer."""

    request: Message
    """Of an array kind, empty if the feedback has no ``data`` in it; ``truth`` likewise."""
    truth: Message
    reward: float
    """In single precision."""
    routing: Mapping[str, int]
    """The branch that each router took."""


@dataclass(slots=True)
class Prediction:
    """What the component returned from one call, and what its hooks added."""

    payload: Any
    class_names: list[str] | None = None
    """``None`` if the component names no classes."""
    tags: Meta = field(default_factory=dict)
    metrics: list[Any] = field(default_factory=list)
    batch_rows: BatchRows | None = field(default=None, kw_only=True)
    """As :attr:`Message.batch_rows`."""
