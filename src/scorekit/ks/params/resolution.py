"""The parameters of a module in an environment, resolved over all layers (ksonnet-rules.md#parameters).

::

    components/<module>/params.libsonnet     components: {web: {replicas: 1}}, global: {team: "a"}
              │ evaluated alone, then `global` merged into every component
              ▼
    {"web": {replicas: 1, team: "a"}}        ──▶ std.extVar("__ksonnet/params")
              │ keys prefixed with the module's name
              ▼
    environments/<env>/params.libsonnet      + {components+: {web+: {replicas: 3}}} and globals.libsonnet
              │ evaluated; keys of this module kept, prefix removed
              ▼
    resolved: {"web": {replicas: 3, team: "a", …}}

The first layer is a finished value for the second: ``y: self.x`` in a module does not see an environment's ``x``.
ksonnet evaluated all of it at once, so one faulty parameter failed every command. Here each component's parameters are
evaluated on their own if the whole fails, and a faulty one becomes an ``error`` that fails only what uses it.
"""

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
_WHOLE = f'import "{_ENTRY}"'
_COMPONENTS = f'(local p = {_WHOLE}; if std.isObject(p) && std.objectHas(p, "components") then p.components)'
# Only `components` and `global` of a module's file are evaluated, so that its other fields may be faulty.
_GLOBAL = f'local p = {_WHOLE}; if std.objectHas(p, "global") then p.global else {{}}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """The parameters of one module in one environment, by component, under names without the module.

    ``own`` is what the module's file has; ``resolved`` is the same under the environment and globals, which is what a
    component sees. ``global_keys`` are the names that globals set. ``broken`` are the components whose parameters do
    not evaluate, and why; these are in neither ``own`` nor ``resolved``.
    """

    own: Object
    resolved: Object
    global_keys: frozenset[str]
    broken: Mapping[str, RenderError]

    def code(self) -> str:
        """The jsonnet source of ``std.extVar("__ksonnet/params")``."""
        return _code(self.resolved, self.broken)


def destination_code(environment: Environment) -> str:
    """The jsonnet source of ``std.extVar("__ksonnet/environments")``."""
    return json.dumps({"server": environment.server, "namespace": environment.namespace})


def load_params(
    tree: Tree, evaluator: Evaluator, environment: Environment, module: AppModule, *, is_inherited: bool = True
) -> Params:
    """The parameters of one module in one environment; without the module's own values unless ``is_inherited``.

    Raises ``RenderError`` if a file is missing or fails as a whole.
    """
    own, shared, broken = _module_params(tree, evaluator, module, destination_code(environment))
    if not is_inherited:
        keys = {*own, *broken, *(component.key for component in module.components(tree))}
        own, shared, broken = {key: {} for key in keys}, {}, {}
    merged = {module.prefix + key: merge_patch(value, shared) for key, value in own.items()}

    path = f"{environment.folder}/params.libsonnet"
    # An old app imports "../../components/params.libsonnet" in place of the variable. ksonnet 0.13
    # rewrites that import for `param list` only. In `show`, as here, it is an ordinary import, and the file itself
    # has to add the globals.
    folders = (environment.folder, f"lib/ksonnet-lib/{environment.k8s_version}", "lib", "vendor")
    codes = {PARAMS: _code(merged, {module.prefix + key: error for key, error in broken.items()})}

    def params_file(path: str, text: str) -> _ParamsFile:
        return _ParamsFile(tree=tree, evaluator=evaluator, path=path, text=text, folders=folders, codes=codes)

    file = params_file(path, _read(tree, path))
    components, broken_here = file.fields(_COMPONENTS, "components must be an object")
    globals_path = f"{environment.folder}/globals.libsonnet"
    globals_text = tree.read(globals_path)
    environment_globals: Object = {}
    if globals_text is not None:
        environment_globals = params_file(globals_path, globals_text).object(_WHOLE, "an object was expected")
    return Params(
        own=own,
        resolved=_of_module(components, module),
        global_keys=frozenset({*shared, *environment_globals}),
        broken={**_of_module(broken_here, module), **broken},
    )


def own_params(tree: Tree, evaluator: Evaluator, module: AppModule) -> Object:
    """The parameters in a module's file, outside of any environment. Raises ``RenderError``."""
    own, _, broken = _module_params(tree, evaluator, module, json.dumps({"server": "", "namespace": ""}))
    for error in broken.values():
        raise error
    return own


def _module_params(
    tree: Tree, evaluator: Evaluator, module: AppModule, destination: str
) -> tuple[Object, Object, dict[str, RenderError]]:
    """A module's own components, its ``global``, and the components that do not evaluate."""
    path = module.params_path
    file = _ParamsFile(
        tree=tree,
        evaluator=evaluator,
        path=path,
        text=_read(tree, path),
        folders=("lib", "vendor"),
        codes={ENVIRONMENTS: destination},
    )
    own, broken = file.fields(_COMPONENTS, "could not find components object in params")
    return own, file.object(_GLOBAL, "global must be an object"), broken


def _of_module(components: Mapping[str, T], module: AppModule) -> dict[str, T]:
    """The entries of one module, without its prefix. A name with another dot belongs to a module below it."""
    return {
        name.removeprefix(module.prefix): value
        for name, value in components.items()
        if value is not None and name.startswith(module.prefix) and "." not in name.removeprefix(module.prefix)
    }


def _read(tree: Tree, path: str) -> str:
    text = tree.read(path)
    if text is None:
        raise RenderError("this file is missing; ksonnet makes it with every environment and module", path)
    return text


def _code(values: Object, broken: Mapping[str, RenderError]) -> str:
    fields = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in values.items()]
    fields += [f"{json.dumps(key)}: error {json.dumps(str(error))}" for key, error in broken.items()]
    return f'{{"components": {{{", ".join(fields)}}}}}'


@dataclass(frozen=True, slots=True, kw_only=True)
class _ParamsFile:
    """A file of parameters, which expressions import as ``_ENTRY``."""

    tree: Tree
    evaluator: Evaluator
    path: str
    text: str
    folders: tuple[str, ...]
    codes: Mapping[str, str]

    def value(self, source: str) -> Any:
        """The value of an expression. Raises ``RenderError`` with the place in the file."""
        search = ImportSearch(self.tree, self.folders, virtual={_ENTRY: (self.path, self.text)})
        try:
            return self.evaluator.evaluate(Program(source, search, self.codes))
        except JsonnetError as error:
            raise SourceMap(self.path).located(error) from error

    def object(self, source: str, otherwise: str) -> Object:
        """The value of an expression that must be an object; else ``RenderError`` with the message ``otherwise``."""
        value = self.value(source)
        if not isinstance(value, dict):
            raise RenderError(otherwise, self.path)
        return value

    def fields(self, source: str, otherwise: str) -> tuple[Object, dict[str, RenderError]]:
        """The fields of an object that evaluate, and why the others do not.

        One evaluation is enough where all of them do, which is the usual case.
        """
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
        if not broken:  # the fault is in no field, such as a failed assertion of the object
            raise whole
        return values, broken
