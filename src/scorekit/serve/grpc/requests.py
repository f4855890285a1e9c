"""Requests of gRPC as the service takes them."""

from typing import Any

from ...codec import proto
from ...message import Form, Message, Verb


class ProtoRequest:
    """A serialized SeldonMessage or SeldonMessageList, decoded only as far as the component needs it."""

    __slots__ = ("_body", "_verb")

    form = Form.PROTO
    take_metrics = staticmethod(proto.take_metrics)

    def __init__(self, verb: Verb, body: bytes) -> None:
        self._verb = verb
        self._body = body

    @property
    def raw(self) -> Any:
        """The message as protobuf's own object, which a raw method is given. Raises ``BadRequest``."""
        name = "SeldonMessageList" if self._verb is Verb.AGGREGATE else "SeldonMessage"
        return proto.read(name, self._body)

    def message(self) -> Message:
        """Decode the message. Raises ``BadRequest``."""
        return proto.decode(self._body)

    def messages(self) -> list[Message]:
        """Decode the messages of an aggregate. Raises ``BadRequest``."""
        return proto.decode_list(self._body)
