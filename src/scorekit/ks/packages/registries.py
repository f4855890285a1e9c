"""Registries, the sources of packages, and ``registry.yaml`` (ksonnet-rules.md#packages).

A registry is one of three kinds, told apart by its URI. Each kind has a ``RegistryClient``:

========  ==================================================  =============================================
github    ``github.com/ORG/REPO[/tree/REF/PATH]``             ``ks.io.github_registry``; or
                                                              ``ks.io.bundled_registry`` for Seldon Core's,
                                                              which upstream deleted
fs        ``file://…``, or a path that begins with / or .     ``folder_registry``
helm      anything else                                       none: refused
========  ==================================================  =============================================

What a registry on GitHub offers is kept in ``.ksonnet/registries/<name>/registry.yaml`` each time it is asked. The copy
is used only if the registry does not answer, by ``pkg list``. A folder is always read anew.
"""

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
_NAME = re.compile(r"[A-Za-z0-9-]+")  # what `pkg install REGISTRY/PACKAGE` accepts before the slash
_VERSIONS = re.compile(r"0\.[12](?:\.\d+)?")

ProtocolName = Literal["github", "fs", "helm"]


@dataclass(frozen=True, slots=True)
class Registry:
    """An entry of ``registries`` in ``app.yaml``, or in its override."""

    name: str
    protocol: str
    uri: str
    is_override: bool = False

    @property
    def cache(self) -> str:
        """The file that keeps what the registry offered (ksonnet-rules.md#app-folder)."""
        return f".ksonnet/registries/{self.name}/{REGISTRY_FILE}"


@dataclass(frozen=True, slots=True)
class GitHubFolder:
    """A folder of a repository at a ref (a branch, a tag or a commit)."""

    owner: str
    repository: str
    ref: str
    path: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What a registry offers: for each package its version, and the path that ``registry describe`` prints."""

    version: str
    versions: Mapping[str, str]
    paths: Mapping[str, str]


class RegistryClient(Protocol):
    """Access to a registry. Every method raises ``SetupError`` if the registry does not answer or lacks something."""

    def validate(self) -> None:
        """Check that there is a registry at all."""

    def catalogue(self) -> Catalogue:
        """What the registry offers now."""

    def version(self, package: str, ref: str) -> str:
        """The version that ``ref`` stands for, or the registry's own ref if it is empty.

        The result is empty if packages of this registry have no versions.
        """

    def files(self, package: str, version: str) -> dict[str, bytes]:
        """The files of a package, by path in the package."""


def detect_protocol(uri: str) -> tuple[ProtocolName, str]:
    """The protocol of a URI, and the URI as ``app.yaml`` has it."""
    if uri.startswith(("github", "https://github")):
        return "github", uri
    if uri.startswith("file://"):
        return "fs", urlsplit(uri).path
    if uri.startswith(("/", ".")):
        return "fs", uri
    return "helm", uri


def github_folder(uri: str) -> GitHubFolder:
    """The folder that a URI of GitHub names. Raises ``SetupError`` if it is malformed."""
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
    """All registries by name; the override wins."""
    by_name = {}
    for is_override in (False, True):
        for name, entry in specs.entries("registries", is_override).items():
            protocol, uri = str(entry.get("protocol") or ""), str(entry.get("uri") or "")
            by_name[name] = Registry(name, protocol, uri, is_override)
    return dict(sorted(by_name.items()))


def add_registry(tree: WritableTree, registry: Registry, client: RegistryClient) -> None:
    """Add a registry, after it has answered, and keep its catalogue.

    Raises ``SetupError`` if the name is invalid or taken, or the registry does not answer; the app is unchanged then.
    """
    if not _NAME.fullmatch(registry.name):
        raise SetupError("Registry name is invalid: it takes letters, digits and dashes")
    client.validate()
    specs = SpecFiles(tree)
    entries = specs.entries("registries", registry.is_override)
    if registry.name in entries:
        raise SetupError("Registry with name already exists")
    try:
        catalogue = client.catalogue()
    except SetupError as error:
        raise SetupError(f"caching registry: {error}") from error
    entries[registry.name] = {"protocol": registry.protocol, "uri": registry.uri}
    specs.save(tree)
    keep_catalogue(tree, registry, catalogue)


def set_uri(tree: WritableTree, registry: Registry, uri: str, client: RegistryClient) -> None:
    """Give a registry another URI, after ``client`` has answered for it. A failure leaves the app unchanged.

    ksonnet saved the URI before it checked it (ksonnet-rules.md#repair-registry-set). Raises ``SetupError``.
    """
    if uri == registry.uri:
        return
    try:
        client.validate()
    except SetupError as error:
        raise SetupError(f"setting registry {registry.name} uri: {uri}: validating uri: {error}") from error
    catalogue = client.catalogue()
    specs = SpecFiles(tree)
    specs.entries("registries", registry.is_override)[registry.name]["uri"] = uri
    specs.save(tree)
    keep_catalogue(tree, registry, catalogue)


def keep_catalogue(tree: WritableTree, registry: Registry, catalogue: Catalogue) -> None:
    """Write the catalogue of a registry on GitHub to its file in ``.ksonnet``; other registries are not kept."""
    if registry.protocol != "github":
        return
    libraries = {
        name: {"path": catalogue.paths[name], "version": version} for name, version in catalogue.versions.items()
    }
    spec = {"apiVersion": "0.2.0", "kind": "ksonnet.io/registry", "libraries": libraries, "version": catalogue.version}
    tree.write(registry.cache, as_yaml([spec]).removeprefix("---\n"))


def kept_catalogue(tree: Tree, registry: Registry) -> Catalogue | None:
    """The catalogue that was kept; None if there is none. Raises ``SetupError`` if the file is invalid."""
    text = tree.read(registry.cache)
    return None if text is None else read_catalogue(text, registry.cache)


def read_catalogue(text: str, where: str, version: str | None = None) -> Catalogue:
    """The catalogue in the text of a ``registry.yaml``; ``version`` replaces that of every package.

    Raises ``SetupError`` if it is of another schema, and ``RenderError`` if it is not YAML.
    """
    values = documents(text, where)
    spec = values[0] if values else None
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
