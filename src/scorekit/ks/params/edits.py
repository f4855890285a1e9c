"""Parameters set and deleted in place, in the files that hold them (ksonnet-rules.md#parameter-edits).

Every function takes the text of a file and its path for messages, and gives the edited text. They raise ``RenderError``
with the line if the file is not jsonnet, or if it cannot be edited safely there.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from ...errors import RenderError, SetupError
from ..app.names import is_unquoted
from ..libsonnet.edits import Replacement, SourceText, UneditableSource, replaced
from ..libsonnet.literals import field_name
from ..libsonnet.syntax import Expression
from ..libsonnet.tokens import JsonnetSyntaxError

T = TypeVar("T")


def set_param(text: str, where: str, component: str, path: Sequence[str], value: Any) -> str:
    """A module's params.libsonnet with ``components.<component>.<path>`` set to ``value``."""
    source = _parsed(text, where)
    return _edited(where, lambda: source.with_field(_components(source), [component, *path], value, "components"))


def delete_param(text: str, where: str, component: str, path: Sequence[str]) -> str | None:
    """The same without that parameter; an empty ``path`` means all of the component's. None if nothing is there."""
    source = _parsed(text, where)
    return _edited(where, lambda: source.without_field(_components(source), [component, *path], "components"))


def set_env_param(text: str, where: str, component: str, path: Sequence[str], value: Any) -> str:
    """An environment's params.libsonnet that overrides a parameter; ``component`` is the full name."""
    source = _parsed(text, where)
    keys = ["components", component, *path]
    return _edited(where, lambda: source.with_field(_overrides(source), keys, value, "params"))


def delete_env_param(text: str, where: str, component: str, path: Sequence[str]) -> str | None:
    """The same without that override; an empty ``path`` means all of the component's. None if nothing is there."""
    source = _parsed(text, where)
    keys = ["components", component, *path]
    return _edited(where, lambda: source.without_field(_overrides(source), keys, "params"))


def set_global(text: str, where: str, path: Sequence[str], value: Any) -> str:
    """An environment's globals.libsonnet with ``path`` set to ``value``."""
    source = _parsed(text, where)
    return _edited(where, lambda: source.with_field(source.root, path, value, "globals"))


def delete_global(text: str, where: str, path: Sequence[str]) -> str | None:
    """The same without ``path``; None if it is not there."""
    source = _parsed(text, where)
    return _edited(where, lambda: source.without_field(source.root, path, "globals"))


def append_component(text: str, where: str, component: str, params: Mapping[str, str]) -> str:
    """A module's params.libsonnet with an entry for a new component, laid out as ksonnet does.

    ``params`` maps names to jsonnet source. Raises ``SetupError`` if there is an entry already.
    """
    source = _parsed(text, where)
    objects = _edited(where, lambda: source.inside(_components(source), "components"))
    if any(each.field(component) for each in objects):
        raise SetupError(f"Component parameters for '{component}' already exists")
    end = source.line_end
    lines = [f"      {field_name(name)}: {value}," for name, value in sorted(params.items())] or [""]
    name = component if is_unquoted(component) else json.dumps(component, ensure_ascii=False)
    entry = end.join([f"    {name}: {{", *lines, "    },", ""])
    holder = objects[0]
    replacements = []
    if holder.members and holder.members[-1].comma is None:
        replacements.append(Replacement(holder.members[-1].end, holder.members[-1].end, ","))
    # The entry goes before the closing brace: in front of its indentation if it has a line of its own.
    close = holder.end - 1
    start = len(text[:close].rstrip(" \t"))
    if text[start - 1] == "\n":
        replacements.append(Replacement(start, start, entry))
    else:
        replacements.append(Replacement(start, close, f"{end}{entry}  "))
    return replaced(text, replacements)


def _parsed(text: str, where: str) -> SourceText:
    try:
        return SourceText(text)
    except JsonnetSyntaxError as error:
        raise RenderError(str(error), f"{where}:{error.line}") from error


def _edited(where: str, edit: Callable[[], T]) -> T:
    try:
        return edit()
    except UneditableSource as error:
        raise RenderError(f"{error}; change this line by hand", f"{where}:{error.line}") from error


def _components(source: SourceText) -> Expression:
    """The value of ``components`` in a module's file."""
    objects = source.inside(source.root, "this file")
    for each in objects:
        if (member := each.field("components")) is not None and member.value is not None:
            return member.value
    raise UneditableSource("there is no components object here", source.line(objects[0].start))


def _overrides(source: SourceText) -> Expression:
    """The object whose ``components`` an environment sets: that of ``local envParams``, or else the whole result."""
    bound = source.bound("envParams")
    return source.root if bound is None else bound
