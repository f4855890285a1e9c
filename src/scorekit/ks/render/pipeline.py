"""From an app to Kubernetes objects, in the steps of ksonnet (ksonnet-rules.md#rendering)."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...errors import RenderError
from ...manifests.documents import Object
from ...manifests.extract import flattened, labelled, wrap
from ...manifests.order import in_show_order
from ...manifests.patch import merge_patch
from ..app.app import App, Environment, load_app
from ..app.components import AppModule, all_modules, rendered_modules
from ..app.tree import Tree
from ..engine.evaluator import Evaluator, JsonnetError, Program
from ..engine.imports import PINS, VIRTUAL, ImportSearch, missing_pins
from ..engine.locations import SourceMap
from ..params.resolution import ENVIRONMENTS, PARAMS, Params, destination_code, load_params
from .components_object import ComponentsObject, components_object

COMPONENTS = "__ksonnet/components"

_MAIN = f"{VIRTUAL}/main"
_SPLICED = f"{VIRTUAL}/components"
_TLA = f"{VIRTUAL}/tla/"
# One evaluation gives the names of all components and the values of the wanted ones alone: what is not asked for need
# not evaluate. `std.objectFields` sees what ksonnet's own step 5 sees: no hidden field.
_WANTED = f"""
local main = import "{_MAIN}";
local value = if std.isFunction(main) then main(%s) else main;
local all = if std.isObject(value) then std.objectFields(value) else error "it must evaluate to an object";
{{ names: all, picked: {{ [name]: value[name] for name in all if %s }} }}
"""


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """What the command line adds: ``-V``, ``-A`` and ``-J`` (the last folder given is searched first)."""

    ext_vars: Mapping[str, str] = field(default_factory=dict)
    tla_vars: Mapping[str, str] = field(default_factory=dict)
    jpath: tuple[str, ...] = ()


def render(
    tree: Tree,
    evaluator: Evaluator,
    environment: str,
    components: Sequence[str] = (),
    options: RenderOptions | None = None,
    warn: Callable[[str], None] = lambda message: None,
) -> list[Object]:
    """The objects of an environment in the order of ``ks show``; with ``components``, of those alone.

    An unknown name in ``components`` is an error (ksonnet-rules.md#repair-unknown-component). A
    component that is not asked for may be broken. ``RenderError`` names component, file and line as far as known.
    """
    app = load_app(tree)
    found = app.environment(environment)
    for message in missing_pins(tree, app.pins(found)):
        warn(message)
    names: set[str] = set()
    objects: list[Object] = []
    for module in rendered_modules(tree, found):
        step = _ModuleRendering(tree, evaluator, app, found, module, frozenset(components), options or RenderOptions())
        values, all_names = step.evaluated()
        names.update(all_names)
        objects += values
    unknown = sorted(set(components) - names)
    if unknown:
        known = ", ".join(sorted(names)) or "none"
        raise RenderError(
            f'there is no component "{unknown[0]}" in environment "{environment}"; it has: {known}'
            + _targeting(tree, found, unknown[0])
        )
    return in_show_order(objects)


def _targeting(tree: Tree, environment: Environment, component: str) -> str:
    """How to get a component that only a module has which the environment does not target."""
    targets = environment.targets or ("/",)
    for module in all_modules(tree):
        if module.name not in targets and component in {each.name for each in module.components(tree)}:
            flags = " ".join(f"--module {name}" for name in (*targets, module.name))
            return f". Module {module.name} has it: `ks env targets {environment.name} {flags}`"
    return ""


@dataclass(frozen=True, slots=True)
class _ModuleRendering:
    """One module of one environment."""

    tree: Tree
    evaluator: Evaluator
    app: App
    environment: Environment
    module: AppModule
    wanted: frozenset[str]
    options: RenderOptions

    def evaluated(self) -> tuple[list[Object], list[str]]:
        """The module's objects, and the names of all it has."""
        params = load_params(self.tree, self.evaluator, self.environment, self.module)
        for key, error in params.broken.items():
            if not self.wanted or self.module.prefix + key in self.wanted:
                raise error
        spliced = components_object(self.tree, self.evaluator, self.module, params.own, self.wanted)
        result = self._main(params, spliced)
        objects: list[Object] = []
        for name, value in result["picked"].items():
            objects += self._objects(name, wrap(value), params, spliced)
        return objects, result["names"]

    def _main(self, params: Params, spliced: ComponentsObject) -> Any:
        path = f"{self.environment.folder}/main.jsonnet"
        text = self.tree.read(path)
        if text is None:
            raise RenderError("this file is missing; ksonnet makes it with every environment", path)
        # The names of the virtual files are never relative to anything: main.jsonnet and the components look for their
        # imports along the path only, as ksonnet's do.
        virtual = {_MAIN: (_MAIN, text), _SPLICED: (_SPLICED, spliced.source)}
        search = ImportSearch(self.tree, self._folders(), self.app.pins(self.environment), virtual)
        keep = f"std.member({json.dumps(sorted(self.wanted))}, name)" if self.wanted else "true"
        arguments = ", ".join(f'{name}=std.extVar("{_TLA}{name}")' for name in self.options.tla_vars)
        codes = {
            ENVIRONMENTS: destination_code(self.environment),
            PARAMS: params.code(),
            COMPONENTS: f'import "{_SPLICED}"',
        }
        variables = {**self.options.ext_vars, **{_TLA + key: value for key, value in self.options.tla_vars.items()}}
        try:
            return self.evaluator.evaluate(Program(_WANTED % (arguments, keep), search, codes, variables))
        except JsonnetError as error:
            raise SourceMap(path, _SPLICED, spliced.spans, {_MAIN: path}).located(error) from error

    def _folders(self) -> tuple[str, ...]:
        """The search path, ksonnet's last added first (ksonnet-rules.md#imports)."""
        modules = self.environment.targets or ("/",)
        return (
            *(AppModule(name).folder for name in reversed(modules)),
            PINS,
            f"lib/ksonnet-lib/{self.environment.k8s_version}",
            "lib",
            "vendor",
            self.environment.folder,
            "environments",
            *reversed(self.options.jpath),
        )

    def _objects(self, name: str, value: Any, params: Params, spliced: ComponentsObject) -> list[Object]:
        component = next((span.component for span in spliced.spans if span.component.name == name), None)
        where = component.where() if component else f'component "{name}" ({self.environment.folder}/main.jsonnet)'
        if not isinstance(value, dict):
            raise RenderError("a component must be an object or an array of objects", where)
        value = labelled(value, name)
        patch = params.resolved.get(name)
        if name in spliced.manifests and isinstance(patch, dict):
            own = params.own.get(name)
            value = _patched(value, patch, params.global_keys - set(own or ()), spliced.manifests[name])
        return flattened(value, where)


def _patched(value: Object, patch: Object, shared: frozenset[str], documents: int) -> Object:
    """A YAML component under its parameters. They are the first document's where there are several."""
    if documents > 1 and value.get("items"):
        first, *rest = value["items"]
        return {**value, "items": [_patched(first, patch, shared, 1), *rest]}
    # ksonnet put a global `replicas` next to `kind` (ksonnet-rules.md#repair-globals).
    merged: Object = merge_patch(value, {key: new for key, new in patch.items() if key not in shared or key in value})
    return merged
