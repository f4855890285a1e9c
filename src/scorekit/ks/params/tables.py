"""Parameters as ``param list`` and ``param diff`` show them (ksonnet-rules.md#parameter-edits)."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ...errors import RenderError, SetupError
from ...manifests.printing import compact_json
from ..app.app import load_app
from ..app.components import all_modules, find_module, rendered_modules
from ..app.tree import Tree
from ..engine.evaluator import Evaluator
from ..libsonnet.literals import field_name, quoted
from .resolution import Params, load_params, own_params

Row = list[str]


def listed(
    tree: Tree,
    evaluator: Evaluator,
    component: str = "",
    environment: str = "",
    module: str = "",
    is_inherited: bool = True,
) -> list[Row]:
    """Component, parameter and value of every parameter, or of one component's.

    With an ``environment``, of all modules that it renders, as they see them (without their own unless
    ``is_inherited``); else of one module, as its file has them.
    """
    rows: list[Row] = []
    if not environment:
        try:
            found = find_module(tree, module or "/")
        except RenderError as error:
            raise SetupError(f"could not find module: {_unfound(tree, module) or error}") from error
        return _rows(own_params(tree, evaluator, found), component)
    where = load_app(tree).environment(environment)
    for each in rendered_modules(tree, where):
        params = load_params(tree, evaluator, where, each, is_inherited)
        _check(params)
        rows += _rows(params.resolved, component)
    return rows


def differences(tree: Tree, evaluator: Evaluator, one: str, other: str, component: str = "") -> list[Row]:
    """Component, parameter and both values: first what differs, then what only the first has, then only the other."""
    first, second = _values(tree, evaluator, one), _values(tree, evaluator, other)
    both = [key for key in first if key in second and first[key] != second[key]]
    rows = [
        *([*key, first[key], second[key]] for key in both),
        *([*key, first[key], ""] for key in first if key not in second),
        *([*key, "", second[key]] for key in second if key not in first),
    ]
    return [row for row in rows if component in ("", row[0])]


def shown(value: Any) -> str:
    """A value as jsonnet: the outermost object or array begins on one line, what is in it does not."""
    if isinstance(value, dict) and value:
        return (
            "{ " + ", ".join(f"{field_name(key)}: {_nested(child, 0)}" for key, child in sorted(value.items())) + " }"
        )
    if isinstance(value, list):
        return "[" + ", ".join(_nested(child, 0) for child in value) + "]"
    return _nested(value, 0)


def _rows(components: Mapping[str, Any], wanted: str) -> list[Row]:
    rows = []
    for name, params in sorted(components.items()):
        if wanted not in ("", name):
            continue
        if not isinstance(params, dict):
            raise SetupError(f'component "{name}" value is not an object')
        rows += [[name, key, shown(value)] for key, value in sorted(params.items())]
    return rows


def _values(tree: Tree, evaluator: Evaluator, environment: str) -> dict[tuple[str, str], str]:
    where = load_app(tree).environment(environment)
    found: dict[tuple[str, str], str] = {}
    for module in rendered_modules(tree, where):
        params = load_params(tree, evaluator, where, module)
        _check(params)
        for name, values in params.resolved.items():
            for key, value in sorted(values.items()) if isinstance(values, dict) else ():
                found[module.prefix + name, key] = _plain(value)
    return found


def _check(params: Params) -> None:
    for error in params.broken.values():
        raise error


def _plain(value: Any) -> str:
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


def go_number(value: float) -> str:
    """A number as go-jsonnet makes text of it: whole ones in digits, others with 17 of them (0.1 is …001)."""
    return f"{value:.0f}" if value == int(value) else f"{value:.17g}"


def _unfound(tree: Tree, module: str) -> str:
    names = [each.name for each in all_modules(tree)]
    return "" if module in names else f'unable to find module "{module}"'
