"""Registries: where packages come from, and what ``registry.yaml`` says (ksonnet-rules.md#packages)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit

from ...errors import SetupError
from ...manifests.documents import documents
from ...manifests.printing import as_yaml
from ..app.spec_files import SpecFiles
from ..app.tree import Tree, WritableTree

REGISTRY_FILE = "registry.yaml"

_GITHUB = re.compile(r"(?:https?://)?(?:www\.)?github\.com(?P<path>/.*)?", re.DOTALL)
_INVALID = (
    "Invalid GitHub URI: try navigating in GitHub to the URI of the folder containing the 'yaml', and using that URI "
    "instead. Generally, this URI should be of the form "
    "'github.com/{organization}/{repository}/tree/{branch}/[path-to-directory]'"
)
_NO_GITHUB = (
    "Registries using protocol 'github' must provide URIs beginning with 'github.com' "
    "(optionally prefaced with 'http', 'https', 'www', and so on"
)
_NAME = re.compile(r"[A-Za-z0-9-]+")  # what `pkg install` understands before the slash
_VERSIONS = re.compile(r"0\.[12](?:\.\d+)?")

ProtocolName = Literal["github", "fs", "helm"]


@dataclass(frozen=True, slots=True)
class Registry:
    name: str
    protocol: str
    uri: str
    is_override: bool = False

    @property
    def cache(self) -> str:
        """Where what its ``registry.yaml`` said is kept (ksonnet-rules.md#app-folder)."""
        return f".ksonnet/registries/{self.name}/{REGISTRY_FILE}"


@dataclass(frozen=True, slots=True)
class GitHubFolder:
    """A folder of a repository at a ref, as a URI of GitHub names it."""

    owner: str
    repository: str
    ref: str
    path: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What a registry offers: the version of each package, and the path that is shown for it."""

    version: str
    versions: Mapping[str, str]
    paths: Mapping[str, str]


class RegistryClient(Protocol):
    """What answers for a registry."""

    def validate(self) -> None:
        """Raises where there is no registry at all."""

    def catalogue(self) -> Catalogue:
        """What is there now."""

    def version(self, package: str, ref: str) -> str:
        """What ``ref`` (the registry's own if empty) stands for; empty where packages have no versions."""

    def files(self, package: str, version: str) -> dict[str, bytes]:
        """The files of a package by their path in it."""


def detect_protocol(uri: str) -> tuple[ProtocolName, str]:
    """The protocol a URI is of, and the URI as it is kept."""
    if uri.startswith(("github", "https://github")):
        return "github", uri
    if uri.startswith("file://"):
        return "fs", urlsplit(uri).path
    if uri.startswith(("/", ".")):
        return "fs", uri
    return "helm", uri


def github_folder(uri: str) -> GitHubFolder:
    """The folder that holds the registry. Raises ``SetupError``."""
    match = _GITHUB.fullmatch(uri.strip())
    if match is None:
        raise SetupError(_NO_GITHUB)
    parts = urlsplit("http://github.com" + (match["path"] or ""))
    if parts.query:
        raise SetupError(f"No query strings allowed in registry URI:\n{uri}")
    names = parts.path.split("/")[1:]
    if len(names) < 2 or not all(names[:2]):
        raise SetupError(f"GitHub URI must point at a repository:\n{uri}")
    owner, repository, *rest = names
    if len(rest) < 2:
        return GitHubFolder(owner, repository, "master", "")
    kind, ref, *path = rest
    if path and not path[-1]:
        path.pop()
    if kind == "blob" and path and path[-1] == REGISTRY_FILE:
        path.pop()
    elif kind != "tree":
        raise SetupError(_INVALID)
    return GitHubFolder(owner, repository, ref, "/".join(path))


def registries(specs: SpecFiles) -> dict[str, Registry]:
    """Those of the app and of its override, which wins, by name."""
    found = {}
    for is_override in (False, True):
        for name, entry in specs.entries("registries", is_override).items():
            protocol, uri = str(entry.get("protocol") or ""), str(entry.get("uri") or "")
            found[name] = Registry(name, protocol, uri, is_override)
    return dict(sorted(found.items()))


def add_registry(tree: WritableTree, registry: Registry, source: RegistryClient) -> None:
    """Adds a registry that answers, and keeps its catalogue. A fault leaves the app as it was."""
    if not _NAME.fullmatch(registry.name):
        raise SetupError("Registry name is invalid: it takes letters, digits and dashes")
    source.validate()
    specs = SpecFiles(tree)
    entries = specs.entries("registries", registry.is_override)
    if registry.name in entries:
        raise SetupError("Registry with name already exists")
    try:
        catalogue = source.catalogue()
    except SetupError as error:
        raise SetupError(f"caching registry: {error}") from error
    entries[registry.name] = {"protocol": registry.protocol, "uri": registry.uri}
    specs.save(tree)
    keep_catalogue(tree, registry, catalogue)


def set_uri(tree: WritableTree, registry: Registry, uri: str, source: RegistryClient) -> None:
    """Give a registry another URI, which ``source`` answers for. A failure leaves the app unchanged.

    ksonnet saved the URI before it checked it (ksonnet-rules.md#repair-registry-set).
    """
    if uri == registry.uri:
        return
    try:
        source.validate()
    except SetupError as error:
        raise SetupError(f"setting registry {registry.name} uri: {uri}: validating uri: {error}") from error
    catalogue = source.catalogue()
    specs = SpecFiles(tree)
    specs.entries("registries", registry.is_override)[registry.name]["uri"] = uri
    specs.save(tree)
    keep_catalogue(tree, registry, catalogue)


def keep_catalogue(tree: WritableTree, registry: Registry, catalogue: Catalogue) -> None:
    """Writes what a registry on the network offers to the folder ``.ksonnet``."""
    if registry.protocol != "github":
        return
    libraries = {
        name: {"path": catalogue.paths[name], "version": version} for name, version in catalogue.versions.items()
    }
    spec = {"apiVersion": "0.2.0", "kind": "ksonnet.io/registry", "libraries": libraries, "version": catalogue.version}
    tree.write(registry.cache, as_yaml([spec]).removeprefix("---\n"))


def kept_catalogue(tree: Tree, registry: Registry) -> Catalogue | None:
    """What was kept, if anything."""
    text = tree.read(registry.cache)
    return None if text is None else read_catalogue(text, registry.cache)


def read_catalogue(text: str, where: str, version: str | None = None) -> Catalogue:
    """What a ``registry.yaml`` says; every package is of ``version`` if it is given."""
    found = documents(text, where)
    spec = found[0] if found else None
    if not isinstance(spec, dict):
        raise SetupError(f"{where}: a mapping with apiVersion, kind and libraries was expected")
    if not _VERSIONS.fullmatch(str(spec.get("apiVersion"))):
        raise SetupError(
            f"Registry uses unsupported spec version '{spec.get('apiVersion')}' "
            "(this client only supports [>=0.1.0 <0.2.0 >=0.2.0 <0.3.0])"
        )
    libraries: Any = spec.get("libraries") or {}
    if not isinstance(libraries, dict) or not all(isinstance(entry, dict) for entry in libraries.values()):
        raise SetupError(f"{where}: libraries must be a mapping of mappings")
    git = spec.get("gitVersion") or {}
    own = spec.get("version") or (git.get("commitSha") if isinstance(git, dict) else "")
    return Catalogue(
        version=str(own or "") if version is None else version,
        versions={
            name: str(entry.get("version") or "") if version is None else version
            for name, entry in sorted(libraries.items())
        },
        paths={name: str(entry.get("path") or name) for name, entry in libraries.items()},
    )
