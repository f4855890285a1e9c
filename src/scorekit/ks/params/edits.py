"""Parameters set and deleted in place, in the files that hold them (ksonnet-rules.md#parameter-edits)."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from ...errors import RenderError, SetupError
from ..app.components import is_bare
from ..libsonnet.edits import Replacement, SourceText, UneditableSource, replaced
from ..libsonnet.literals import field_name
from ..libsonnet.syntax import Expression
from ..libsonnet.tokens import JsonnetSyntaxError

T = TypeVar("T")

_INTEGER = re.compile(r"[+-]?[1-9][0-9]*|0")
_FRACTION = re.compile(r"[+-]?(?:0|[1-9][0-9]*)\.[0-9]+")
# Beyond it not every whole number is a number of jsonnet.
_MAX_WHOLE = 2**53


def decoded(text: str, as_string: bool = False) -> Any:
    """What a value on the command line means: a number (``-1``, ``1.5``), ``true`` or ``false`` in any case, JSON that
    begins with ``[`` or ``{``, else the text itself. Raises ``SetupError``."""
    if as_string:
        return text
    if not text:
        raise SetupError("value is invalid: value was blank")
    if _INTEGER.fullmatch(text):
        if abs(int(text)) > _MAX_WHOLE:
            raise SetupError(f"value is invalid: {text} loses digits as a number; --as-string keeps it as text")
        return int(text)
    if _FRACTION.fullmatch(text):
        return float(text)
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if text[0] in "[{":
        return _collection(text)
    return text


def set_param(text: str, where: str, component: str, path: Sequence[str], value: Any) -> str:
    """A module's params.libsonnet in which a component's parameter has a value. Raises ``RenderError``."""
    opened = _opened(text, where)
    return _told(where, lambda: opened.with_field(_components(opened), [component, *path], value, "components"))


def delete_param(text: str, where: str, component: str, path: Sequence[str]) -> str | None:
    """The same without the parameter; None where there is none. Without a ``path`` all of the component's go."""
    opened = _opened(text, where)
    return _told(where, lambda: opened.without_field(_components(opened), [component, *path], "components"))


def set_env_param(text: str, where: str, component: str, path: Sequence[str], value: Any) -> str:
    """An environment's params.libsonnet that overrides a parameter; ``component`` has its module before it."""
    opened = _opened(text, where)
    return _told(
        where, lambda: opened.with_field(_overrides(opened), ["components", component, *path], value, "params")
    )


def delete_env_param(text: str, where: str, component: str, path: Sequence[str]) -> str | None:
    """The same without the override; None where there is none. Without a ``path`` all of the component's go."""
    opened = _opened(text, where)
    return _told(where, lambda: opened.without_field(_overrides(opened), ["components", component, *path], "params"))


def set_global(text: str, where: str, path: Sequence[str], value: Any) -> str:
    """An environment's globals.libsonnet in which a name has a value."""
    opened = _opened(text, where)
    return _told(where, lambda: opened.with_field(opened.root, path, value, "globals"))


def delete_global(text: str, where: str, path: Sequence[str]) -> str | None:
    """The same without the name; None where there is none."""
    opened = _opened(text, where)
    return _told(where, lambda: opened.without_field(opened.root, path, "globals"))


def append_component(text: str, where: str, component: str, params: Mapping[str, str]) -> str:
    """A module's params.libsonnet with an entry for a new component (ksonnet-rules.md#parameter-edits).

    ``params`` are names and jsonnet source. The entry goes before the brace that closes ``components``.
    """
    opened = _opened(text, where)
    found = _told(where, lambda: opened.inside(_components(opened), "components"))
    if any(each.field(component) for each in found):
        raise SetupError(f"Component parameters for '{component}' already exists")
    end = opened.line_end
    lines = [f"      {field_name(name)}: {source}," for name, source in sorted(params.items())] or [""]
    name = component if is_bare(component) else json.dumps(component, ensure_ascii=False)
    entry = end.join([f"    {name}: {{", *lines, "    },", ""])
    holder = found[0]
    splices = []
    if holder.members and holder.members[-1].comma is None:
        splices.append(Replacement(holder.members[-1].end, holder.members[-1].end, ","))
    close = holder.end - 1
    start = len(text[:close].rstrip(" \t"))
    if text[start - 1] == "\n":
        splices.append(Replacement(start, start, entry))
    else:
        splices.append(Replacement(start, close, f"{end}{entry}  "))
    return replaced(text, splices)


def _collection(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refused)
    except ValueError as error:
        kind = "array" if text[0] == "[" else "map"
        raise SetupError(f"value is invalid: {kind} value is badly formatted: {text}") from error


def _refused(word: str) -> None:
    raise ValueError(word)


def _opened(text: str, where: str) -> SourceText:
    try:
        return SourceText(text)
    except JsonnetSyntaxError as error:
        raise RenderError(str(error), f"{where}:{error.line}") from error


def _told(where: str, edit: Callable[[], T]) -> T:
    try:
        return edit()
    except UneditableSource as error:
        raise RenderError(f"{error}; change this line by hand", f"{where}:{error.line}") from error


def _components(opened: SourceText) -> Expression:
    """The value of ``components`` in a module's file."""
    root = opened.inside(opened.root, "this file")
    for each in root:
        if (member := each.field("components")) is not None and member.value is not None:
            return member.value
    raise UneditableSource("there is no components object here", opened.line(root[0].start))


def _overrides(opened: SourceText) -> Expression:
    """The object whose ``components`` are an environment's own: that of the local ``envParams``, else the result."""
    bound = opened.bound("envParams")
    return opened.root if bound is None else bound
