"""Packages: copied from a registry into ``vendor/``, pinned in ``app.yaml`` (ksonnet-rules.md#packages)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ...errors import SetupError
from ...manifests.documents import documents
from ..app.app import PinnedPackage
from ..app.spec_files import SpecFiles
from ..app.tree import Tree, WritableTree
from .registries import RegistryClient

PARTS_FILE = "parts.yaml"

_ALIAS = re.compile(r"[A-Za-z0-9._-]*(?<!\.)")  # a folder's name, and no way out of it
_NAME = re.compile(r"([A-Za-z0-9-]+)(?:/([^@]+))?(?:@([^@]+))?")
_INVALID = "package name should be in the form `<registry>/<library>@<version>`"


@dataclass(frozen=True, slots=True)
class PackageReference:
    """A package as the command line names it; the parts that it leaves out are empty."""

    registry: str
    name: str
    version: str

    def __str__(self) -> str:
        return (f"{self.registry}/" if self.registry else "") + self.name + (f"@{self.version}" if self.version else "")

    def fits(self, library: PinnedPackage) -> bool:
        """Whether it can be ``library``, whatever the version."""
        return self.name == library.name and self.registry in ("", library.registry)


def wanted(text: str) -> PackageReference:
    """What a person wrote. Raises ``SetupError``."""
    match = _NAME.fullmatch(text)
    if match is None or ".." in text.split("/"):
        raise SetupError(_INVALID)
    first, second, version = match.groups(default="")
    return PackageReference(first if second else "", second or first, version)


def libraries(specs: SpecFiles, environment: str = "") -> dict[str, PinnedPackage]:
    """What the app, or one environment, pins, by key."""
    entries = _entries(specs, environment)
    return {
        key: PinnedPackage(str(entry["registry"]), str(entry["name"]), str(entry["version"]))
        for key, entry in entries.items()
    }


def users(specs: SpecFiles, library: PinnedPackage) -> list[str]:
    """The environments that pin just this version."""
    names = specs.entries("environments", False)
    return sorted(name for name in names if library in libraries(specs, name).values())


def pinned(specs: SpecFiles) -> list[PinnedPackage]:
    """Every version that the app or an environment pins, once, by registry, name and version."""
    found = {
        library for name in ("", *specs.entries("environments", False)) for library in libraries(specs, name).values()
    }
    return sorted(found, key=lambda library: (library.registry, library.name, library.version))


def folder(tree: Tree, library: PinnedPackage) -> str | None:
    """Where a package is vendored; that of an app before ``ks upgrade`` has no version. None where it is not."""
    plain = f"vendor/{library.key}"
    return next((path for path in (library.folder, plain) if tree.read(f"{path}/{PARTS_FILE}") is not None), None)


def describe(tree: Tree, library: PinnedPackage) -> str:
    """What ``parts.yaml`` says of a vendored package. Raises ``SetupError``."""
    path = folder(tree, library)
    if path is None:
        raise SetupError(
            f"reading package configuration from paths: {library.folder}/{PARTS_FILE}, "
            f"vendor/{library.key}/{PARTS_FILE}: there is no such file; `ks pkg install {library.key}` puts it there"
        )
    return description(tree.read(f"{path}/{PARTS_FILE}") or "", f"{path}/{PARTS_FILE}")


def description(text: str, where: str) -> str:
    """The description in a ``parts.yaml``."""
    found = documents(text, where)
    spec: Any = found[0] if found else {}
    return str(spec.get("description") or "") if isinstance(spec, dict) else ""


def install(
    tree: WritableTree,
    source: RegistryClient,
    package: PackageReference,
    alias: str = "",
    environment: str = "",
    force: bool = False,
) -> int | None:
    """Vendors a package and pins it for the app, or for one environment. How many files came; None if none needed to.

    All files are there before one is written. A version that nothing pins any more is taken out of ``vendor/``.
    """
    if not _ALIAS.fullmatch(alias):
        raise SetupError(f"--name {alias}: a package's name is letters, digits and dashes")
    specs = SpecFiles(tree)
    entries = _entries(specs, environment)
    count = None
    try:
        version = source.version(package.name, package.version)
        library = PinnedPackage(package.registry, alias or package.name, version)
        is_there = version and library in pinned(specs) and folder(tree, library) == library.folder
        files = {} if is_there and not force else source.files(package.name, version)
        if files and PARTS_FILE not in files:
            raise SetupError(f"it has no {PARTS_FILE}")
    except SetupError as error:
        raise SetupError(f"resolving package metadata: {package}: {error}") from error
    if files:
        tree.remove(library.folder)
        for path, content in sorted(files.items()):
            tree.write(f"{library.folder}/{path}", content)
        count = len(files)
    before = libraries(specs, environment).get(library.key)
    entries[library.key] = {"name": library.name, "registry": library.registry, "version": library.version}
    specs.save(tree)
    if before is not None:
        _collect(tree, specs, before)
    return count


def remove(tree: WritableTree, package: PackageReference, environment: str = "") -> PinnedPackage:
    """Unpins a package, and takes it out of ``vendor/`` if nothing else pins it. What was removed."""
    specs = SpecFiles(tree)
    if environment and environment not in specs.entries("environments", False):
        raise SetupError(f"invalid environment: {environment}")
    entries = _entries(specs, environment)
    found = next((each for each in sorted(libraries(specs, environment).items()) if package.fits(each[1])), None)
    if found is None:
        scope = "environment" if environment else "global"
        raise SetupError(f"updating library in {scope} scope: package not found: {package}")
    key, library = found
    del entries[key]
    specs.save(tree)
    _collect(tree, specs, library)
    return library


def _collect(tree: WritableTree, specs: SpecFiles, library: PinnedPackage) -> None:
    if library in pinned(specs):
        return
    tree.remove(library.folder)
    parent = library.folder.rpartition("/")[0]
    for path in _upwards(parent):
        if tree.names(path):
            break
        tree.remove(path)


def _upwards(path: str) -> Iterator[str]:
    while "/" in path:
        yield path
        path = path.rpartition("/")[0]


def _entries(specs: SpecFiles, environment: str) -> dict[str, dict[str, Any]]:
    if not environment:
        return specs.entries("libraries", False)
    found = specs.entries("environments", False).get(environment)
    if found is None:
        raise SetupError(f'checking environment: environment "{environment}" was not found')
    entries: dict[str, dict[str, Any]] = found.setdefault("libraries", {})
    return entries
