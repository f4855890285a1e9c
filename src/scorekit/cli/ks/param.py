"""``ks param …``: parameters of components."""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...errors import RenderError, SetupError
from .opening import Commands, add_output, add_words, app, group_of, log, print_table, word, words

if TYPE_CHECKING:
    from ...ks.app.app import Environment
    from ...ks.io.disk import Directory


def add(commands: Commands, everywhere: argparse.ArgumentParser) -> None:
    group = group_of(commands, everywhere, "param", "parameters of components")
    setting = word(group, everywhere, "set", "set a parameter", _set)
    setting.add_argument("words", nargs="*", metavar="COMPONENT PATH VALUE")
    setting.add_argument(
        "--env", default="", metavar="NAME", help="for this environment; without COMPONENT for all in it"
    )
    setting.add_argument("--as-string", action="store_true", help="take the value as text, whatever it looks like")
    setting.add_argument("--resolve-image", action="store_true", help="not offered")
    for name in ("delete", "unset"):
        deleting = word(group, everywhere, name, "delete a parameter", _delete)
        deleting.add_argument("words", nargs="*", metavar="COMPONENT PATH")
        deleting.add_argument("--env", default="", metavar="NAME", help="what this environment says of it")
    listing = word(group, everywhere, "list", "print a table of them", _list)
    listing.add_argument("words", nargs="*", metavar="[COMPONENT]")
    listing.add_argument("--env", default="", metavar="NAME", help="as this environment has them")
    listing.add_argument("--module", default="", metavar="NAME", help="of this module (/)")
    listing.add_argument("--without-modules", action="store_true", help="only what the environment says")
    add_output(listing)
    differing = word(group, everywhere, "diff", "print a table of what differs between two environments", _diff)
    message = "'param diff' takes exactly two arguments: the respective names of the environments being diffed"
    add_words(differing, "ENV ENV", 2, message)
    differing.add_argument("--component", default="", metavar="NAME", help="only this one")
    add_output(differing)


def _set(arguments: argparse.Namespace) -> None:
    found: list[str] = arguments.words
    if len(found) not in (2, 3):
        raise SetupError("invalid arguments for 'param set'")
    if arguments.resolve_image:
        raise SetupError("--resolve-image is not offered: name the image by its digest (NAME@sha256:…)")
    tree = app(arguments)
    from ...ks.params import edits as paramfiles

    *component, path, text = found
    value = paramfiles.decoded(text, arguments.as_string)
    keys = _keys(path)
    if not arguments.env:
        name, file, key = _own(tree, component, path)
        _edit(tree, file, lambda source: paramfiles.set_param(source, file, key, keys, value))
        return
    environment = _environment(tree, arguments.env)
    if component:
        name = _named(tree, component[0])
        file = f"{environment.folder}/params.libsonnet"
        log("info", "setting environment component", component_name=name)
        _edit(tree, file, lambda source: paramfiles.set_env_param(source, file, name, keys, value))
    else:
        file = f"{environment.folder}/globals.libsonnet"
        log("info", "setting environment globals")
        _edit(tree, file, lambda source: paramfiles.set_global(source, file, keys, value), "{\n}")


def _delete(arguments: argparse.Namespace) -> None:
    found: list[str] = arguments.words
    if len(found) == 1 and not arguments.env:
        raise SetupError("invalid component or param key")
    if len(found) not in (1, 2):
        raise SetupError("invalid arguments for 'param delete'")
    tree = app(arguments)
    from ...ks.params import edits as paramfiles

    *component, path = found
    keys = _keys(path)
    if not arguments.env:
        name, file, key = _own(tree, component, path)
        _edit(tree, file, lambda source: paramfiles.delete_param(source, file, key, keys))
        return
    environment = _environment(tree, arguments.env)
    if component:
        name = component[0]
        file = f"{environment.folder}/params.libsonnet"
        log("info", "removing environment component", component_name=name)
        _edit(tree, file, lambda source: paramfiles.delete_env_param(source, file, name, keys))
    else:
        file = f"{environment.folder}/globals.libsonnet"
        log("info", "removing environment global", name=path)
        _edit(tree, file, lambda source: paramfiles.delete_global(source, file, keys), "{\n}")


def _list(arguments: argparse.Namespace) -> None:
    if len(arguments.words) > 1:
        raise SetupError("'param list' takes at most one argument, that is the name of the component")
    tree = app(arguments)
    from ...ks.io.gojsonnet import Jsonnet
    from ...ks.params.tables import listed

    component = "".join(arguments.words)
    if arguments.env:
        _environment(tree, arguments.env)
    rows = listed(tree, Jsonnet(), component, arguments.env, arguments.module, not arguments.without_modules)
    print_table("paramList", ["component", "param", "value"], rows, arguments.output)


def _diff(arguments: argparse.Namespace) -> None:
    one, other = words(arguments)
    tree = app(arguments)
    from ...ks.io.gojsonnet import Jsonnet
    from ...ks.params.tables import differences

    for name in (one, other):
        _environment(tree, name)
    rows = differences(tree, Jsonnet(), one, other, arguments.component)
    print_table("paramDiff", ["component", "param", "env1", "env2"], rows, arguments.output)


def _keys(path: str) -> list[str]:
    keys = path.split(".")
    if not all(keys):
        raise SetupError(f'"{path}" is no path of a parameter: it takes names with dots between them')
    return keys


def _own(tree: "Directory", component: list[str], path: str) -> tuple[str, str, str]:
    """A component's name, the file that has its parameters, and its name there. Raises ``SetupError``."""
    if not component or component[0] == "/":
        raise SetupError(f"unable to find component {path}")
    from ...ks.edits.components import find_component

    name = _named(tree, component[0])
    module, found = find_component(tree, name)
    if tree.read(module.params_path) is None:
        raise SetupError(f"{module.params_path}: this file is missing")
    return name, module.params_path, found.key


def _named(tree: "Directory", name: str) -> str:
    from ...ks.edits.components import find_component

    try:
        find_component(tree, name)
    except SetupError as error:
        raise SetupError(
            f"could not find component: extracting module and component names from {name}: {error}"
        ) from error
    return name


def _environment(tree: "Directory", name: str) -> "Environment":
    from ...ks.app.app import UnknownEnvironment, load_app

    try:
        return load_app(tree).environment(name)
    except UnknownEnvironment as error:
        raise SetupError(str(error)) from error


def _edit(tree: "Directory", path: str, edit: Callable[[str], Any], otherwise: str | None = None) -> None:
    """Writes what ``edit`` makes of a file, if that is something else, and if it is jsonnet."""
    text = tree.read(path)
    text = otherwise if text is None else text
    if text is None:
        raise SetupError(f"{path}: this file is missing; ksonnet makes it with every environment")
    edited: str | None = edit(text)
    if edited is None or edited == text:
        return
    from ...ks.io.gojsonnet import Jsonnet

    try:
        Jsonnet().check(path, edited)
    except RenderError as error:
        raise SetupError(f"{path}: the edit would not be jsonnet, so nothing was written: {error}") from error
    tree.write(path, edited)
