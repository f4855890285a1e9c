"""REST and gRPC in front of one model, inside one event loop."""

import os
from asyncio import AbstractEventLoop
from collections.abc import Callable, Mapping

from ...inference import Executor, Service, Verdict
from ...metrics import Metrics, component_labels
from ...model import Metadata
from ...settings import UNSET, Observability, Settings
from ..accept import Acceptor
from ..detect import ProtocolDetector, TooManyConnections
from ..grpc import GrpcServices
from ..limits.open_connections import OpenConnections
from ..rest import RestOptions, RestRoutes
from .model_thread import ModelThread
from .outside_loop import mark_running_loop
from .served_model import ServedModel


class Endpoints:
    """Everything a request passes on its way through a worker, built in the reverse order of that way:

        Acceptor ─▶ RestRoutes | GrpcServices ─▶ Service ─▶ Executor ─▶ ModelThread ─▶ the component

    ``call_s`` is how long a call of the model takes, if known; it decides where the first calls run. ``draining`` says
    whether the worker shuts down: then new connections are told from the beginning to send no second request.
    """

    def __init__(
        self,
        served: ServedModel,
        loop: AbstractEventLoop,
        *,
        verdict: Verdict,
        call_s: float,
        draining: Callable[[], bool],
    ) -> None:
        settings = served.settings
        identity = settings.observability
        self._max_connections = settings.limits.max_connections
        self._draining = draining
        self.metrics = _metrics(identity)
        self.thread = ModelThread(loop)
        self.executor = Executor(
            loop, self.thread, observe=self.metrics.calls.observe, mean_s=call_s, mark_running_loop=mark_running_loop
        )
        self.service = Service(
            served.component,
            loop,
            path={identity.unit_id: identity.unit_image} if identity.unit_id else {},
            max_batch_rows=settings.model.max_batch_rows if verdict.merges else None,
            include_metrics=settings.model.include_metrics,
            metrics=self.metrics,
            check=served.check,
            executor=self.executor,
            max_batch_delay_s=settings.model.max_batch_delay_ms / 1000,
            max_in_flight=settings.limits.max_in_flight,
            max_wait_s=settings.limits.max_wait_ms / 1000,
        )
        metadata = _with_decision(served.metadata, verdict, settings)
        options = RestOptions(
            stock=settings.model.compatibility == "stock",
            origins=settings.listen.cors_allowed_origins,
            timeout_s=settings.limits.request_timeout_ms / 1000 or float("inf"),
        )
        self.rest = RestRoutes(
            self.service,
            metadata=metadata,
            payload_passthrough=settings.model.payload_passthrough,
            options=options,
            document=served.document,
        )
        self.grpc = GrpcServices(
            self.service,
            max_message_bytes=settings.limits.max_grpc_message_bytes,
            metadata=metadata,
            observe=self.metrics.request,
        )
        self.connections: OpenConnections = set()
        self.acceptor = Acceptor(
            settings,
            rest=self.rest,
            grpc=self.grpc,
            refuse=options.refuse,
            metrics=self.metrics,
            connections=self.connections,
        )

    def __repr__(self) -> str:
        return f"<Endpoints connections={len(self.connections)} {self.executor!r}>"

    def connect(self) -> ProtocolDetector | TooManyConnections:
        """Return the protocol of a new connection."""
        if len(self.connections) >= self._max_connections:
            return TooManyConnections()
        connection = self.acceptor.connection()
        if self._draining():
            connection.drain()
        return connection

    def be_ready(self) -> None:
        """Let health checks succeed."""
        self.rest.be_ready()
        self.grpc.be_ready()

    def stop_being_ready(self, why: str = "this server is shutting down") -> None:
        """Let health checks fail; over REST with ``why``."""
        self.rest.stop_being_ready(why)
        self.grpc.stop_being_ready()

    def gauges(self) -> Mapping[str, float]:
        """Return the numbers of this moment, by the names of their metrics."""
        return {
            "scorekit_connections": len(self.connections),
            "scorekit_in_flight_requests": sum(connection.open_requests for connection in self.connections),
            "scorekit_waiting_calls": self.executor.waiting,
            "scorekit_predict_in_thread": float(self.executor.in_thread),
        }


def _metrics(identity: Observability) -> Metrics:
    labels = component_labels(
        deployment=identity.deployment_id,
        predictor=identity.predictor_id,
        predictor_version=identity.predictor_version,
        model=identity.unit_id or UNSET,
        image=identity.unit_image,
        unset=UNSET,
    )
    return Metrics(labels, str(os.getpid()) if identity.metrics_worker_id else None, identity.count_feedback)


def _with_decision(metadata: Metadata | None, verdict: Verdict, settings: Settings) -> Metadata | None:
    """Return the metadata; if batching was asked for, with the decision about it and the reason."""
    if metadata is None or settings.model.batching == "off" or settings.model.compatibility == "stock":
        return metadata
    decision = {"scorekit.batching": "on" if verdict.merges else "off", "scorekit.batching.reason": verdict.reason}
    return {**metadata, "custom": {**decision, **metadata["custom"]}}
