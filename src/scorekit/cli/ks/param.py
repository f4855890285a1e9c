"""``ks param …``."""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...errors import RenderError, SetupError
from .app_folder import find_app
from .commands import Commands, add_command, add_group, add_positionals, add_uncounted, positionals
from .logrus import log
from .table import add_output, print_table

if TYPE_CHECKING:
    from ...ks.app.app import Environment
    from ...ks.app.components import ComponentFile
    from ...ks.io.disk import Directory


def add(commands: Commands) -> None:
    """Add ``param`` and its subcommands."""
    group = add_group(commands, "param", "set, delete and list the parameters of components")
    examples = ["ks param set web replicas 3", "ks param set web image.tag 1.10 --as-string --env default"]
    parser = add_command(group, "set", "set a parameter", _set, examples=examples)
    add_uncounted(parser, "[COMPONENT] PATH VALUE")
    parser.add_argument(
        "--env", default="", metavar="NAME", help="set it for this environment; without COMPONENT, for all components"
    )
    parser.add_argument("--as-string", action="store_true", help="take VALUE as text, even if it looks like a number")
    parser.add_argument("--resolve-image", action="store_true", help="not supported")
    for name in ("delete", "unset"):
        parser = add_command(group, name, "delete a parameter", _delete, examples=[f"ks param {name} web replicas"])
        add_uncounted(parser, "[COMPONENT] PATH")
        parser.add_argument("--env", default="", metavar="NAME", help="delete what this environment sets")
    parser = add_command(
        group, "list", "print a table of the parameters", _list, examples=["ks param list web --env default"]
    )
    add_uncounted(parser, "[COMPONENT]")
    parser.add_argument("--env", default="", metavar="NAME", help="list the values that this environment uses")
    parser.add_argument("--module", default="", metavar="NAME", help="list this module (default: /)")
    parser.add_argument("--without-modules", action="store_true", help="list only what the environment itself sets")
    add_output(parser)
    summary = "print a table of the parameters that differ between two environments"
    parser = add_command(group, "diff", summary, _diff, examples=["ks param diff staging production"])
    message = "'param diff' takes exactly two arguments: the respective names of the environments being diffed"
    add_positionals(parser, "ENV ENV", 2, message)
    parser.add_argument("--component", default="", metavar="NAME", help="compare only this component")
    add_output(parser)


def _set(arguments: argparse.Namespace) -> None:
    if len(arguments.positionals) not in (2, 3):
        raise SetupError("invalid arguments for 'param set'")
    if arguments.resolve_image:
        raise SetupError("--resolve-image is not supported: name the image by its digest (NAME@sha256:…)")
    tree = find_app(arguments)
    from ...ks.params import edits
    from ...ks.params.values import parse_value

    *component, path, text = arguments.positionals
    value = parse_value(text, arguments.as_string)
    keys = _keys(path)
    if not arguments.env:
        file, key = _own_entry(tree, component, path)
        _edit(tree, file, lambda source: edits.set_param(source, file, key, keys, value))
        return
    environment = _environment(tree, arguments.env)
    if component:
        name = _find(tree, component[0]).name
        file = f"{environment.folder}/params.libsonnet"
        log("info", "setting environment component", component_name=name)
        _edit(tree, file, lambda source: edits.set_env_param(source, file, name, keys, value))
    else:
        file = f"{environment.folder}/globals.libsonnet"
        log("info", "setting environment globals")
        _edit(tree, file, lambda source: edits.set_global(source, file, keys, value), otherwise="{\n}")


