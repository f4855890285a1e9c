"""The interface of a jsonnet engine."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ...errors import RenderError

Importer = Callable[[str, str], tuple[str, str]]
"""``(folder of the importing file, imported path)`` → ``(path of the file, its text)``.

Raises ``RenderError`` if there is no such file.
"""


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a source; ``line`` and ``column`` are counted from 1."""

    file: str
    line: int
    column: int


class JsonnetError(RenderError):
    """A program that does not evaluate.

    ``trace`` are the places from the innermost outwards, ``fields`` the names of the fields that were being evaluated,
    in the same order.
    """

    def __init__(self, message: str, trace: tuple[Position, ...] = (), fields: tuple[str, ...] = ()) -> None:
        self.message = message
        self.trace = trace
        self.fields = fields
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Program:
    """A jsonnet expression and everything that it may see.

    ``ext_codes`` and ``ext_vars`` are external variables by name: jsonnet source, and strings.
    """

    source: str
    importer: Importer
    ext_codes: Mapping[str, str] = field(default_factory=dict)
    ext_vars: Mapping[str, str] = field(default_factory=dict)


class Evaluator(Protocol):
    """A jsonnet engine with ksonnet's native functions."""

    def evaluate(self, program: Program) -> Any:
        """The program's value, as JSON decodes it; integers that fit 64 bits are ``int``.

        Raises ``JsonnetError`` if it does not evaluate.
        """

    def check(self, file: str, source: str) -> None:
        """Parse ``source`` without evaluating it. Raises ``JsonnetError`` with a position if it is not jsonnet."""
