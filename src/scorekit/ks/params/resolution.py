"""Parameters: a module's own, the environment's over them, globals over both (ksonnet-rules.md#parameters)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from ...errors import RenderError
from ...manifests.documents import Object
from ...manifests.patch import merge_patch
from ..app.app import Environment
from ..app.components import AppModule
from ..app.tree import Tree
from ..engine.evaluator import Evaluator, JsonnetError, Program
from ..engine.imports import VIRTUAL, ImportSearch
from ..engine.locations import SourceMap

T = TypeVar("T")

ENVIRONMENTS = "__ksonnet/environments"
PARAMS = "__ksonnet/params"

_ENTRY = f"{VIRTUAL}/params"
_ALL = f'import "{_ENTRY}"'
_COMPONENTS = f'(local p = {_ALL}; if std.isObject(p) && std.objectHas(p, "components") then p.components)'
# Of a module's file only these two are read; the rest need not evaluate.
_GLOBAL = f'local p = {_ALL}; if std.objectHas(p, "global") then p.global else {{}}'


@dataclass(frozen=True, slots=True)
class Params:
    """``own``: a module's components as its file has them. ``resolved``: the same after environment and globals, with
    bare names; it is what a component sees. ``global_keys``: the names that came from globals. ``broken``: why the
    parameters of a component do not evaluate, for those that do not; they are in neither of the first two."""

    own: Object
    resolved: Object
    global_keys: frozenset[str]
    broken: Mapping[str, RenderError]

    def code(self) -> str:
        """The value of ``std.extVar("__ksonnet/params")``."""
        return _code(self.resolved, self.broken)


def destination_code(environment: Environment) -> str:
    """The value of ``std.extVar("__ksonnet/environments")``."""
    return json.dumps({"server": environment.server, "namespace": environment.namespace})


def load_params(
    tree: Tree, evaluator: Evaluator, environment: Environment, module: AppModule, is_inherited: bool = True
) -> Params:
    """The parameters of one module in one environment; without the module's own ones unless ``is_inherited``."""
    own, shared, broken = _module_params(tree, evaluator, module, destination_code(environment))
    if not is_inherited:
        keys = {*own, *broken, *(component.key for component in module.components(tree))}
        own, shared, broken = {key: {} for key in keys}, {}, {}
    merged = {module.prefix + key: merge_patch(value, shared) for key, value in own.items()}

    path = f"{environment.folder}/params.libsonnet"
    # An old file imports "../../components/params.libsonnet" instead of the variable. ksonnet 0.13 rewrites that for
    # `param list` only; in `show`, as here, it is an import like any other, and globals are the file's own affair.
    folders = (environment.folder, *_libraries(environment))
    codes = {PARAMS: _code(merged, {module.prefix + key: error for key, error in broken.items()})}
    file = _ParamsFile(tree, evaluator, path, _read(tree, path), folders, codes)
    components, broken_here = file.fields(_COMPONENTS, "components must be an object")

    globals_path = f"{environment.folder}/globals.libsonnet"
    globals_text = tree.read(globals_path)
    added: Any = {}
    if globals_text is not None:
        added = _ParamsFile(tree, evaluator, globals_path, globals_text, folders, codes).object(
            _ALL, "an object was expected"
        )
    why = {**_of_module(broken_here, module), **broken}
    return Params(own, _of_module(components, module), frozenset({*shared, *added}), why)


def own_params(tree: Tree, evaluator: Evaluator, module: AppModule) -> Object:
    """The parameters of a module as its file has them, in no environment."""
    own, _, broken = _module_params(tree, evaluator, module, json.dumps({"server": "", "namespace": ""}))
    for error in broken.values():
        raise error
    return own


def _module_params(
    tree: Tree, evaluator: Evaluator, module: AppModule, destination: str
) -> tuple[Object, Object, dict[str, RenderError]]:
    path = module.params_path
    file = _ParamsFile(tree, evaluator, path, _read(tree, path), ("lib", "vendor"), {ENVIRONMENTS: destination})
    own, broken = file.fields(_COMPONENTS, "could not find components object in params")
    return own, file.object(_GLOBAL, "global must be an object"), broken


def _of_module(components: Mapping[str, T], module: AppModule) -> dict[str, T]:
    """The entries of one module under their bare names (ksonnet-rules.md#parameters), and none of a module below it."""
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


def _code(values: Object, broken: Mapping[str, RenderError]) -> str:
    fields = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in values.items()]
    fields += [f"{json.dumps(key)}: error {json.dumps(str(error))}" for key, error in broken.items()]
    return f'{{"components": {{{", ".join(fields)}}}}}'


@dataclass(frozen=True, slots=True)
class _ParamsFile:
    """A file of parameters, which expressions can import."""

    tree: Tree
    evaluator: Evaluator
    path: str
    text: str
    folders: tuple[str, ...]
    codes: Mapping[str, str]

    def value(self, source: str) -> Any:
        search = ImportSearch(self.tree, self.folders, virtual={_ENTRY: (self.path, self.text)})
        try:
            return self.evaluator.evaluate(Program(source, search, self.codes))
        except JsonnetError as error:
            raise SourceMap(self.path).located(error) from error

    def object(self, source: str, otherwise: str) -> Object:
        value = self.value(source)
        if not isinstance(value, dict):
            raise RenderError(otherwise, self.path)
        return value

    def fields(self, source: str, otherwise: str) -> tuple[Object, dict[str, RenderError]]:
        """The fields of an object, and why some of them do not evaluate, if they do not."""
        try:
            return self.object(source, otherwise), {}
        except RenderError as error:
            whole = error
        try:
            names = self.value(f"std.objectFields({source})")
        except RenderError:
            raise whole from None
        values: Object = {}
        broken: dict[str, RenderError] = {}
        for name in names:
            try:
                values[name] = self.value(f"{source}[{json.dumps(name)}]")
            except RenderError as error:
                broken[name] = error
        if not broken:  # it was another fault, such as an assertion
            raise whole
        return values, broken
