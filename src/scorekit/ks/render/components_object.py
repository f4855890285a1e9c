"""All components of a module as the source of one object (ksonnet-rules.md#components-object)."""

import json
from collections.abc import Set
from dataclasses import dataclass
from typing import Any

from ...errors import RenderError
from ...manifests.documents import Object, documents
from ...manifests.extract import wrap
from ...manifests.patch import merge_patch
from ..app.components import AppModule, ComponentFile
from ..app.tree import Tree
from ..engine.evaluator import Evaluator, JsonnetError
from ..engine.locations import ComponentSpan


@dataclass(frozen=True, slots=True)
class ComponentsObject:
    """``source`` is the object; ``spans`` say which lines are whose.

    ``manifests`` has the number of documents of each component that is YAML or JSON.
    """

    source: str
    spans: tuple[ComponentSpan, ...]
    manifests: dict[str, int]


def components_object(
    tree: Tree, evaluator: Evaluator, module: AppModule, own: Object, wanted: Set[str]
) -> ComponentsObject:
    """The object of all components of ``module``; ``own`` are the module's own parameters.

    Raises ``RenderError`` for a component that does not parse, if it is ``wanted`` or if ``wanted`` is empty. Any other
    becomes an ``error`` expression, which fails only what uses it.
    """
    # Jsonnet components are inserted as source text, not imported. That is ksonnet's rule, and apps rely on it: `$` in
    # a component is the object of all components, so one can read a sibling as `$["other"]`. The price is that every
    # error has a line of this object; the spans lead back to the file.
    #
    #     {                                        line 1
    #     "web": (                                 line 2
    #     <line 1 of components/web.jsonnet>       line 3: ComponentSpan(web, first=3, lines=…)
    #     …
    #     ),
    #
    # The parentheses keep a component that is a sum or a `local` one value. Each jsonnet file is parsed on its own
    # first: a missing brace would otherwise take in the components after it, and the error would be in one of these.
    lines = ["{"]
    spans: list[ComponentSpan] = []
    manifests: dict[str, int] = {}
    for component in module.components(tree):
        text = tree.read(component.path) or ""
        try:
            if component.kind == "jsonnet":
                body = _jsonnet(evaluator, component, text)
            else:
                values = _manifests(component, text)
                manifests[component.name] = len(values)
                values[0] = merge_patch(values[0], own.get(component.key, {}))
                body = json.dumps(values[0] if len(values) == 1 else wrap(values), allow_nan=False)
        except RenderError as error:
            if not wanted or component.name in wanted:
                raise
            body = f"error {json.dumps(str(error))}"
        lines.append(f"{json.dumps(component.name)}: (")
        spans.append(ComponentSpan(component, len(lines) + 1, body.count("\n") + 1))
        lines += [*body.split("\n"), "),"]
    lines.append("}")
    return ComponentsObject("\n".join(lines), tuple(spans), manifests)


def _jsonnet(evaluator: Evaluator, component: ComponentFile, text: str) -> str:
    try:
        evaluator.check(component.path, text)
    except JsonnetError as error:
        place = "".join(f":{part}" for at in error.trace[:1] for part in (at.line, at.column))
        raise RenderError(error.message, component.where(place)) from error
    return text


def _manifests(component: ComponentFile, text: str) -> list[Any]:
    where = component.where()
    try:
        values = _documents(component, text)
    except RenderError as error:
        message = str(error).removeprefix(f"{error.where}: ")
        raise RenderError(message, component.where(error.where.removeprefix(component.path))) from error
    if not values:
        raise RenderError("it holds no object", where)
    for number, value in enumerate(values, 1):
        if not isinstance(value, dict):
            raise RenderError(f"document {number} is not an object", where)
    return values


def _documents(component: ComponentFile, text: str) -> list[Any]:
    if component.path.endswith(".json"):
        try:
            return [json.loads(text)]
        except ValueError:
            pass  # ksonnet reads .json as YAML, which allows comments
    return documents(text, component.path)
