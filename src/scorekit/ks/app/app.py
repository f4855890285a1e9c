"""``app.yaml`` and its override, any schema from 0.1.0 to 0.3.0, migrated in memory (ksonnet-rules.md#appyaml)."""

import re
from dataclasses import dataclass
from typing import Any

from ...errors import RenderError
from ...manifests.documents import documents
from .tree import Tree

APP_FILE = "app.yaml"
OVERRIDE_FILE = "app.override.yaml"
CURRENT_FILE = ".ks_environment"

_UNSUPPORTED = "Current app uses unsupported spec version '{}' (this client only supports [>= 0.1.0 <= 0.3.0])"


class UnknownEnvironment(RenderError):
    """The app has no environment of that name."""


@dataclass(frozen=True, slots=True)
class PinnedPackage:
    """A vendored package, in ``vendor/<registry>/<name>@<version>`` or, without a version, without the ``@``."""

    registry: str
    name: str
    version: str

    @property
    def key(self) -> str:
        return f"{self.registry}/{self.name}"

    @property
    def folder(self) -> str:
        return f"vendor/{self.key}@{self.version}" if self.version else f"vendor/{self.key}"


@dataclass(frozen=True, slots=True)
class Environment:
    """One entry of ``environments``; ``targets`` are names of modules (ksonnet-rules.md#components).

    Without targets only the root module is rendered.
    """

    name: str
    path: str
    server: str
    namespace: str
    k8s_version: str
    targets: tuple[str, ...]
    libraries: tuple[PinnedPackage, ...]
    is_override: bool

    @property
    def folder(self) -> str:
        return f"environments/{self.path}" if self.path else "environments"


@dataclass(frozen=True, slots=True)
class App:
    name: str
    environments: dict[str, Environment]
    libraries: tuple[PinnedPackage, ...]

    def environment(self, name: str) -> Environment:
        """The environment of that name.

        Raises ``UnknownEnvironment`` with ksonnet's message (ksonnet-rules.md#commands) and the names that exist.
        """
        if name not in self.environments:
            known = ", ".join(sorted(self.environments)) or "none"
            raise UnknownEnvironment(f'environment "{name}" was not found; this app has: {known}')
        return self.environments[name]

    def pins(self, environment: Environment) -> tuple[PinnedPackage, ...]:
        """The packages an environment sees: its own over the app's (ksonnet-rules.md#imports)."""
        return tuple({library.key: library for library in (*self.libraries, *environment.libraries)}.values())


def load_app(tree: Tree) -> App:
    """The app at the root of ``tree``. What the override says of an environment wins, except its libraries."""
    primary = read_spec(tree, APP_FILE)
    if primary is None:
        raise RenderError("there is no app.yaml here", APP_FILE)
    override = read_spec(tree, OVERRIDE_FILE) or {}
    first = _mapping(primary, "environments", APP_FILE)
    second = _mapping(override, "environments", OVERRIDE_FILE)
    environments = {}
    for name in sorted({*first, *second}):
        own = _mapping(first, name, APP_FILE)
        over = _mapping(second, name, OVERRIDE_FILE)
        environments[name] = _environment(name, {**own, **over, "libraries": own.get("libraries")}, name in second)
    return App(str(primary.get("name", "")), environments, _libraries(primary, APP_FILE))


def current_environment(tree: Tree) -> str:
    """What ``ks env current --set`` left behind; empty if nothing."""
    return (tree.read(CURRENT_FILE) or "").strip()


def read_spec(tree: Tree, file: str) -> dict[str, Any] | None:
    """What a spec file says, as it says it; None where there is none. Raises for a schema that is not supported."""
    text = tree.read(file)
    if text is None:
        return None
    found = documents(text, file)
    if len(found) != 1 or not isinstance(found[0], dict):
        raise RenderError("one mapping was expected", file)
    spec: dict[str, Any] = found[0]
    version = str(spec.get("apiVersion", ""))
    match = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)", version)
    if match is None or not (0, 1, 0) <= tuple(map(int, match.groups())) <= (0, 3, 0):
        raise RenderError(_UNSUPPORTED.format(version), file)
    return spec


def _environment(name: str, spec: dict[str, Any], is_override: bool) -> Environment:
    where = f"{OVERRIDE_FILE if is_override else APP_FILE}, environment {name}"
    destination = _mapping(spec, "destination", where)
    targets = spec.get("targets") or []
    if not isinstance(targets, list):
        raise RenderError("targets must be a list of module names", where)
    return Environment(
        name=name,
        path=str(spec.get("path") or name).strip("/"),
        server=str(destination.get("server") or ""),
        namespace=str(destination.get("namespace") or "default"),
        k8s_version=str(spec.get("k8sVersion") or ""),
        targets=environment_targets(targets),
        libraries=_libraries(spec, where),
        is_override=is_override,
    )


def _libraries(spec: dict[str, Any], where: str) -> tuple[PinnedPackage, ...]:
    found = []
    for key, value in sorted(_mapping(spec, "libraries", where).items()):
        if not isinstance(value, dict):
            raise RenderError(f"library {key} must be a mapping", where)
        found.append(pinned_package(key, value))
    return tuple(found)


def pinned_package(key: str, entry: dict[str, Any]) -> PinnedPackage:
    """The library an entry of ``libraries`` is about, in any schema."""
    registry, _, bare = key.rpartition("/")
    # 0.1.0 kept the commit where 0.2.0 has a version.
    version = entry.get("version") or _mapping(entry, "gitVersion", f"library {key}").get("commitSha") or ""
    return PinnedPackage(str(entry.get("registry") or registry), bare, str(version))


def environment_targets(targets: list[Any]) -> tuple[str, ...]:
    """Names of modules. Before 0.3.0 their parts were separated by "/"; "/" alone is still the root module."""
    return tuple(str(target).strip("/").replace("/", ".") or "/" for target in targets)


def _mapping(spec: dict[str, Any], key: str, where: str) -> dict[str, Any]:
    value = spec.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise RenderError(f"{key} must be a mapping", where)
    return value
