"""From the places in an engine's error to what a person edits: component, file and line."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ...errors import RenderError
from ..app.components import ComponentFile
from .evaluator import JsonnetError, Position
from .imports import VIRTUAL


@dataclass(frozen=True, slots=True)
class ComponentSpan:
    """The lines of one component in the source of all components: its line 1 is line ``first`` there."""

    component: ComponentFile
    first: int
    lines: int


@dataclass(frozen=True, slots=True)
class SourceMap:
    """The files behind one evaluation.

    ``main`` is named if nothing else is known. ``spliced`` is the virtual file with all components, whose lines
    ``spans`` assign to them. ``aliases`` are virtual files that stand for a real one.
    """

    main: str
    spliced: str = ""
    spans: tuple[ComponentSpan, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)

    def located(self, error: JsonnetError) -> RenderError:
        """``error`` with the innermost place that is a real file, and with the component, as far as they are known."""
        places = [place for position in error.trace if (place := self._place(position)) is not None]
        component = next((each for _, each in places if each), None) or self._component(error.fields)
        home = component.path if component else self.main
        position = places[0][0] if places else Position(home, 0, 0)
        shown = ":".join(str(part) for part in (position.file, position.line, position.column) if part)
        return RenderError(error.message, f'component "{component.name}" ({shown})' if component else shown)

    def _place(self, position: Position) -> tuple[Position, ComponentFile | None] | None:
        if position.file == self.spliced:
            for span in self.spans:
                line = position.line - span.first + 1
                if 1 <= line <= span.lines:
                    return Position(span.component.path, line, position.column), span.component
        file = self.aliases.get(position.file, position.file)
        # `<std>` and `<extvar:…>` are not files either.
        return None if file.startswith((VIRTUAL, "<")) else (Position(file, position.line, position.column), None)

    def _component(self, fields: Iterable[str]) -> ComponentFile | None:
        # The fields go from the innermost outwards, and a component is the outermost field that has its name.
        known = {span.component.name: span.component for span in self.spans}
        return next((known[name] for name in reversed(tuple(fields)) if name in known), None)
