"""Transformers, routers, combiners, and components that take feedback."""

from typing import Any

import numpy as np
from describing import describe, key


class Transformer:
    def transform_input(self, X: Any, names: Any, meta: Any = "absent") -> Any:
        return X * 2

    def transform_output(self, X: Any, names: Any) -> Any:
        return X + 1 if isinstance(X, np.ndarray) else X

    def class_names(self) -> list[str]:
        return ["c0", "c1"]

    def feature_names(self) -> list[str]:
        return ["never", "used"]


class TransformerDescribes:
    def transform_input(self, X: Any, names: Any, meta: Any = "absent") -> Any:
        return {"input": describe(X), "names": describe(names), "meta": describe(meta)}

    def transform_output(self, X: Any, names: Any, meta: Any = "absent") -> Any:
        return {"output": describe(X), "names": describe(names), "meta": describe(meta)}


class TransformerFails:
    def transform_input(self, X: Any, names: Any) -> Any:
        raise ValueError("no input today")

    def transform_output(self, X: Any, names: Any) -> Any:
        return None


class Router:
    """Routes as the request's key says."""

    def route(self, X: Any, names: Any, meta: Any = None) -> Any:
        return {
            "zero": 0,
            "one": 1,
            "minus-one": -1,
            "minus-two": -2,
            "large": 2**40,
            "true": True,
            "numpy": np.int64(1),
            "float": 1.0,
            "string": "1",
            "none": None,
            "list": [1],
            "array": np.array([1]),
        }[key(X, names)]

    def send_feedback(self, features: Any, names: Any, reward: Any, truth: Any, routing: Any = None) -> Any:
        return {"routing": describe(routing)}


class Combiner:
    """Answers the mean of arrays, and anything else unchanged."""

    def aggregate(self, Xs: Any, names: Any) -> Any:
        if names and [*names[0]] == ["describe"]:
            return {"Xs": describe([*Xs]), "names": describe([*names])}
        if all(isinstance(X, np.ndarray) for X in Xs) and Xs:
            return np.mean(Xs, axis=0)
        return {"Xs": describe([*Xs]), "names": describe([*names])}


class CombinerFirst:
    def aggregate(self, Xs: Any, names: Any) -> Any:
        return Xs[0]

    def class_names(self) -> list[str]:
        return ["one", "two"]


class Feedback:
    """Answers a description of what it was given."""

    def send_feedback(self, features: Any, names: Any, reward: Any, truth: Any, routing: Any = "absent") -> Any:
        return {
            "features": describe(features),
            "names": describe(names),
            "reward": reward,
            "truth": describe(truth),
            "routing": describe(routing),
        }


class FeedbackWithoutRouting:
    def send_feedback(self, features: Any, names: Any, reward: Any, truth: Any) -> Any:
        return [[1]]


class FeedbackReturns:
    """Answers what the request's first name says."""

    def send_feedback(self, features: Any, names: Any, reward: Any, truth: Any, routing: Any = None) -> Any:
        if [*names] == ["raise"]:
            raise ValueError("no feedback today")
        values: dict[str, Any] = {
            "none": None,
            "list": [1, 2],
            "rows": [[1, 2]],
            "array": np.array([[0.5, 1.0]]),
            "string": "text",
            "bytes": b"ab",
            "number": 5,
            "features": features,
        }
        return values[names[0]]
