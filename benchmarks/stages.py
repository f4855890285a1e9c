"""Measures where the time of a request goes: each stage alone, in this process, and all of them without sockets.

The whole is a connection fed with the bytes of a request whose answer is thrown away; what it leaves out is the
operating system's part and the event loop's. The best of several runs counts.
"""

import time
from collections.abc import Callable
from typing import Any

import in_process
import numpy as np
import orjson
from model import Model

from scorekit.codec import json, large
from scorekit.inference.answers import package
from scorekit.message import Prediction


class Bench:
    def __init__(self, model: Model) -> None:
        self._model = model

    def predict(self, X: Any, features_names: Any) -> Any:  # noqa: N803
        return self._model(X)


def stages(rows: int, connections: int = 32) -> dict[str, float]:
    """Returns microseconds per request by stage. ``connections`` requests arrive in each turn of the event loop."""
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
    server = in_process.Server(Bench(scored))
    opened = [server.connection()[0] for _ in range(connections)]
    request = in_process.request(body)

    def turn() -> None:
        for connection in opened:
            connection.data_received(request)
        server.finish()

    return _best(turn) / connections


def _best(work: Callable[[], Any]) -> float:
    """Returns the microseconds of one call."""
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
