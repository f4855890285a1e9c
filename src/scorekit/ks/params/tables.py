"""The rows of ``param list`` and ``param diff`` (ksonnet-rules.md#parameter-edits)."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ...errors import RenderError, SetupError
from ...manifests.printing import compact_json
from ..app.app import Environment
from ..app.components import all_modules, find_module, rendered_modules
from ..app.tree import Tree
from ..engine.evaluator import Evaluator
from ..libsonnet.literals import field_name, quoted
from .resolution import Params, load_params, own_params

TableRow = list[str]


def module_rows(tree: Tree, evaluator: Evaluator, module: str, component: str = "") -> list[TableRow]:
    """Component, parameter and value of what one module's file has; of one component if it is named.

    Raises ``SetupError`` if there is no such module, and ``RenderError`` if its parameters do not evaluate.
    """
    try:
        app_module = find_module(tree, module)
    except RenderError as error:
        is_known = module in {each.name for each in all_modules(tree)}
        reason = str(error) if is_known else f'unable to find module "{module}"'
        raise SetupError(f"could not find module: {reason}") from error
    return _rows(own_params(tree, evaluator, app_module), component)


def environment_rows(
    tree: Tree, evaluator: Evaluator, environment: Environment, component: str = "", *, is_inherited: bool = True
) -> list[TableRow]:
    """The same for all modules that an environment renders, with the values that it uses.

    Without ``is_inherited`` only what the environment itself sets. Raises ``RenderError``.
    """
    rows: list[TableRow] = []
    for module in rendered_modules(tree, environment):
        params = load_params(tree, evaluator, environment, module, is_inherited=is_inherited)
        _check(params)
        rows += _rows(params.resolved, component)
    return rows


def difference_rows(
    tree: Tree, evaluator: Evaluator, environments: tuple[Environment, Environment], component: str = ""
) -> list[TableRow]:
    """Component, parameter and both values, of parameters that differ between two environments.

    Changed values come first, then those that only the first environment has, then those of the second.
    """
    first, second = (_values(tree, evaluator, environment) for environment in environments)
    changed = [key for key in first if key in second and first[key] != second[key]]
    rows = [
        *([*key, first[key], second[key]] for key in changed),
        *([*key, first[key], ""] for key in first if key not in second),
        *([*key, "", second[key]] for key in second if key not in first),
    ]
    return [row for row in rows if component in ("", row[0])]


def shown(value: Any) -> str:
    """A value as ``param list`` prints it: jsonnet whose outermost object or array begins on the same line."""
    if isinstance(value, dict) and value:
        fields = (f"{field_name(key)}: {_nested(child, 0)}" for key, child in sorted(value.items()))
        return "{ " + ", ".join(fields) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_nested(child, 0) for child in value) + "]"
    return _nested(value, 0)


def go_number(value: float) -> str:
    """A number as go-jsonnet prints it: integers in digits, others with 17 of them (0.1 is 0.10000000000000001)."""
    return f"{value:.0f}" if value == int(value) else f"{value:.17g}"


def _rows(components: Mapping[str, Any], wanted: str) -> list[TableRow]:
    rows = []
    for name, params in sorted(components.items()):
        if wanted not in ("", name):
            continue
        if not isinstance(params, dict):
            raise SetupError(f'component "{name}" value is not an object')
        rows += [[name, key, shown(value)] for key, value in sorted(params.items())]
    return rows


def _values(tree: Tree, evaluator: Evaluator, environment: Environment) -> dict[tuple[str, str], str]:
    values: dict[tuple[str, str], str] = {}
    for module in rendered_modules(tree, environment):
        params = load_params(tree, evaluator, environment, module)
        _check(params)
        for name, fields in params.resolved.items():
            for key, value in sorted(fields.items()) if isinstance(fields, dict) else ():
                values[module.prefix + name, key] = _json(value)
    return values


def _check(params: Params) -> None:
    for error in params.broken.values():
        raise error


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else compact_json(value)


def _nested(value: Any, depth: int) -> str:
    inner, outer = "\n" + "  " * (depth + 1), "\n" + "  " * depth
    if isinstance(value, dict):
        fields = (f"{inner}{field_name(key)}: {_nested(child, depth + 1)}," for key, child in sorted(value.items()))
        return _wrapped("{", fields, outer + "}") if value else "{}"
    if isinstance(value, list):
        items = (f"{inner}{_nested(child, depth + 1)}," for child in value)
        return _wrapped("[", items, outer + "]") if value else "[]"
    if isinstance(value, str):
        return quoted(value, '"' if "'" in value else "'")
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    return go_number(value)


def _wrapped(opening: str, lines: Iterable[str], closing: str) -> str:
    return opening + "".join(lines) + closing
