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
    """``source`` is the object; ``spans`` say whose lines are whose; ``manifests`` counts the documents of each YAML or
    JSON component."""

    source: str
    spans: tuple[ComponentSpan, ...]
    manifests: dict[str, int]


def components_object(
    tree: Tree, evaluator: Evaluator, module: AppModule, own: Object, wanted: Set[str]
) -> ComponentsObject:
    """The object of all components of ``module``.

    Jsonnet files become its fields as they stand, so that ``$`` is the object of all components, as in ksonnet. Each
    is parsed alone first, for an error with a place. One that does not parse is an error only if it is ``wanted`` or
    nothing in particular is; otherwise its field fails when something uses it.
    """
    lines = ["{"]
    spans: list[ComponentSpan] = []
    manifests: dict[str, int] = {}
    for component in module.components(tree):
        text = tree.read(component.path) or ""
        try:
            if component.kind == "jsonnet":
                body = _jsonnet(evaluator, component, text)
            else:
                found = _manifests(component, text)
                manifests[component.name] = len(found)
                found[0] = merge_patch(found[0], own.get(component.key, {}))
                body = json.dumps(found[0] if len(found) == 1 else wrap(found), allow_nan=False)
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
        found = _documents(component, text)
    except RenderError as error:
        message = str(error).removeprefix(f"{error.where}: ")
        raise RenderError(message, component.where(error.where.removeprefix(component.path))) from error
    if not found:
        raise RenderError("it holds no object", where)
    for number, value in enumerate(found, 1):
        if not isinstance(value, dict):
            raise RenderError(f"document {number} is not an object", where)
    return found


def _documents(component: ComponentFile, text: str) -> list[Any]:
    if component.path.endswith(".json"):
        try:
            return [json.loads(text)]
        except ValueError:
            pass  # ksonnet reads .json as YAML too, which allows comments
    return documents(text, component.path)