def _delete(arguments: argparse.Namespace) -> None:
    count = len(arguments.positionals)
    if count == 1 and not arguments.env:
        raise SetupError("invalid component or param key")
    if count not in (1, 2):
        raise SetupError("invalid arguments for 'param delete'")
    tree = find_app(arguments)
    from ...ks.params import edits

    *component, path = arguments.positionals
    keys = _keys(path)
    if not arguments.env:
        file, key = _own_entry(tree, component, path)
        _edit(tree, file, lambda source: edits.delete_param(source, file, key, keys))
        return
    environment = _environment(tree, arguments.env)
    if component:
        name = component[0]
        file = f"{environment.folder}/params.libsonnet"
        log("info", "removing environment component", component_name=name)
        _edit(tree, file, lambda source: edits.delete_env_param(source, file, name, keys))
    else:
        file = f"{environment.folder}/globals.libsonnet"
        log("info", "removing environment global", name=path)
        _edit(tree, file, lambda source: edits.delete_global(source, file, keys), otherwise="{\n}")


def _list(arguments: argparse.Namespace) -> None:
    if len(arguments.positionals) > 1:
        raise SetupError("'param list' takes at most one argument, that is the name of the component")
    tree = find_app(arguments)
    from ...ks.io.gojsonnet import Jsonnet
    from ...ks.params.tables import environment_rows, module_rows

    component = "".join(arguments.positionals)
    if arguments.env:
        environment = _environment(tree, arguments.env)
        rows = environment_rows(tree, Jsonnet(), environment, component, is_inherited=not arguments.without_modules)
    else:
        rows = module_rows(tree, Jsonnet(), arguments.module or "/", component)
    print_table("paramList", ["component", "param", "value"], rows, arguments.output)


def _diff(arguments: argparse.Namespace) -> None:
    first, second = positionals(arguments)
    tree = find_app(arguments)
    from ...ks.io.gojsonnet import Jsonnet
    from ...ks.params.tables import difference_rows

    environments = (_environment(tree, first), _environment(tree, second))
    rows = difference_rows(tree, Jsonnet(), environments, arguments.component)
    print_table("paramDiff", ["component", "param", "env1", "env2"], rows, arguments.output)


def _keys(path: str) -> list[str]:
    keys = path.split(".")
    if not all(keys):
        raise SetupError(f'"{path}" is not a valid path of a parameter: write names with dots between them')
    return keys


def _own_entry(tree: "Directory", component: list[str], path: str) -> tuple[str, str]:
    """The file with a component's parameters, and the component's key in it. Raises ``SetupError``."""
    if not component or component[0] == "/":
        raise SetupError(f"unable to find component {path}")
    target = _find(tree, component[0])
    file = target.module.params_path
    if tree.read(file) is None:
        raise SetupError(f"{file}: this file is missing")
    return file, target.key


def _find(tree: "Directory", name: str) -> "ComponentFile":
    from ...ks.edits.components import find_component

    try:
        return find_component(tree, name)
    except SetupError as error:
        raise SetupError(
            f"could not find component: extracting module and component names from {name}: {error}"
        ) from error


def _environment(tree: "Directory", name: str) -> "Environment":
    from ...ks.app.app import UnknownEnvironment, load_app

    try:
        return load_app(tree).environment(name)
    except UnknownEnvironment as error:
        raise SetupError(str(error)) from error


def _edit(tree: "Directory", path: str, edit: Callable[[str], Any], *, otherwise: str | None = None) -> None:
    """Write what ``edit`` makes of a file, if it changed and is valid jsonnet.

    ``otherwise`` stands for a file that does not exist. Raises ``SetupError`` and leaves the file as it was.
    """
    text = tree.read(path)
    text = otherwise if text is None else text
    if text is None:
        raise SetupError(f"{path}: this file is missing; ksonnet makes it with every environment")
    edited: str | None = edit(text)
    if edited is None or edited == text:
        return
    from ...ks.io.gojsonnet import Jsonnet

    # The edit was made by our own parser. The engine has the last word before anything is written.
    try:
        Jsonnet().check(path, edited)
    except RenderError as error:
        raise SetupError(f"{path}: the edit would not be valid jsonnet; nothing was written: {error}") from error
    tree.write(path, edited)
