"""Parameters: a module's own, the environment's over them, globals over both (ksonnet §B.4 steps 1 and 2)."""

import json
from dataclasses import dataclass
from typing import Any

from ..errors import RenderError
from ..manifests.documents import Object
from ..manifests.patch import merge_patch
from .app import Environment
from .components import Module
from .evaluator import Evaluator, JsonnetError, Program
from .locate import Sources
from .search import VIRTUAL, Search
from .tree import Tree

ENVIRONMENTS = "__ksonnet/environments"
PARAMS = "__ksonnet/params"

_ENTRY = f"{VIRTUAL}/params"
# Of a params file only these two are read; the rest need not evaluate.
_MODULE = (
    f'local p = import "{_ENTRY}"; {{[k]: p[k] for k in std.objectFields(p) if k == "components" || k == "global"}}'
)
_ENVIRONMENT = f'{{components: (import "{_ENTRY}").components}}'
_ALL = f'import "{_ENTRY}"'


@dataclass(frozen=True, slots=True)
class Params:
    """``own``: a module's components as its file has them. ``resolved``: the same after environment and globals, with
    bare names; it is what a component sees. ``global_keys``: the names that came from globals."""

    own: Object
    resolved: Object
    global_keys: frozenset[str]

    def code(self) -> str:
        """The value of ``std.extVar("__ksonnet/params")``."""
        return json.dumps({"components": self.resolved})


def destination_code(environment: Environment) -> str:
    """The value of ``std.extVar("__ksonnet/environments")``."""
    return json.dumps({"server": environment.server, "namespace": environment.namespace})


def load_params(tree: Tree, evaluator: Evaluator, environment: Environment, module: Module) -> Params:
    """The parameters of one module in one environment."""
    own, shared = _module_params(tree, evaluator, environment, module)
    merged = {module.prefix + key: merge_patch(value, shared) for key, value in own.items()}

    path = f"{environment.folder}/params.libsonnet"
    text = _read(tree, path)
    # An old file imports "../../components/params.libsonnet" instead of the variable. ksonnet 0.13 rewrites that for
    # `param list` only; in `show`, as here, it is an import like any other, and globals are the file's own affair.
    folders = (environment.folder, *_libraries(environment))
    codes = {PARAMS: json.dumps({"components": merged})}
    value = _evaluate(tree, evaluator, _ENVIRONMENT, path, text, folders, codes)
    components = value.get("components")
    if not isinstance(components, dict):
        raise RenderError("components must be an object", path)

    globals_path = f"{environment.folder}/globals.libsonnet"
    globals_text = tree.read(globals_path)
    added: Any = {}
    if globals_text is not None:
        added = _evaluate(tree, evaluator, _ALL, globals_path, globals_text, folders, codes)
    return Params(own, _of_module(components, module), frozenset({*shared, *added}))


def _module_params(tree: Tree, evaluator: Evaluator, environment: Environment, module: Module) -> tuple[Object, Object]:
    path = module.params_path
    codes = {ENVIRONMENTS: destination_code(environment)}
    value = _evaluate(tree, evaluator, _MODULE, path, _read(tree, path), ("lib", "vendor"), codes)
    own, shared = value.get("components"), value.get("global", {})
    if not isinstance(own, dict):
        raise RenderError("could not find components object in params", path)
    if not isinstance(shared, dict):
        raise RenderError("global must be an object", path)
    return own, shared


def _of_module(components: Object, module: Module) -> Object:
    """The entries of one module under their bare names (§B.4.2), and none of a module below it."""
    return {
        name.removeprefix(module.prefix): value
        for name, value in components.items()
        if value is not None and name.startswith(module.prefix) and "." not in name.removeprefix(module.prefix)
    }


def _libraries(environment: Environment) -> tuple[str, ...]:
    return (f"lib/ksonnet-lib/{environment.k8s_version}", "lib", "vendor")


def _read(tree: Tree, path: str) -> str:
    text = tree.read(path)
    if text is None:
        raise RenderError("this file is missing; ksonnet makes it with every environment and module", path)
    return text


def _evaluate(
    tree: Tree,
    evaluator: Evaluator,
    source: str,
    path: str,
    text: str,
    folders: tuple[str, ...],
    codes: dict[str, str],
) -> Any:
    search = Search(tree, folders, virtual={_ENTRY: (path, text)})
    try:
        value = evaluator.evaluate(Program(source, search, codes))
    except JsonnetError as error:
        raise Sources(main=path, texts={path: text}).located(error) from error
    if not isinstance(value, dict):
        raise RenderError("an object was expected", path)
    return value
