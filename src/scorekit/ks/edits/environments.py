"""Environments added, renamed, changed and removed: their entries in ``app.yaml`` and their files."""

from ...errors import RenderError, SetupError
from ..app.app import CURRENT_FILE, current_environment
from ..app.components import find_module
from ..app.names import is_valid_name
from ..app.spec_files import Entry, SpecFiles, new_environment
from ..app.templates import make_environment
from ..app.tree import Tree, WritableTree

ROOT = "environments"


def check_name(name: str) -> None:
    """Raises ``SetupError`` if an environment cannot have that name."""
    if not is_valid_name(name):
        raise SetupError(
            f'environment name "{name}" is not valid; '
            "must not contain punctuation, spaces, or begin or end with a slash"
        )


def check_new(tree: Tree, name: str, is_override: bool = False) -> None:
    """Raises ``SetupError`` if no environment with that name can be added."""
    specs = SpecFiles(tree)
    taken = specs.entries("environments", is_override)
    if name in taken or (not is_override and name in specs.entries("environments", True)):
        raise SetupError(f'environment "{name}" already exists')
    check_name(name)


def add_environment(
    tree: WritableTree, name: str, *, server: str, namespace: str, k8s_version: str, is_override: bool = False
) -> None:
    """Add an environment, with its files unless they exist (those of the environment that it overrides).

    Raises ``SetupError`` if it exists or the name is invalid.
    """
    check_new(tree, name, is_override)
    specs = SpecFiles(tree)
    if tree.read(f"{ROOT}/{name}/main.jsonnet") is None:
        make_environment(tree, name)
    specs.entries("environments", is_override)[name] = new_environment(name, server, namespace, k8s_version)
    specs.save(tree)


def remove_environment(tree: WritableTree, name: str, is_override: bool = False) -> None:
    """Remove an entry, and its files unless another entry has the same path; and folders that this leaves empty.

    Raises ``SetupError`` if there is no such entry.
    """
    specs = SpecFiles(tree)
    entries = specs.entries("environments", is_override)
    if name not in entries:
        raise SetupError(f'environment "{name}" does not exist')
    path = _path(name, entries.pop(name))
    specs.save(tree)
    others = [*specs.entries("environments", False).items(), *specs.entries("environments", True).items()]
    if not any(_path(other, entry) == path for other, entry in others):
        tree.remove(f"{ROOT}/{path}/.metadata")
        for child in tree.names(f"{ROOT}/{path}") or []:
            if not child.endswith("/"):  # a folder here belongs to another environment (`us` and `us/west`)
                tree.remove(f"{ROOT}/{path}/{child}")
        _remove_empty(tree, f"{ROOT}/{path}")
    if current_environment(tree) == name and not any(other == name for other, _ in others):
        tree.remove(CURRENT_FILE)


def change_environment(
    tree: WritableTree,
    name: str,
    *,
    new_name: str = "",
    namespace: str = "",
    server: str = "",
    k8s_version: str = "",
    is_override: bool = False,
) -> None:
    """Change the values that are not empty; with ``is_override`` the whole environment goes to the override.

    Raises ``SetupError`` if the environment does not exist or the new name is taken or invalid.
    """
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
    """Set the modules that an environment renders; an empty list means the root module.

    Raises ``SetupError`` if the environment or a module does not exist.
    """
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
    """Set the environment that commands use if none is named; an empty name unsets it.

    Raises ``SetupError`` if it does not exist.
    """
    specs = SpecFiles(tree)
    if not name:
        tree.remove(CURRENT_FILE)
        return
    if name not in specs.entries("environments", False) and name not in specs.entries("environments", True):
        raise SetupError(f'environment "{name}" does not exist')
    tree.write(CURRENT_FILE, name)


def description(tree: Tree, name: str) -> dict[str, object]:
    """What ``env describe`` prints, in this order. Raises ``SetupError`` if the environment does not exist."""
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


def _rename(tree: WritableTree, specs: SpecFiles, name: str, new_name: str, is_override: bool) -> None:
    """Rename the entries and move the files.

    ksonnet left the old entry in place (ksonnet-rules.md#repair-env-rename).
    """
    both = (specs.entries("environments", False), specs.entries("environments", True))
    if any(new_name in entries for entries in both):
        raise SetupError(f'Failed to update "{name}"; environment "{new_name}" exists')
    check_new(tree, new_name, is_override)
    own = specs.entries("environments", is_override)
    if name not in own:
        raise SetupError(f'environment "{name}" does not exist')
    path = _path(name, own[name])
    if tree.read(f"{ROOT}/{new_name}/main.jsonnet") is not None:
        raise SetupError(f'unable to rename "{name}" because "{new_name}" exists')
    children = tree.names(f"{ROOT}/{path}")
    if children is None:
        raise SetupError(f'environment "{name}" does not exist: there is no folder {ROOT}/{path}')
    for child in children:
        if not child.endswith("/") or child == ".metadata/":
            tree.move(f"{ROOT}/{path}/{child.rstrip('/')}", f"{ROOT}/{new_name}/{child.rstrip('/')}")
    _remove_empty(tree, f"{ROOT}/{path}")
    for entries in both:
        # The entry in the other file is renamed too if it is about the same folder.
        if name in entries and (entries is own or _path(name, entries[name]) == path):
            entries[new_name] = {**entries.pop(name), "path": new_name}
    if current_environment(tree) == name:
        tree.write(CURRENT_FILE, new_name)


def _path(name: str, entry: Entry) -> str:
    return str(entry.get("path") or name)


def _remove_empty(tree: WritableTree, path: str) -> None:
    """Remove a folder and those above it, as long as they are empty."""
    while path != ROOT and tree.names(path) in ([], None):
        tree.remove(path)
        path = path.rpartition("/")[0]
