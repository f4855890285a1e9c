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
# One evaluation gives the names of all components and the values of the wanted ones only. jsonnet is lazy, so a
# component that is not wanted may be broken. `std.objectFields` leaves hidden fields out, as ksonnet's step 5 does.
_WANTED = f"""
local main = import "{_MAIN}";
local value = if std.isFunction(main) then main(%s) else main;
local all = if std.isObject(value) then std.objectFields(value) else error "it must evaluate to an object";
{{ names: all, picked: {{ [name]: value[name] for name in all if %s }} }}
"""


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """What a command line adds: ``-V``, ``-A``, and ``-J``, whose last folder is searched first."""

    ext_vars: Mapping[str, str] = field(default_factory=dict)
    tla_vars: Mapping[str, str] = field(default_factory=dict)
    jpath: tuple[str, ...] = ()


def render(
    tree: Tree,
    evaluator: Evaluator,
    *,
    environment: str,
    components: Sequence[str] = (),
    options: RenderOptions | None = None,
    warn: Callable[[str], None] = lambda message: None,
) -> list[Object]:
    """The objects of an environment, sorted as ``ks show`` prints them; with ``components``, only of those.

    An unknown name in ``components`` is an error (ksonnet-rules.md#repair-unknown-component); a component that is not
    named there may be broken. Raises ``RenderError`` with component, file and line as far as they are known.
    """
    app = load_app(tree)
    target = app.environment(environment)
    for message in missing_pins(tree, app.pins(target)):
        warn(message)
    names: set[str] = set()
    objects: list[Object] = []
    for module in rendered_modules(tree, target):
        rendering = _ModuleRendering(
            tree=tree,
            evaluator=evaluator,
            app=app,
            environment=target,
            module=module,
            wanted=frozenset(components),
            options=options or RenderOptions(),
        )
        module_objects, module_names = rendering.evaluated()
        names.update(module_names)
        objects += module_objects
    unknown = sorted(set(components) - names)
    if unknown:
        known = ", ".join(sorted(names)) or "none"
        raise RenderError(
            f'there is no component "{unknown[0]}" in environment "{environment}"; it has: {known}'
            + _how_to_target(tree, target, unknown[0])
        )
    return in_show_order(objects)


def _how_to_target(tree: Tree, environment: Environment, component: str) -> str:
    """The command that makes an environment render the module with ``component``, if a module has it."""
    targets = environment.targets or ("/",)
    for module in all_modules(tree):
        if module.name not in targets and component in {each.name for each in module.components(tree)}:
            flags = " ".join(f"--module {name}" for name in (*targets, module.name))
            return f". Module {module.name} has it: `ks env targets {environment.name} {flags}`"
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _ModuleRendering:
    """The rendering of one module in one environment; ``wanted`` limits it to these components, unless empty."""

    tree: Tree
    evaluator: Evaluator
    app: App
    environment: Environment
    module: AppModule
    wanted: frozenset[str]
    options: RenderOptions

    def evaluated(self) -> tuple[list[Object], list[str]]:
        """The wanted objects of the module, and the names of all its components."""
        params = load_params(self.tree, self.evaluator, self.environment, self.module)
        for key, error in params.broken.items():
            if not self.wanted or self.module.prefix + key in self.wanted:
                raise error
        components = components_object(self.tree, self.evaluator, self.module, params.own, self.wanted)
        result = self._evaluate_main(params, components)
        objects: list[Object] = []
        for name, value in result["picked"].items():
            objects += self._objects(name, wrap(value), params, components)
        return objects, result["names"]

    def _evaluate_main(self, params: Params, components: ComponentsObject) -> Any:
        """The value of ``_WANTED``: the names of all components, and the values of the wanted ones."""
        path = f"{self.environment.folder}/main.jsonnet"
        text = self.tree.read(path)
        if text is None:
            raise RenderError("this file is missing; ksonnet makes it with every environment", path)
        # main.jsonnet and the components are virtual files. They have no folder, so their imports are looked for on the
        # search path only, as in ksonnet.
        virtual = {_MAIN: (_MAIN, text), _SPLICED: (_SPLICED, components.source)}
        search = ImportSearch(self.tree, self._folders(), self.app.pins(self.environment), virtual)
        keep = f"std.member({json.dumps(sorted(self.wanted))}, name)" if self.wanted else "true"
        # A top-level argument is passed through an external variable, since the program itself is `_WANTED`.
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
            raise SourceMap(path, _SPLICED, components.spans, {_MAIN: path}).located(error) from error

    def _folders(self) -> tuple[str, ...]:
        """The search path (ksonnet-rules.md#imports)."""
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

    def _objects(self, name: str, value: Any, params: Params, components: ComponentsObject) -> list[Object]:
        """The objects of one field of the result, labelled, and patched if the component is a manifest."""
        component = next((span.component for span in components.spans if span.component.name == name), None)
        where = component.where() if component else f'component "{name}" ({self.environment.folder}/main.jsonnet)'
        if not isinstance(value, dict):
            raise RenderError("a component must be an object or an array of objects", where)
        value = labelled(value, name)
        patch = params.resolved.get(name)
        if name in components.manifests and isinstance(patch, dict):
            own = params.own.get(name)
            only_global = params.global_keys - set(own or ())
            value = _patched(value, patch, only_global, components.manifests[name])
        return flattened(value, where)


def _patched(value: Object, patch: Object, only_global: frozenset[str], documents: int) -> Object:
    """A manifest merged with its parameters; of several documents, the first one is merged.

    A parameter that only globals set is merged into a field that the object has, and not added: ksonnet put a global
    ``replicas`` next to ``kind`` (ksonnet-rules.md#repair-globals).
    """
    if documents > 1 and value.get("items"):
        first, *rest = value["items"]
        return {**value, "items": [_patched(first, patch, only_global, 1), *rest]}
    fields = {key: new for key, new in patch.items() if key not in only_global or key in value}
    merged: Object = merge_patch(value, fields)
    return merged
