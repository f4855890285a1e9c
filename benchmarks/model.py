"""The model that every server serves: scikit-learn's logistic regression of three classes, the same numbers everywhere.

BENCH_FEATURES columns; BENCH_SLEEP_S seconds are added to each call, once for all its rows, to stand for a slow model,
and BENCH_SPIN_S seconds of computing in Python, which holds the interpreter's lock.
"""

import os
import time
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

FEATURES = int(os.environ.get("BENCH_FEATURES", "4"))
SLEEP_S = float(os.environ.get("BENCH_SLEEP_S", "0"))
SPIN_S = float(os.environ.get("BENCH_SPIN_S", "0"))


class Model:
    """Returns class probabilities (rows × 3) for rows (rows × FEATURES)."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        rows = rng.normal(size=(300, FEATURES))
        self._classifier = LogisticRegression(max_iter=1000).fit(rows, rng.integers(0, 3, 300))

    def __call__(self, rows: Any) -> Any:
        if SLEEP_S:
            time.sleep(SLEEP_S)
        until = time.thread_time() + SPIN_S
        while SPIN_S and time.thread_time() < until:
            pass
        return self._classifier.predict_proba(rows)
