"""How often the call path of one prediction returns to a source file that it had left.

A reader who follows a request through the code turns a page at each such return, so fewer is better. Counted are the
functions of scorekit that are called from the first bytes of a connection to its answer, in order: each call into
another file than the call before is a hop, and a hop into a file that was left before is a return. The model's contract
is checked and batching is on. ``-v`` prints the path.
"""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import in_process
import numpy as np
import orjson

import scorekit
from scorekit.contract.columns import Column, Contract

PACKAGE = Path(scorekit.__file__).parent
CONTRACT = Contract(
    features=tuple(Column(name=name, ftype="continuous") for name in ("length", "width")),
    targets=(Column(name="area", ftype="continuous"),),
)

# Python before 3.12 runs a comprehension as a function of its own.
_INLINE = frozenset({"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"})

Call = tuple[str, str]
"""A function that was called: its file below the package, and its qualified name."""


class Area:
    """A model with what most have: predict, and names for the columns of its answer."""

    def predict(self, X: Any, features_names: Any) -> Any:  # noqa: N803
        return np.prod(X, axis=1, keepdims=True)

    def class_names(self) -> list[str]:
        return ["area"]


def calls() -> list[Call]:
    """The functions of scorekit that one prediction calls, in order."""
    return asyncio.run(_traced())


def returns(path: Sequence[Call]) -> list[int]:
    """The places in ``path`` of the calls that lead back into a file which had been left."""
    seen: set[str] = set()
    current, places = "", []
    for place, (file, _) in enumerate(path):
        if file != current and file in seen:
            places.append(place)
        seen.add(file)
        current = file
    return places


async def _traced() -> list[Call]:
    server = in_process.Server(Area(), CONTRACT)
    request = in_process.request(orjson.dumps(CONTRACT.sample()))
    path: list[Call] = []

    def note(frame: FrameType, event: str, argument: Any) -> None:
        code = frame.f_code
        file = Path(code.co_filename)
        if event == "call" and code.co_name not in _INLINE and file.is_relative_to(PACKAGE):
            path.append((str(file.relative_to(PACKAGE)), code.co_qualname))

    for profile in (None, note):  # the first prediction fills caches: response heads, names of columns
        connection, transport = server.undecided()
        sys.setprofile(profile)
        connection.data_received(request)
        server.finish()
        sys.setprofile(None)
        if not transport.answer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"the prediction failed: {transport.answer!r}")
    return path


def main() -> None:
    path = calls()
    back = returns(path)
    if "-v" in sys.argv[1:]:
        for place, (file, function) in enumerate(path):
            print(f"{'<' if place in back else ' '} {file:32} {function}")
    files = len({file for file, _ in path})
    print(f"{len(back)} returns to a file already left, in {len(path)} calls of {files} files")


if __name__ == "__main__":
    main()
