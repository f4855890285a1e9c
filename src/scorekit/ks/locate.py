"""From an engine's trace to what a person edits: component, file and line."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..errors import RenderError
from .components import Component
from .evaluator import JsonnetError, Position
from .search import VIRTUAL, ImportNotFound

_NO_FIELD = re.compile(r"no such field: ([A-Za-z_][A-Za-z0-9_]*)")


@dataclass(frozen=True, slots=True)
class Span:
    """Where a component's own source lies within the object of all components: its line 1 is line ``first`` there."""

    component: Component
    first: int
    lines: int


@dataclass(frozen=True, slots=True)
class Sources:
    """The files behind one evaluation. ``main`` is blamed when nothing else is known; ``texts`` are worth a look."""

    main: str
    texts: Mapping[str, str]
    spliced: str = ""
    spans: tuple[Span, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)

    def located(self, error: JsonnetError) -> RenderError:
        """``error`` with the innermost place that is a file, and the component it is about, as far as known."""
        places = [place for position in error.trace if (place := self._place(position)) is not None]
        component = next((found for _, found in places if found), None) or self._component(error.fields)
        position = places[0][0] if places else self._guess(error, component)
        shown = ":".join(str(part) for part in (position.file, position.line, position.column) if part)
        return RenderError(error.message, f'component "{component.name}" ({shown})' if component else shown)

    def _place(self, position: Position) -> tuple[Position, Component | None] | None:
        if position.file == self.spliced:
            for span in self.spans:
                line = position.line - span.first + 1
                if 1 <= line <= span.lines:
                    return Position(span.component.path, line, position.column), span.component
        file = self.aliases.get(position.file, position.file)
        return None if file.startswith(VIRTUAL) else (Position(file, position.line, position.column), None)

    def _component(self, fields: Iterable[str]) -> Component | None:
        # The fields of a trace go outwards; the components are the outermost ones it can name.
        known = {span.component.name: span.component for span in self.spans}
        return next((known[name] for name in reversed(tuple(fields)) if name in known), None)

    def _guess(self, error: JsonnetError, component: Component | None) -> Position:
        """The engine gives no position for a missing field or import: the one line that mentions it is the place."""
        cause = error.__cause__.__cause__ if error.__cause__ else None
        wanted = _NO_FIELD.match(error.message)
        if isinstance(cause, ImportNotFound):
            needle = re.compile(rf"""["']{re.escape(cause.wanted)}["']""")
        elif wanted:
            needle = re.compile(rf"""\.\s*{wanted[1]}\b|\[\s*["']{wanted[1]}["']\s*\]""")
        else:
            needle = re.compile(r"(?!)")
        at_home = component.path if component else self.main
        hits = [
            Position(path, number, 0)
            for path in dict.fromkeys([at_home, *self.texts])
            for number, line in enumerate(self.texts.get(path, "").split("\n"), 1)
            if needle.search(line)
        ]
        return hits[0] if len(hits) == 1 else Position(at_home, 0, 0)
