"""Apps of older schemas brought to 0.3.0: where files are, and what ``app.yaml`` says (ksonnet-rules.md#upgrade)."""

import re
from collections.abc import Callable

from ..app.app import APP_FILE, OVERRIDE_FILE, PinnedPackage, read_spec
from ..app.spec_files import SpecFiles
from ..app.tree import Tree, WritableTree
from ..packages.vendor import pinned

_LIBRARY = re.compile(r"v\d+\.\d+\.\d+")
_HOME = "lib/ksonnet-lib"


def warnings(tree: Tree) -> list[str]:
    """What ksonnet warns of before every command on an app that needs ``ks upgrade``; such an app still works."""
    found = []
    if any(_is_old(tree, library) for library in pinned(SpecFiles(tree))):
        found.append("Versioned packages stored in unversioned paths.")
    override = read_spec(tree, OVERRIDE_FILE)
    if override is not None and override.get("apiVersion") != "0.3.0":
        found.append("Application override should be upgraded.")
    if found:
        found.append(
            "Your application must be upgraded to work with this version of ksonnet. Please run `ks upgrade` proceed."
        )
    return found


def upgrade(tree: WritableTree, is_dry: bool, say: Callable[[str], None]) -> None:
    """Moves libraries and packages to where 0.3.0 has them and rewrites both files. A dry run only says so."""
    dry = "[dry run] " if is_dry else ""
    if is_dry:
        say("[dry run] Updating ksonnet-lib paths")
    for name in tree.names("lib") or []:
        version = name.rstrip("/")
        if name.endswith("/") and _LIBRARY.fullmatch(version):
            old, new = f"lib/{version}", f"{_HOME}/{version}"
            say(f'{dry}Moving "{version}" from {tree.shown(old)} to {tree.shown(new)}')
            if not is_dry:
                tree.move(old, new)
    if is_dry:
        say("[dry run] Updating vendored packages")
    specs = SpecFiles(tree)
    for library in pinned(specs):
        if _is_old(tree, library):
            old = f"vendor/{library.key}"
            if is_dry:
                shown = f"{library.key}@{library.version}"
                say(f'[dry run] Moving "{shown}" from {tree.shown(old)} to {tree.shown(library.folder)}')
            else:
                tree.move(old, library.folder)
    versions = [(read_spec(tree, file) or {}).get("apiVersion", "0.3.0") for file in (APP_FILE, OVERRIDE_FILE)]
    if not is_dry and versions != ["0.3.0", "0.3.0"]:
        specs.save(tree)


def _is_old(tree: Tree, library: PinnedPackage) -> bool:
    """Whether a package with a version is vendored without it."""
    return (
        bool(library.version) and tree.names(library.folder) is None and tree.names(f"vendor/{library.key}") is not None
    )
