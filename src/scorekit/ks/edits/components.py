"""Components and modules added and removed, with their parameters (ksonnet-rules.md#components)."""

from typing import Protocol

from ...errors import SetupError
from ..app.app import load_app
from ..app.components import AppModule, ComponentFile, all_modules
from ..app.names import is_valid_name, module_name
from ..app.templates import MODULE_PARAMS
from ..app.tree import Tree, WritableTree
from ..params.edits import append_component, delete_env_param, delete_param


class Log(Protocol):
    """Writes a log line with fields."""

    def __call__(self, level: str, message: str, **fields: str) -> None: ...


def create_module(tree: WritableTree, name: str) -> AppModule:
    """Make a module with an empty params.libsonnet. Raises ``SetupError`` if it exists or the name is invalid."""
    module = module_named(name)
    if tree.read(module.params_path) is not None:
        raise SetupError(f'module "{module.name}" already exists')
    tree.write(module.params_path, MODULE_PARAMS)
    return module


def create_component(
    tree: WritableTree, module: AppModule, *, key: str, extension: str, source: str, params: dict[str, str]
) -> str:
    """Write a component and its entry in the module's params.libsonnet; the path of the component.

    ``params`` maps names to jsonnet source. Raises ``SetupError`` if the name is invalid or exists, and ``RenderError``
    if params.libsonnet cannot be edited; nothing is written then.
    """
    if not is_valid_name(key) or "/" in key or "." in key:
        raise SetupError(
            f'create component: "{key}" is not a valid component name; '
            "it must not contain punctuation, dots, slashes or spaces"
        )
    if any(each.key == key for each in module.components(tree)):
        raise SetupError(f'create component: component with name "{key}" in module "{module.name}" already exists')
    text = tree.read(module.params_path)
    edited = append_component(MODULE_PARAMS if text is None else text, module.params_path, key, params)
    path = f"{module.folder}/{key}.{extension}"
    tree.write(path, source)
    tree.write(module.params_path, edited)
    return path


def find_component(tree: Tree, name: str) -> ComponentFile:
    """The component with that full name. Raises ``SetupError`` with ksonnet's message if there is none."""
    module = name.rpartition(".")[0] or "/"
    for each in all_modules(tree):
        if each.name == module:
            for component in each.components(tree):
                if component.name == name:
                    return component
    raise SetupError(f'"{name}" is not a component or a module')


def remove_component(tree: WritableTree, name: str, log: Log) -> None:
    """Remove a component's file, its entry in the module's parameters and those in all environments.

    Every file is edited in memory first. So if one cannot be edited, ``RenderError`` is raised and no file changes.
    """
    component = find_component(tree, name)
    edits: dict[str, str] = {}
    for environment in load_app(tree).environments.values():
        path = f"{environment.folder}/params.libsonnet"
        text = tree.read(path)
        log("info", "removing environment component", component_name=name)
        # A file that does not contain the name has nothing to remove, and need not have a form that can be edited.
        edited = delete_env_param(text, path, name, ()) if text is not None and name in text else None
        if edited is not None:
            edits[path] = edited
    log("info", "Removing component parameter references ...")
    params_path = component.module.params_path
    text = tree.read(params_path)
    edited = None if text is None else delete_param(text, params_path, component.key, ())
    if edited is not None:
        edits[params_path] = edited
    log("info", f'Deleting component "{name}"')
    for path, text in edits.items():
        tree.write(path, text)
    tree.remove(component.path)
    log("info", f"Successfully deleted component '{name}'")


def module_named(text: str) -> AppModule:
    """The module that a command line names; the root module for an empty text.

    Raises ``SetupError`` if the name is invalid; the module need not exist.
    """
    return AppModule(module_name(text))
