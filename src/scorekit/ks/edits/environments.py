"""Environments: added, renamed, changed, removed (ksonnet-rules.md#appyaml, ksonnet-rules.md#commands)."""

from ...errors import RenderError, SetupError
from ..app.app import CURRENT_FILE, current_environment
from ..app.components import find_module
from ..app.spec_files import SpecFiles, new_environment
from ..app.templates import is_valid_name, make_environment
from ..app.tree import Tree, WritableTree

ROOT = "environments"


def check_new(tree: Tree, name: str, is_override: bool = False) -> None:
    """Raises ``SetupError`` if no environment may be made with that name."""
    specs = SpecFiles(tree)
    taken = specs.entries("environments", is_override)
    if name in taken or (not is_override and name in specs.entries("environments", True)):
        raise SetupError(f'environment "{name}" already exists')
    if not is_valid_name(name):
        raise SetupError(
            f'environment name "{name}" is not valid; '
            "must not contain punctuation, spaces, or begin or end with a slash"
        )


def add_environment(
    tree: WritableTree, name: str, server: str, namespace: str, k8s_version: str, is_override: bool = False
) -> None:
    """Makes an environment: an entry and its files. An override of an environment keeps the files that are there."""
    check_new(tree, name, is_override)
    specs = SpecFiles(tree)
    if tree.read(f"{ROOT}/{name}/main.jsonnet") is None:
        make_environment(tree, name)
    specs.entries("environments", is_override)[name] = new_environment(name, server, namespace, k8s_version)
    specs.save(tree)


def remove_environment(tree: WritableTree, name: str, is_override: bool = False) -> None:
    """Takes an entry away; the files too, and folders that they leave empty, unless another entry is about them."""
    specs = SpecFiles(tree)
    entries = specs.entries("environments", is_override)
    if name not in entries:
        raise SetupError(f'environment "{name}" does not exist')
    path = str(entries.pop(name).get("path") or name)
    specs.save(tree)
    others = [*specs.entries("environments", False).items(), *specs.entries("environments", True).items()]
    if not any((entry.get("path") or other) == path for other, entry in others):
        tree.remove(f"{ROOT}/{path}/.metadata")
        for child in tree.names(f"{ROOT}/{path}") or []:
            if not child.endswith("/"):  # an environment below this one stays
                tree.remove(f"{ROOT}/{path}/{child}")
        _sweep(tree, f"{ROOT}/{path}")
    if current_environment(tree) == name and not any(other == name for other, _ in others):
        tree.remove(CURRENT_FILE)


def change_environment(
    tree: WritableTree,
    name: str,
    new_name: str = "",
    namespace: str = "",
    server: str = "",
    k8s_version: str = "",
    is_override: bool = False,
) -> None:
    """Changes what is not empty. With ``is_override`` the changes go to the override, which then holds all of it."""
    specs = SpecFiles(tree)
    entry = specs.environment(name)
    if new_name and new_name != name:
        _rename(tree, specs, name, new_name, is_override)
        entry["path"] = new_name
        name = new_name
    if namespace or server or k8s_version:
        destination = entry["destination"]
        entry["destination"] = {
            "namespace": namespace or destination["namespace"],
            "server": server or destination["server"],
        }
        entry["k8sVersion"] = k8s_version or entry["k8sVersion"]
        if is_override:
            entry.pop("libraries", None)
        specs.entries("environments", is_override)[name] = entry
    specs.save(tree)


def set_targets(tree: WritableTree, name: str, modules: list[str], is_override: bool = False) -> None:
    """The modules an environment renders; none means the root module alone."""
    specs = SpecFiles(tree)
    entry = specs.environment(name)
    for module in modules:
        try:
            find_module(tree, module)
        except RenderError as error:
            raise SetupError(f'unable to find module "{module}"') from error
    if is_override:
        entry.pop("libraries", None)
    specs.entries("environments", is_override)[name] = {**entry, "targets": modules}
    specs.save(tree)


def set_current(tree: WritableTree, name: str) -> None:
    """Makes an environment the one that is meant where none is named; an empty name takes that away."""
    specs = SpecFiles(tree)
    if not name:
        tree.remove(CURRENT_FILE)
        return
    if name not in specs.entries("environments", False) and name not in specs.entries("environments", True):
        raise SetupError(f'environment "{name}" does not exist')
    tree.write(CURRENT_FILE, name)


def _rename(tree: WritableTree, specs: SpecFiles, name: str, new_name: str, is_override: bool) -> None:
    taken = {**specs.entries("environments", False), **specs.entries("environments", True)}
    if new_name in taken:
        raise SetupError(f'Failed to update "{name}"; environment "{new_name}" exists')
    check_new(tree, new_name, is_override)
    entries = specs.entries("environments", is_override)
    if name not in entries:
        raise SetupError(f'environment "{name}" does not exist')
    path = str(entries[name].get("path") or name)
    if tree.read(f"{ROOT}/{new_name}/main.jsonnet") is not None:
        raise SetupError(f'unable to rename "{name}" because "{new_name}" exists')
    children = tree.names(f"{ROOT}/{path}")
    if children is None:
        raise SetupError(f'environment "{name}" does not exist: there is no folder {ROOT}/{path}')
    for child in children:
        if not child.endswith("/") or child == ".metadata/":
            tree.move(f"{ROOT}/{path}/{child.rstrip('/')}", f"{ROOT}/{new_name}/{child.rstrip('/')}")
    _sweep(tree, f"{ROOT}/{path}")
    for held in (specs.entries("environments", False), specs.entries("environments", True)):
        # The other of the two files is about the same folder.
        if name in held and (held is entries or str(held[name].get("path") or name) == path):
            held[new_name] = {**held.pop(name), "path": new_name}
    if current_environment(tree) == name:
        tree.write(CURRENT_FILE, new_name)


def _sweep(tree: WritableTree, path: str) -> None:
    """Removes a folder and those above it as long as nothing is in them."""
    while path != ROOT and tree.names(path) in ([], None):
        tree.remove(path)
        path = path.rpartition("/")[0]


def description(tree: Tree, name: str) -> dict[str, object]:
    """What ``env describe`` prints, in its order."""
    try:
        entry = SpecFiles(tree).environment(name)
    except RenderError as error:
        raise SetupError(str(error)) from error
    return {
        "name": name,
        "kubernetesversion": entry["k8sVersion"],
        "path": entry["path"],
        "destination": {"server": entry["destination"]["server"], "namespace": entry["destination"]["namespace"]},
        "targets": entry.get("targets") or [],
        "libraries": entry.get("libraries") or {},
    }
