"""Components and modules made and removed (ksonnet-rules.md#components, ksonnet-rules.md#parameter-edits)."""

import re
from typing import Protocol

from ...errors import SetupError
from ..app.app import load_app
from ..app.components import AppModule, ComponentFile, all_modules
from ..app.templates import MODULE_PARAMS, is_valid_name
from ..app.tree import Tree, WritableTree
from ..params.edits import append_component, delete_env_param, delete_param

_MODULE = re.compile(r"[A-Za-z0-9_-]+(?:[./][A-Za-z0-9_-]+)*")


class Log(Protocol):
    def __call__(self, level: str, message: str, **fields: str) -> None: ...


def create_module(tree: WritableTree, name: str) -> AppModule:
    """Makes a module with an empty params.libsonnet. Raises ``SetupError``."""
    module = module_named(name)
    if tree.read(module.params_path) is not None:
        raise SetupError(f'module "{module.name}" already exists')
    tree.write(module.params_path, MODULE_PARAMS)
    return module


def create_component(
    tree: WritableTree, module: AppModule, key: str, extension: str, source: str, params: dict[str, str]
) -> str:
    """Writes a component and its entry in params.libsonnet; the path of the component. Raises ``SetupError``.

    ``params`` are names and jsonnet source.
    """
    shown = module.name
    if not is_valid_name(key) or "/" in key or "." in key:
        raise SetupError(
            f'create component: "{key}" is not a valid component name; '
            "it must not contain punctuation, dots, slashes or spaces"
        )
    if any(found.key == key for found in module.components(tree)):
        raise SetupError(f'create component: component with name "{key}" in module "{shown}" already exists')
    text = tree.read(module.params_path)
    edited = append_component(MODULE_PARAMS if text is None else text, module.params_path, key, params)
    path = f"{module.folder}/{key}.{extension}"
    tree.write(path, source)
    tree.write(module.params_path, edited)
    return path


def find_component(tree: Tree, name: str) -> tuple[AppModule, ComponentFile]:
    """The component of that name, with its module before it. Raises ``SetupError`` in ksonnet's words."""
    module_name, _, _ = name.rpartition(".")
    for module in all_modules(tree):
        if module.name == (module_name or "/"):
            for component in module.components(tree):
                if component.name == name:
                    return module, component
    raise SetupError(f'"{name}" is not a component or a module')


def remove_component(tree: WritableTree, name: str, log: Log) -> None:
    """Removes a component's file, its entry in the module's parameters and those in the environments'.

    Every file is edited in memory first: one that cannot be leaves all of them as they are.
    """
    module, component = find_component(tree, name)
    edits: dict[str, str] = {}
    for environment in load_app(tree).environments.values():
        path = f"{environment.folder}/params.libsonnet"
        text = tree.read(path)
        log("info", "removing environment component", component_name=name)
        # A file of another shape than ksonnet's need not be understood where it does not know the component.
        edited = delete_env_param(text, path, name, ()) if text is not None and name in text else None
        if edited is not None:
            edits[path] = edited
    log("info", "Removing component parameter references ...")
    text = tree.read(module.params_path)
    edited = None if text is None else delete_param(text, module.params_path, component.key, ())
    if edited is not None:
        edits[module.params_path] = edited
    log("info", f'Deleting component "{name}"')
    for path, text in edits.items():
        tree.write(path, text)
    tree.remove(component.path)
    log("info", f"Successfully deleted component '{name}'")


def module_named(name: str) -> AppModule:
    """A module by what the command line calls it; the root if by nothing. Raises ``SetupError`` for no name."""
    if name in ("", "/"):
        return AppModule("/")
    if not _MODULE.fullmatch(name):
        raise SetupError(
            f'module name "{name}" is not valid; it takes letters, digits, - and _, with dots between folders'
        )
    return AppModule(name.replace("/", "."))
