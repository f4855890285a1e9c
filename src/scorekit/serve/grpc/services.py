"""gRPC: the calls of the seven services of a Seldon Core v1 component (seldon-core 1.17.1), health and reflection."""

from collections.abc import Callable
from typing import Any

from ...codec import proto
from ...errors import NotFound, NotOffered, UnsupportedEncoding
from ...inference.service import Service
from ...message import Verb
from ...proto import SERVICES
from ..http2.header_fields import Headers
from ..http2.streams import Stream, StreamListener
from ..rest.requests import ProtoFeedback, ProtoRequest
from . import status
from .calls import (
    ANSWER,
    NOT_SERVING,
    SERVING,
    CallObserver,
    GrpcCall,
    HealthWatch,
    MessageStreamCall,
    UnaryCall,
    UnaryMethod,
)
from .reflection import reflect

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
"""Every gRPC library's own default."""


_VERBS = {
    "Predict": Verb.PREDICT,
    "TransformInput": Verb.TRANSFORM_INPUT,
    "TransformOutput": Verb.TRANSFORM_OUTPUT,
    "Route": Verb.ROUTE,
    "Aggregate": Verb.AGGREGATE,
}
_METHODS = {
    "Generic": ("TransformInput", "TransformOutput", "Route", "Aggregate", "SendFeedback"),
    "Model": ("Predict", "SendFeedback", "Metadata"),
    "Router": ("Route", "SendFeedback"),
    "Transformer": ("TransformInput",),
    "OutputTransformer": ("TransformOutput",),
    "Combiner": ("Aggregate",),
    "Seldon": ("Predict", "SendFeedback", "ModelMetadata", "GraphMetadata"),
}


class GrpcServices:
    """The methods over one service. Calling it begins one call. ``metadata`` are the model's, if they can be shown."""

    def __init__(
        self,
        service: Service,
        max_message_bytes: int = MAX_MESSAGE_BYTES,
        metadata: dict[str, Any] | None = None,
        observe: CallObserver = lambda service, method, code, seconds: None,
    ) -> None:
        self._observe = observe
        self.max_message_bytes = max_message_bytes
        self._service = service
        self._ready = True
        self._watchers: set[HealthWatch] = set()
        metadata_body = proto.encode_metadata(metadata)
        verbs: dict[str, Callable[[Stream], GrpcCall]] = {
            name: self._unary(self._asking(verb)) for name, verb in _VERBS.items()
        }
        verbs |= {
            "SendFeedback": self._unary(lambda body, call: service.tell(ProtoFeedback(body), call)),
            **dict.fromkeys(("Metadata", "ModelMetadata"), self._unary(lambda body, call: call.reply(metadata_body))),
            "GraphMetadata": self._unary(_no_graph),
        }
        self._methods: dict[bytes, Callable[[Stream], GrpcCall]] = {
            **{
                f"/seldon.protos.{service}/{name}".encode(): verbs[name]
                for service, names in _METHODS.items()
                for name in names
            },
            b"/grpc.health.v1.Health/Check": self._unary(self._check),
            b"/grpc.health.v1.Health/Watch": self._watch,
            b"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo": self._reflection("v1"),
            b"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": self._reflection("v1alpha"),
        }

    def __repr__(self) -> str:
        return f"<GrpcServices methods={len(self._methods)} {'ready' if self._ready else 'draining'}>"

    def __call__(self, stream: Stream, head: Headers) -> StreamListener:
        if head.get(b":method") != b"POST" or not head.get(b"content-type", b"").startswith(b"application/grpc"):
            return _NotGrpc(stream, b"405" if head.get(b":method") != b"POST" else b"415")
        encoding = head.get(b"grpc-encoding", b"identity")
        make = self._methods.get(head.get(b":path", b""))
        if encoding != b"identity":
            error = f"this server takes messages as they are, not compressed by {ascii(encoding[:40])[2:-1]}"
            fields = (*ANSWER, (b"grpc-accept-encoding", b"identity"), *status.of(UnsupportedEncoding(error)))
            stream.start(fields, end=True)
            return StreamListener()
        if make is None:
            path = ascii(head.get(b":path", b"")[:200])[2:-1]
            stream.start(ANSWER + status.of(NotFound(f"this server has no method {path}")), end=True)
            return StreamListener()
        call = make(stream)
        if isinstance(call, UnaryCall):
            call.observe = self._observe
            call.path = head[b":path"].decode()
        timeout = head.get(b"grpc-timeout")
        if timeout is not None:
            call.expire_after(timeout)
        return call

    def be_ready(self) -> None:
        """Answer health checks with SERVING."""
        self._ready = True

    def release(self) -> None:
        """End the calls that watch the health, for another worker takes over."""
        for watcher in list(self._watchers):
            watcher.end(status.trailers(status.UNAVAILABLE, "ask again: another worker takes over"))

    def stop_being_ready(self) -> None:
        """Answer health checks with NOT_SERVING from now on, and tell whoever watches."""
        self._ready = False
        for watcher in list(self._watchers):
            watcher.tell(NOT_SERVING)

    def _unary(self, verb: "UnaryMethod") -> Callable[[Stream], "GrpcCall"]:
        return lambda stream: UnaryCall(stream, self.max_message_bytes, verb)

    def _reflection(self, version: str) -> Callable[[Stream], "GrpcCall"]:
        return lambda stream: MessageStreamCall(stream, self.max_message_bytes, lambda body: reflect(body, version))

    def _asking(self, verb: Verb) -> "UnaryMethod":
        ask = self._service.ask

        def over_bytes(body: bytes, call: "UnaryCall") -> None:
            ask(verb, ProtoRequest(verb, body), call)

        return over_bytes

    def _health(self, body: bytes) -> bytes | None:
        name = proto.read_text(body)
        if name and name not in SERVICES:
            return None
        return SERVING if self._ready else NOT_SERVING

    def _check(self, body: bytes, call: "UnaryCall") -> None:
        state = self._health(body)
        if state is None:
            call.end(status.trailers(status.UNKNOWN_SERVICE, "no such service"))
        else:
            call.reply(state)

    def _watch(self, stream: Stream) -> "GrpcCall":
        return HealthWatch(stream, self.max_message_bytes, self._health, self._watchers)


class _NotGrpc(StreamListener):
    """A request that is no call of gRPC's. It is answered when all of it has come, for it may be malformed yet."""

    def __init__(self, stream: Stream, code: bytes) -> None:
        self._stream = stream
        self._code = code

    def ended(self) -> None:
        self._stream.start(((b":status", self._code), (b"content-type", b"text/plain")))
        self._stream.send(b"over HTTP/2 this server speaks gRPC; for REST use HTTP/1.1\n")
        self._stream.finish(())


def _no_graph(body: bytes, call: "UnaryCall") -> None:
    raise NotOffered("GraphMetadata not available on the Model level.")
