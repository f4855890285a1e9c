"""What rendering asks of a jsonnet engine."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ...errors import RenderError

Importer = Callable[[str, str], tuple[str, str]]
"""``(folder of the importing file, what it asks for)`` → ``(path found, its text)``; raises where nothing is found."""


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a source, counted from 1."""

    file: str
    line: int
    column: int


class JsonnetError(RenderError):
    """A program that does not evaluate. ``trace`` goes from the innermost place outwards, ``fields`` likewise."""

    def __init__(self, message: str, trace: tuple[Position, ...] = (), fields: tuple[str, ...] = ()) -> None:
        self.message = message
        self.trace = trace
        self.fields = fields
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Program:
    """A jsonnet expression and all it may see."""

    source: str
    importer: Importer
    ext_codes: Mapping[str, str] = field(default_factory=dict)
    ext_vars: Mapping[str, str] = field(default_factory=dict)


class Evaluator(Protocol):
    def evaluate(self, program: Program) -> Any:
        """Its value as JSON gives it, whole numbers within 64 bits as ``int``; else ``JsonnetError``."""

    def check(self, file: str, source: str) -> None:
        """``JsonnetError`` with a position if ``source`` alone is not jsonnet. Nothing is evaluated."""
