"""A component made from a prototype (ksonnet-rules.md#prototypes)."""

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
    tree: Tree,
    evaluator: Evaluator,
    *,
    prototype: Prototype,
    flags: Mapping[str, str],
    values: tuple[str, str] | None = None,
) -> dict[str, str]:
    """The jsonnet source of every parameter, from flags and a file of values, which wins.

    ``values`` are the name and the text of that file: jsonnet whose value is an object. Raises ``SetupError`` for a
    value that does not fit its type, a missing parameter, or an object or array that is not jsonnet.
    """
    sources = prototype.values(flags)
    if values is not None:
        sources |= _values_in_file(tree, evaluator, prototype, values)
    prototype.check(sources)
    for parameter in prototype.parameters:
        if parameter.kind in ("object", "array"):
            try:
                evaluator.check(f"--{parameter.name}", sources[parameter.name])
            except JsonnetError as error:
                raise SetupError(
                    f"--{parameter.name}={sources[parameter.name]} is not jsonnet: {error.message}; "
                    f"{'an object' if parameter.kind == 'object' else 'an array'} is expected"
                ) from error
    return sources


def generate(tree: WritableTree, prototype: Prototype, module: AppModule, name: str, params: dict[str, str]) -> str:
    """Write the component and its parameters; the path of the component. Raises ``SetupError``."""
    source = prototype.expanded(name)
    return create_component(tree, module, key=name, extension="jsonnet", source=source, params=params)


def _values_in_file(tree: Tree, evaluator: Evaluator, prototype: Prototype, values: tuple[str, str]) -> dict[str, str]:
    file, text = values
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
