"""A component from a prototype (ksonnet-rules.md#prototypes)."""

import json
from collections.abc import Mapping

from ...errors import RenderError, SetupError
from ..app.components import AppModule
from ..app.tree import Tree, WritableTree
from ..edits.components import create_component
from ..engine.evaluator import Evaluator, JsonnetError, Program
from ..engine.imports import ImportSearch
from .prototype import Prototype


def component_parameters(
    tree: Tree, evaluator: Evaluator, prototype: Prototype, flags: Mapping[str, str], values: tuple[str, str] | None
) -> dict[str, str]:
    """The parameters of a component, as jsonnet: of the flags, and over them those of a file of values.

    ``values`` is that file's name and text: jsonnet that gives an object. Raises ``SetupError`` for what does not fit,
    is missing, or is no jsonnet.
    """
    found = prototype.values(flags)
    if values is not None:
        found |= _of_file(tree, evaluator, prototype, *values)
    prototype.check(found)
    for parameter in prototype.parameters:
        if parameter.kind in ("object", "array"):
            try:
                evaluator.check(f"--{parameter.name}", found[parameter.name])
            except JsonnetError as error:
                raise SetupError(
                    f"--{parameter.name}={found[parameter.name]} is no jsonnet: {error.message}; "
                    f"{'an object' if parameter.kind == 'object' else 'an array'} is expected"
                ) from error
    return found


def generate(tree: WritableTree, prototype: Prototype, module: AppModule, name: str, params: dict[str, str]) -> str:
    """Writes the component and its parameters; the path of the component. Raises ``SetupError``."""
    return create_component(tree, module, name, "jsonnet", prototype.expanded(name), params)


def _of_file(tree: Tree, evaluator: Evaluator, prototype: Prototype, file: str, text: str) -> dict[str, str]:
    try:
        value = evaluator.evaluate(Program(f"({text}\n)", ImportSearch(tree, ("lib", "vendor"))))
    except RenderError as error:
        raise SetupError(f"reading values file: {file}: {error}") from error
    if not isinstance(value, dict):
        raise SetupError(f"reading values file: {file}: an object of parameters was expected")
    known = {each.name for each in prototype.parameters}
    if unknown := sorted(set(value) - known):
        raise SetupError(
            f'reading values file: {file}: prototype "{prototype.name}" has no parameter {unknown[0]}; '
            f"it has: {', '.join(sorted(known))}"
        )
    return {name: json.dumps(each, ensure_ascii=False) for name, each in value.items()}
