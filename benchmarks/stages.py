"""Where the time of a request goes: each stage alone, in this process, and all of them without sockets.

The whole is a connection fed with the bytes of a request whose answer is thrown away; what it leaves out is the
operating system's part and the event loop's. The best of several runs counts.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import orjson
from model import Model

from scorekit.codec import json, large
from scorekit.inference.answers import package
from scorekit.inference.service import Service
from scorekit.message import Prediction
from scorekit.metrics.registry import Metrics
from scorekit.model.component import Component
from scorekit.serve.http1.connection import Connection
from scorekit.serve.limits.open_connections import Fleet
from scorekit.serve.rest.routes import Rest, refuse
from scorekit.serve.workers.worker import observer
from scorekit.testing import ManualTurns


class Sink:
    """A transport that keeps nothing."""

    def write(self, data: bytes) -> None: ...
    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...


class Bench:
    def __init__(self, model: Model) -> None:
        self._model = model

    def predict(self, X: Any, features_names: Any) -> Any:  # noqa: N803
        return self._model(X)


def stages(rows: int, connections: int = 32) -> dict[str, float]:
    """Microseconds a request by stage. ``connections`` requests come in each turn of the loop."""
    import model

    body = orjson.dumps({"data": {"ndarray": np.random.default_rng(0).normal(size=(rows, model.FEATURES)).tolist()}})
    scored = Model()
    message = json.decode(body)
    batch = np.concatenate([message.payload] * connections)
    answer = package(message, Prediction(scored(message.payload)), {})
    return {
        "parse": _best(lambda: (large.decode(body) if len(body) >= large.MIN_BYTES else None) or json.decode(body)),
        "predict": _best(lambda: scored(batch)) / connections,
        "encode": _best(lambda: json.encode(answer)),
        "whole": _whole(scored, body, connections),
    }


def _whole(scored: Model, body: bytes, connections: int) -> float:
    turns, metrics = ManualTurns(), Metrics({})
    fleet: Fleet = set()
    service = Service(Component(Bench(scored), "Bench"), turns, {}, 1024, metrics=metrics)
    rest = Rest(service)
    opened = [Connection(rest, refuse, fleet, 1 << 30, observer(metrics)) for _ in range(connections)]
    for connection in opened:
        connection.connection_made(Sink())  # type: ignore[arg-type]  # as much of one as is needed
    head = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    request = head % len(body) + body

    def turn() -> None:
        for connection in opened:
            connection.data_received(request)
        while turns.turn():
            pass

    return _best(turn) / connections


def _best(work: Callable[[], Any]) -> float:
    """Microseconds of one call."""
    began = time.perf_counter()
    work()
    count = max(1, int(0.05 / max(time.perf_counter() - began, 1e-6)))
    best = float("inf")
    for _ in range(7):
        began = time.perf_counter()
        for _ in range(count):
            work()
        best = min(best, (time.perf_counter() - began) / count)
    return best * 1e6


if __name__ == "__main__":
    import sys

    print(orjson.dumps(stages(int(sys.argv[1]), int(sys.argv[2]))).decode())
