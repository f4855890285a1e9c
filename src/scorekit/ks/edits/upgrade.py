"""``ks upgrade``: an app of an older schema converted to 0.3.0 (ksonnet-rules.md#upgrade)."""

import re
from collections.abc import Callable

from ..app.app import APP_FILE, OVERRIDE_FILE, PinnedPackage, read_spec
from ..app.spec_files import SpecFiles
from ..app.tree import Tree, WritableTree
from ..packages.vendor import pinned

_VERSION_FOLDER = re.compile(r"v\d+\.\d+\.\d+")
_LIBRARY_ROOT = "lib/ksonnet-lib"


def upgrade_warnings(tree: Tree) -> list[str]:
    """ksonnet's warnings about an app that needs ``ks upgrade``. Such an app still works.

    Raises ``RenderError`` if ``app.yaml`` or its override is invalid.
    """
    messages = []
    if any(_is_unversioned(tree, library) for library in pinned(SpecFiles(tree))):
        messages.append("Versioned packages stored in unversioned paths.")
    override = read_spec(tree, OVERRIDE_FILE)
    if override is not None and override.get("apiVersion") != "0.3.0":
        messages.append("Application override should be upgraded.")
    if messages:
        messages.append(
            "Your application must be upgraded to work with this version of ksonnet. Please run `ks upgrade` proceed."
        )
    return messages


def upgrade(tree: WritableTree, is_dry: bool, say: Callable[[str], None]) -> None:
    """Move libraries and packages to their place in 0.3.0 and rewrite ``app.yaml`` and its override.

    A dry run only calls ``say`` with each step. Raises ``RenderError`` and ``SetupError``.
    """
    dry = "[dry run] " if is_dry else ""
    if is_dry:
        say("[dry run] Updating ksonnet-lib paths")
    for name in tree.names("lib") or []:
        version = name.rstrip("/")
        if name.endswith("/") and _VERSION_FOLDER.fullmatch(version):
            old, new = f"lib/{version}", f"{_LIBRARY_ROOT}/{version}"
            say(f'{dry}Moving "{version}" from {tree.shown(old)} to {tree.shown(new)}')
            if not is_dry:
                tree.move(old, new)
    if is_dry:
        say("[dry run] Updating vendored packages")
    specs = SpecFiles(tree)
    for library in pinned(specs):
        if _is_unversioned(tree, library):
            old = f"vendor/{library.key}"
            if is_dry:
                shown = f"{library.key}@{library.version}"
                say(f'[dry run] Moving "{shown}" from {tree.shown(old)} to {tree.shown(library.folder)}')
            else:
                tree.move(old, library.folder)
    versions = [(read_spec(tree, file) or {}).get("apiVersion", "0.3.0") for file in (APP_FILE, OVERRIDE_FILE)]
    if not is_dry and versions != ["0.3.0", "0.3.0"]:
        specs.save(tree)


def _is_unversioned(tree: Tree, library: PinnedPackage) -> bool:
    """Whether a package that has a version is in a folder without it."""
    is_missing = bool(library.version) and tree.names(library.folder) is None
    return is_missing and tree.names(f"vendor/{library.key}") is not None
