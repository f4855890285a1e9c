"""What a request and an answer are, whatever transport carried them.

The names are the wire's own (Seldon Core v1 ``SeldonMessage``).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Kind(Enum):
    """The key under which a payload travels; the array forms are keys inside ``data``."""

    TENSOR = "tensor"
    NDARRAY = "ndarray"
    JSON = "jsonData"
    STR = "strData"
    BIN = "binData"
    CUSTOM = "customData"
    """A ``google.protobuf.Any``, which only gRPC carries."""

    __hash__ = object.__hash__  # members are single, and Enum's own hash is a call of Python's at every look-up

    def __init__(self, key: str) -> None:
        self.is_array = key in ("tensor", "ndarray")
        """Whether the payload travels inside ``data``."""


Meta = dict[str, Any]
"""A message's ``meta`` object as JSON has it; user code is given it unchanged, so it stays a plain dict."""


class Verb(Enum):
    """What a component can be asked; the values are the names of the methods that answer."""

    PREDICT = "predict"
    TRANSFORM_INPUT = "transform_input"
    TRANSFORM_OUTPUT = "transform_output"
    ROUTE = "route"
    AGGREGATE = "aggregate"
    SEND_FEEDBACK = "send_feedback"
    HEALTH_STATUS = "health_status"

    __hash__ = object.__hash__  # members are single, and Enum's own hash is a call of Python's at every look-up

    @property
    def label(self) -> str:
        """What metrics call it: their ``method`` (seldon-core 1.17.1)."""
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
    """Those that carry tags with the tag ``method`` beside them, as the stock wrapper answers."""
    return [
        {**metric, "tags": {**metric["tags"], "method": verb.label}}
        if isinstance(metric, dict) and isinstance(metric.get("tags"), dict)
        else metric
        for metric in metrics
    ]


class Form(Enum):
    """The transport's own form of a message, as methods are given it that see the message itself."""

    JSON = "rest"
    PROTO = "grpc"
    TEXT = "text"
    """A Feedback as a JSON text: what ``send_feedback_rest`` is given."""

    __hash__ = object.__hash__  # members are single, and Enum's own hash is a call of Python's at every look-up


@dataclass(slots=True)
class BatchAnswer:
    """The model's answer to a batch, whose rows belong to several requests."""

    payload: Any
    """An array or a list of shape ``(rows, …)``."""
    requests: int
    encoded: Any = None
    """What an encoder keeps of it from one request to the next."""


@dataclass(slots=True)
class BatchRows:
    """The place of one request's rows in the answer to its batch: from ``start`` up to ``end``."""

    answer: BatchAnswer
    start: int
    end: int


# Two of each are made for every request, and a frozen dataclass takes three times as long to make (0.49 µs to 0.14).
# Nobody changes them all the same.
@dataclass(slots=True)
class Message:
    """One SeldonMessage, decoded.

    ``payload`` is a numpy array (or, in an answer, the list the model returned) for the array kinds, ``str`` for
    ``STR``, ``bytes`` for ``BIN``, any JSON value for ``JSON`` and a ``google.protobuf.Any`` for ``CUSTOM``.
    ``names`` is ``data.names`` as sent (``None`` for a JSON null), ``[]`` where the request has none or is no array.
    Of an aggregate, both are lists with an entry for each of its messages. ``meta`` is ``None`` where the request has
    none.
    """

    kind: Kind
    payload: Any
    names: Any = field(default_factory=list)
    meta: Meta | None = None
    batch_rows: BatchRows | None = None
    """Where the payload stands in the answer to a batch, if it was part of one: an encoder may use it, or not."""


@dataclass(frozen=True, slots=True)
class Feedback:
    """What became of an earlier answer.

    ``request`` and ``truth`` are messages of the array kinds, empty ones where there is no ``data``; ``reward`` has
    single precision; ``routing`` is each router's branch.
    """

    request: Message
    truth: Message
    reward: float
    routing: Mapping[str, int]


@dataclass(slots=True)
class Prediction:
    """What the component said to one call: the value as returned, and what its hooks added."""

    payload: Any
    class_names: list[str] | None = None
    """``None`` where the component names no classes."""
    tags: Meta = field(default_factory=dict)
    metrics: list[Any] = field(default_factory=list)
    batch_rows: BatchRows | None = None
