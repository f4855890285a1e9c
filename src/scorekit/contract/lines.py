"""The line of a value in a JSON text, for errors: the line that an editor would jump to.

Python's JSON parser does not keep positions, and a parser that does would be a dependency for error messages. So the
text is parsed as usual, and only if a value turns out to be wrong its tokens are walked once more, with a stack of the
keys and indices that lead to the current token::

    {"features": [{"name": "x", "ftype": 1}]}
                                         ▲  stack: features, 0, ftype

``None`` on the stack stands for an object's key that is still to come.
"""

import re
from typing import Any

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')


def line_of(text: str, *path: str | int) -> int:
    """The line, counted from 1, of the value at ``path`` in valid JSON; of its nearest parent if it does not exist."""
    return _lines(text, path)[-1]


def _lines(text: str, path: tuple[str | int, ...]) -> list[int]:
    """The lines of the values along ``path``, from the whole text inwards, as far as they exist."""
    import json

    lines: list[int] = []
    stack: list[Any] = []
    for match in _TOKEN.finditer(text):
        part = match[0]
        if part in "}]":
            stack.pop()
        elif part == ",":
            stack[-1] = stack[-1] + 1 if isinstance(stack[-1], int) else None
        elif part == ":":
            continue
        elif stack and stack[-1] is None:
            stack[-1] = json.loads(part)
        else:  # a value begins
            if len(stack) == len(lines) <= len(path) and tuple(stack) == path[: len(stack)]:
                lines.append(text.count("\n", 0, match.start()) + 1)
            if part in "{[":
                stack.append(None if part == "{" else 0)
    return lines or [1]
