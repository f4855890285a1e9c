"""Packages copied from a registry into ``vendor/`` and pinned in ``app.yaml`` (ksonnet-rules.md#packages)."""

import re
from collections.abc import Iterator
from typing import Any

from ...errors import SetupError
from ...manifests.documents import documents
from ..app.app import PinnedPackage
from ..app.spec_files import Entry, SpecFiles
from ..app.tree import Tree, WritableTree
from .package_reference import PackageReference
from .registries import RegistryClient

PARTS_FILE = "parts.yaml"

_ALIAS = re.compile(r"[A-Za-z0-9._-]*(?<!\.)")  # becomes the name of a folder, so `..` is not allowed


def pins(specs: SpecFiles, environment: str = "") -> dict[str, PinnedPackage]:
    """The packages that the app pins, or one environment, by key. Raises ``SetupError`` for an unknown environment."""
    return {
        key: PinnedPackage(str(entry["registry"]), str(entry["name"]), str(entry["version"]))
        for key, entry in _entries(specs, environment).items()
    }


def environments_pinning(specs: SpecFiles, library: PinnedPackage) -> list[str]:
    """The environments that pin exactly this version, sorted."""
    names = specs.entries("environments", False)
    return sorted(name for name in names if library in pins(specs, name).values())


def pinned(specs: SpecFiles) -> list[PinnedPackage]:
    """Every package and version that the app or an environment pins, once each; sorted."""
    scopes = ("", *specs.entries("environments", False))
    libraries = {library for scope in scopes for library in pins(specs, scope).values()}
    return sorted(libraries, key=lambda library: (library.registry, library.name, library.version))


def folder(tree: Tree, library: PinnedPackage) -> str | None:
    """The folder of an installed package; None if it is not installed.

    In an app that needs ``ks upgrade`` the folder has no version.
    """
    unversioned = f"vendor/{library.key}"
    candidates = (library.folder, unversioned)
    return next((path for path in candidates if tree.read(f"{path}/{PARTS_FILE}") is not None), None)


def describe(tree: Tree, library: PinnedPackage) -> str:
    """The description of an installed package. Raises ``SetupError`` if it is not installed."""
    path = folder(tree, library)
    if path is None:
        raise SetupError(
            f"reading package configuration from paths: {library.folder}/{PARTS_FILE}, "
            f"vendor/{library.key}/{PARTS_FILE}: there is no such file; `ks pkg install {library.key}` puts it there"
        )
    return description(tree.read(f"{path}/{PARTS_FILE}") or "", f"{path}/{PARTS_FILE}")


def description(text: str, where: str) -> str:
    """The description in the text of a ``parts.yaml``. Raises ``RenderError`` if it is not YAML."""
    values = documents(text, where)
    spec: Any = values[0] if values else {}
    return str(spec.get("description") or "") if isinstance(spec, dict) else ""


def install(
    tree: WritableTree,
    client: RegistryClient,
    *,
    package: PackageReference,
    alias: str = "",
    environment: str = "",
    force: bool = False,
) -> int | None:
    """Install a package and pin it for the app, or for one environment. The number of files; None if it was installed.

    All files are fetched before the first one is written. A version that nothing pins any more is removed. Raises
    ``SetupError`` if the registry does not have the package, or the alias or the environment is invalid.
    """
    if not _ALIAS.fullmatch(alias):
        raise SetupError(f"--name {alias}: a package's name is letters, digits and dashes")
    specs = SpecFiles(tree)
    entries = _entries(specs, environment)
    count = None
    try:
        version = client.version(package.name, package.version)
        library = PinnedPackage(package.registry, alias or package.name, version)
        is_installed = version and library in pinned(specs) and folder(tree, library) == library.folder
        files = {} if is_installed and not force else client.files(package.name, version)
        if files and PARTS_FILE not in files:
            raise SetupError(f"it has no {PARTS_FILE}")
    except SetupError as error:
        raise SetupError(f"resolving package metadata: {package}: {error}") from error
    if files:
        tree.remove(library.folder)
        for path, content in sorted(files.items()):
            tree.write(f"{library.folder}/{path}", content)
        count = len(files)
    replaced = pins(specs, environment).get(library.key)
    entries[library.key] = {"name": library.name, "registry": library.registry, "version": library.version}
    specs.save(tree)
    if replaced is not None:
        _remove_unpinned(tree, specs, replaced)
    return count


def remove(tree: WritableTree, package: PackageReference, environment: str = "") -> PinnedPackage:
    """Unpin a package, and remove it from ``vendor/`` unless something else pins it. What was unpinned.

    Raises ``SetupError`` if it is not pinned there or the environment does not exist.
    """
    specs = SpecFiles(tree)
    if environment and environment not in specs.entries("environments", False):
        raise SetupError(f"invalid environment: {environment}")
    entries = _entries(specs, environment)
    matches = [item for item in sorted(pins(specs, environment).items()) if package.fits(item[1])]
    if not matches:
        scope = "environment" if environment else "global"
        raise SetupError(f"updating library in {scope} scope: package not found: {package}")
    key, library = matches[0]
    del entries[key]
    specs.save(tree)
    _remove_unpinned(tree, specs, library)
    return library


def _remove_unpinned(tree: WritableTree, specs: SpecFiles, library: PinnedPackage) -> None:
    """Remove a package's files unless something pins it, and the folders above that are empty then."""
    if library in pinned(specs):
        return
    tree.remove(library.folder)
    for path in _parents(library.folder):
        if tree.names(path):
            break
        tree.remove(path)


def _parents(path: str) -> Iterator[str]:
    """The folders above ``path``, without the first part: ``vendor`` itself stays."""
    path = path.rpartition("/")[0]
    while "/" in path:
        yield path
        path = path.rpartition("/")[0]


def _entries(specs: SpecFiles, environment: str) -> dict[str, Entry]:
    if not environment:
        return specs.entries("libraries", False)
    spec = specs.entries("environments", False).get(environment)
    if spec is None:
        raise SetupError(f'checking environment: environment "{environment}" was not found')
    entries: dict[str, Entry] = spec.setdefault("libraries", {})
    return entries
