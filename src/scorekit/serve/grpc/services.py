"""gRPC: the methods of the seven services of a Seldon Core v1 component (seldon-core 1.17.1), health and reflection."""

from collections.abc import Callable
from functools import partial
from typing import Any

from ...codec import proto
from ...errors import NotFound, NotOffered, UnsupportedEncoding
from ...inference import Service
from ...message import Verb
from ...proto import SERVICES
from ..feedback import ProtoFeedback
from ..http2.header_fields import Headers
from ..http2.streams import Stream, StreamListener
from . import status
from .calls import ANSWER, NOT_SERVING, SERVING, GrpcCall, HealthWatch, MessageStreamCall, UnaryCall, UnaryMethod
from .reflection import reflect
from .requests import ProtoRequest
from .status import StatusCode

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
"""The default of every gRPC library."""

CallObserver = Callable[[str, str, str, float], None]
"""Called with each answered call: its full method, its kind, the name of its status, its seconds."""

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
    """The methods of one service. A call begins one gRPC call. ``metadata`` is the model's, ``None`` if invalid."""

    def __init__(
        self,
        service: Service,
        *,
        max_message_bytes: int = MAX_MESSAGE_BYTES,
        metadata: dict[str, Any] | None = None,
        observe: CallObserver = lambda method, kind, status, seconds: None,
    ) -> None:
        self._observe = observe
        self._max_message_bytes = max_message_bytes
        self._service = service
        self._ready = True
        self._watches: set[HealthWatch] = set()
        metadata_body = proto.encode_metadata(metadata)
        methods = {name: self._method_of(verb) for name, verb in _VERBS.items()}
        methods["SendFeedback"] = lambda body, call: service.tell(ProtoFeedback(body), call)
        methods["Metadata"] = methods["ModelMetadata"] = lambda body, call: call.reply(metadata_body)
        methods["GraphMetadata"] = _no_graph
        self._methods: dict[bytes, Callable[[Stream], GrpcCall]] = {
            f"/{path}".encode(): self._unary(f"/{path}", method)
            for path, method in (
                *((f"seldon.protos.{name}/{each}", methods[each]) for name in _METHODS for each in _METHODS[name]),
                ("grpc.health.v1.Health/Check", self._check),
            )
        }
        self._methods |= {
            b"/grpc.health.v1.Health/Watch": self._watch,
            b"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo": self._reflection("v1"),
            b"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": self._reflection("v1alpha"),
        }

    def __repr__(self) -> str:
        return f"<GrpcServices methods={len(self._methods)} {'ready' if self._ready else 'not ready'}>"

    def __call__(self, stream: Stream, headers: Headers) -> StreamListener:
        if headers.get(b":method") != b"POST" or not headers.get(b"content-type", b"").startswith(b"application/grpc"):
            return _NotGrpc(stream, b"405" if headers.get(b":method") != b"POST" else b"415")
        encoding = headers.get(b"grpc-encoding", b"identity")
        begin = self._methods.get(headers.get(b":path", b""))
        if encoding != b"identity":
            # UNIMPLEMENTED, with what is accepted instead: gRPC's document on compression asks for both.
            coding = ascii(encoding[:40])[2:-1]
            error = f"this server does not read messages compressed with {coding}; send them uncompressed"
            fields = (*ANSWER, (b"grpc-accept-encoding", b"identity"), *status.of(UnsupportedEncoding(error)))
            stream.start(fields, end=True)
            return StreamListener()
        if begin is None:
            path = ascii(headers.get(b":path", b"")[:200])[2:-1]
            stream.start(ANSWER + status.of(NotFound(f"this server has no method {path}")), end=True)
            return StreamListener()
        call = begin(stream)
        timeout = headers.get(b"grpc-timeout")
        if timeout is not None:
            call.expire_after(timeout)
        return call

    def be_ready(self) -> None:
        """Answer health checks with SERVING."""
        self._ready = True

    def release(self) -> None:
        """End the calls that watch the health, because another worker takes over."""
        for watch in list(self._watches):
            watch.end(status.trailers(StatusCode.UNAVAILABLE, "another worker takes over; call again"))

    def stop_being_ready(self) -> None:
        """Answer health checks with NOT_SERVING from now on, and report it to every watch."""
        self._ready = False
        for watch in list(self._watches):
            watch.report(NOT_SERVING)

    def _unary(self, path: str, method: UnaryMethod) -> Callable[[Stream], GrpcCall]:
        observe = partial(self._observe, path, "unary")
        return lambda stream: UnaryCall(stream, self._max_message_bytes, method, observe)

    def _reflection(self, version: str) -> Callable[[Stream], GrpcCall]:
        return lambda stream: MessageStreamCall(stream, self._max_message_bytes, lambda body: reflect(body, version))

    def _watch(self, stream: Stream) -> GrpcCall:
        return HealthWatch(stream, self._max_message_bytes, self._health, self._watches)

    def _method_of(self, verb: Verb) -> UnaryMethod:
        ask = self._service.ask

        def method(body: bytes, call: UnaryCall) -> None:
            ask(verb, ProtoRequest(verb, body), call)

        return method

    def _health(self, body: bytes) -> bytes | None:
        """Return the state of the service that a HealthCheckRequest names; ``None`` if there is no such service."""
        name = proto.read_text(body)
        if name and name not in SERVICES:
            return None
        return SERVING if self._ready else NOT_SERVING

    def _check(self, body: bytes, call: UnaryCall) -> None:
        state = self._health(body)
        if state is None:
            call.end(status.trailers(StatusCode.NOT_FOUND, "unknown service"))
        else:
            call.reply(state)


class _NotGrpc(StreamListener):
    """A request that is not gRPC. It is answered when it has arrived whole: until then it may turn out malformed."""

    def __init__(self, stream: Stream, code: bytes) -> None:
        self._stream = stream
        self._code = code

    def ended(self) -> None:
        self._stream.start(((b":status", self._code), (b"content-type", b"text/plain")))
        self._stream.send(b"over HTTP/2 this server speaks only gRPC; use HTTP/1.1 for REST\n")
        self._stream.finish(())


def _no_graph(body: bytes, call: UnaryCall) -> None:
    raise NotOffered("GraphMetadata not available on the Model level.")
