"""Models: what they see, what they return, how they name their columns."""

from typing import Any

import numpy as np
from describing import describe, key


class Describe:
    """Answers what it was given."""

    def predict(self, X: Any, names: Any, meta: Any = "absent") -> Any:
        return {"X": describe(X), "names": describe(names), "meta": describe(meta)}


class DescribeWithoutMeta:
    """Answers what it was given; its signature has no ``meta``."""

    def predict(self, X: Any, names: Any) -> Any:
        return {"X": describe(X), "names": describe(names)}


class DescribeKeywords:
    """Answers what it was given; its signature takes any keyword."""

    def predict(self, X: Any, names: Any, **more: Any) -> Any:
        return {"X": describe(X), "names": describe(names), "more": describe(more)}


class DescribeMetaSecond:
    """Answers what it was given; its second parameter, which gets the names, is called ``meta``."""

    def predict(self, X: Any, meta: Any) -> Any:
        return {"X": describe(X), "meta": describe(meta)}


class DescribeBehindDecorator:
    """Answers what it was given, behind a decorator that takes any keyword and hands it on."""

    @staticmethod
    def _decorated(X: Any, names: Any) -> Any:
        return {"X": describe(X), "names": describe(names)}

    def predict(self, *arguments: Any, **more: Any) -> Any:
        return self._decorated(*arguments, **more)


class TwiceOnTypeError:
    """Raises ``TypeError`` for reasons of its own when it is given ``meta``."""

    def predict(self, X: Any, names: Any, meta: Any = "absent") -> Any:
        if meta == "absent":
            return "called again"
        raise TypeError("of the model's own")


class Nothing:
    """A class without methods."""


class Returns:
    """Returns what the request's key says: each kind of value, good and bad."""

    def predict(self, X: Any, names: Any) -> Any:
        values: dict[str, Any] = {
            "list": [1, 2],
            "list-empty": [],
            "list-nested": [[1, 2], [3, 4]],
            "list-mixed": [[1, "a"], [None, True]],
            "list-ragged-objects": [{"a": 1}, {"b": [2]}],
            "list-floats": [[0.1, 2.0]],
            "list-bools": [[True, False]],
            "list-of-arrays": [np.array([1, 2])],
            "int": np.array([[1, 2], [3, 4]]),
            "int8": np.array([[1, -2]], np.int8),
            "uint64": np.array([[2**64 - 1]], np.uint64),
            "float": np.array([[0.5, 1 / 3]]),
            "float32": np.array([[0.1, 0.25]], np.float32),
            "float16": np.array([[0.1, 0.25]], np.float16),
            "large": np.array([[1e300, 5e-324, -0.0]]),
            "bool": np.array([[True, False]]),
            "str": np.array([["a", "ü\u2028<&>"]]),
            "object": np.array([["a", 1, None]], object),
            "bytes-array": np.array([[b"a"]]),
            "complex": np.array([[1j]]),
            "datetime": np.array(["2020-01-01"], "datetime64[D]"),
            "empty": np.zeros((0,)),
            "empty-rows": np.zeros((0, 3)),
            "empty-columns": np.zeros((2, 0)),
            "zero-dim": np.array(7),
            "one-dim": np.array([1.5, 2.5]),
            "three-dim": np.arange(12).reshape(2, 3, 2),
            "fortran": np.asfortranarray(np.arange(6).reshape(2, 3)),
            "view": np.arange(12).reshape(3, 4)[::2, ::-1],
            "big-endian": np.array([[1.5]], ">f8"),
            "nan": np.array([[float("nan"), 1.0]]),
            "infinity": np.array([[float("inf"), float("-inf")]]),
            "nan-list": [[float("nan")]],
            "matrix": np.ma.array([[1.0, 2.0]], mask=[[False, True]]),  # type: ignore[no-untyped-call,unused-ignore]
            "dict": {"b": 1, "a": [1.5, None, True, "x"]},
            "dict-empty": {},
            "dict-nan": {"a": float("nan")},
            "dict-keys": {1: "int", "s": "str"},
            "dict-numpy": {"a": np.float64(1.5)},
            "dict-status": {"status": {"code": 400}},
            "string": "ünï <>&",
            "string-empty": "",
            "bytes": b"\x00\xff",
            "bytes-empty": b"",
            "bytearray": bytearray(b"ab"),
            "tuple": (1, 2),
            "none": None,
            "number": 5,
            "number-float": 1.5,
            "true": True,
            "scalar-int": np.int64(3),
            "scalar-float": np.float64(1.5),
            "scalar-str": np.str_("s"),
            "set": {1},
            "generator": iter([]),
        }
        if key(X, names) == "input":
            return X
        return values[key(X, names)]


class NamesMethod:
    def predict(self, X: Any, names: Any) -> Any:
        return X

    def class_names(self) -> list[str]:
        return ["first", "second"]


class NamesAttribute:
    class_names = ("first", "second")

    def predict(self, X: Any, names: Any) -> Any:
        return X


class NamesArray:
    def predict(self, X: Any, names: Any) -> Any:
        return X

    def class_names(self) -> Any:
        return np.array(["first", "second"])


class NamesNumbers:
    class_names = [0, 1]  # noqa: RUF012  what a careless class has

    def predict(self, X: Any, names: Any) -> Any:
        return X


class NamesEmpty:
    class_names: list[str] = []  # noqa: RUF012  what a careless class has

    def predict(self, X: Any, names: Any) -> Any:
        return X


class NamesNone:
    def predict(self, X: Any, names: Any) -> Any:
        return X

    def class_names(self) -> Any:
        return None


class NamesRaise:
    def predict(self, X: Any, names: Any) -> Any:
        return X

    def class_names(self) -> list[str]:
        raise ValueError("no names today")

    def feature_names(self) -> list[str]:
        return ["never", "used"]


class Loaded:
    """Knows whether ``load`` ran, and with which parameters it was built."""

    def __init__(self, **parameters: Any) -> None:
        self._parameters = parameters
        self._loads = 0

    def load(self) -> None:
        self._loads += 1

    def predict(self, X: Any, names: Any) -> Any:
        given = {name: [type(value).__name__, value] for name, value in self._parameters.items()}
        return {"loads": self._loads, "parameters": given}


class LoadNotImplemented:
    def load(self) -> None:
        raise NotImplementedError

    def predict(self, X: Any, names: Any) -> Any:
        return X


class Raises:
    """Raises what the request's key says."""

    def predict(self, X: Any, names: Any) -> Any:
        raise {
            "ValueError": ValueError("a value"),
            "KeyError": KeyError("a key"),
            "TypeError": TypeError("a type"),
            "AttributeError": AttributeError("an attribute"),
            "NotImplementedError": NotImplementedError("not yet"),
            "empty": RuntimeError(),
            "unicode": RuntimeError("ünï"),
            "AssertionError": AssertionError("it does not hold"),
            "StopIteration": StopIteration(),
        }[key(X, names)]
