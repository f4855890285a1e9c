"""Feedback as both transports hand it to the service: a serialized ``Feedback`` message.

REST turns its JSON into such a message first, as the stock wrapper does, so that a model sees the same values over both
(seldon-core 1.17.1).
"""

from typing import Any

from ..codec import proto
from ..message import Feedback


class ProtoFeedback:
    """A serialized Feedback, decoded only as far as the component needs it."""

    __slots__ = ("_body",)

    take_metrics = staticmethod(proto.take_metrics)

    def __init__(self, body: bytes) -> None:
        self._body = body

    @property
    def raw(self) -> Any:
        """The message as protobuf's own object. Raises ``BadRequest``."""
        return proto.read("Feedback", self._body)

    @property
    def text(self) -> str:
        """The message as JSON text, which ``send_feedback_rest`` is given. Raises ``BadRequest``."""
        return proto.feedback_text(self._body)

    def feedback(self) -> Feedback:
        """Decode the message. Raises ``BadRequest``."""
        return proto.decode_feedback(self._body)
