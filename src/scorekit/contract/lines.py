"""Where in a JSON text a value stands: the line an editor would jump to."""

import re
from typing import Any

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')


def line_of(text: str, *path: str | int) -> int:
    """The line (from 1) of the value at ``path`` in the JSON ``text``; of the nearest parent where there is none."""
    return max((line, depth) for depth, line in enumerate(_found(text, path)))[0]


def _found(text: str, path: tuple[str | int, ...]) -> list[int]:
    """The lines of the values along ``path``, from the whole text inwards, as far as they exist."""
    import json

    found: list[int] = []
    stack: list[Any] = []  # one entry per open container: the key or index that is being read
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
        else:
            if len(stack) == len(found) <= len(path) and tuple(stack) == path[: len(stack)]:
                found.append(text.count("\n", 0, match.start()) + 1)
            if part in "{[":
                stack.append(None if part == "{" else 0)
    return found or [1]
