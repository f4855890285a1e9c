"""The model behind BentoML: a batchable API, as its documentation shows; limits so wide that it refuses nothing."""

import bentoml
import numpy as np
from model import Model


@bentoml.service(workers=1, traffic={"timeout": 60})
class Bench:
    def __init__(self):
        self._bench = Model()

    @bentoml.api(batchable=True, max_batch_size=64, max_latency_ms=10_000)
    def predict(self, x: np.ndarray) -> np.ndarray:
        return self._bench(x)
