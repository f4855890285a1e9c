"""``app.yaml`` and its override, of any schema from 0.1.0 to 0.3.0 (ksonnet-rules.md#appyaml)."""

import re
from dataclasses import dataclass
from functools import lru_cache
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
    """An installed package and its version; ksonnet calls it a library. A package of a folder has no version."""

    registry: str
    name: str
    version: str

    @property
    def key(self) -> str:
        """Its key in ``libraries``, and the way it is imported: ``registry/name``."""
        return f"{self.registry}/{self.name}"

    @property
    def folder(self) -> str:
        """Its folder in the app."""
        return f"vendor/{self.key}@{self.version}" if self.version else f"vendor/{self.key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """One entry of ``environments``; ``targets`` are names of modules (ksonnet-rules.md#components).

    Without targets only the root module is rendered. ``server`` is the address of a cluster, or ``context:NAME``.
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
        """The folder of its files."""
        return f"environments/{self.path}" if self.path else "environments"


@dataclass(frozen=True, slots=True)
class App:
    """An app's name, its environments by name, and the packages that it pins for all of them."""

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
        """The packages that an environment sees: its own pins win over the app's (ksonnet-rules.md#packages)."""
        return tuple({library.key: library for library in (*self.libraries, *environment.libraries)}.values())


def load_app(tree: Tree) -> App:
    """The app at the root of ``tree``; the override wins, except for the libraries of an environment.

    Raises ``RenderError`` if there is no ``app.yaml``, or if one of the two files is invalid.
    """
    primary = read_spec(tree, APP_FILE)
    if primary is None:
        raise RenderError("there is no app.yaml here", APP_FILE)
    override = read_spec(tree, OVERRIDE_FILE) or {}
    in_primary = _mapping(primary, "environments", APP_FILE)
    in_override = _mapping(override, "environments", OVERRIDE_FILE)
    environments = {}
    for name in sorted({*in_primary, *in_override}):
        own = _mapping(in_primary, name, APP_FILE)
        over = _mapping(in_override, name, OVERRIDE_FILE)
        spec = {**own, **over, "libraries": own.get("libraries")}
        environments[name] = _environment(name, spec, name in in_override)
    return App(str(primary.get("name", "")), environments, _libraries(primary, APP_FILE))


def current_environment(tree: Tree) -> str:
    """The name that ``ks env current --set`` stored; empty if there is none."""
    return (tree.read(CURRENT_FILE) or "").strip()


def read_spec(tree: Tree, file: str) -> dict[str, Any] | None:
    """The mapping in a spec file, not to be changed; None if there is no such file.

    Raises ``RenderError`` if it is not YAML, not one mapping, or of a schema that is not supported.
    """
    text = tree.read(file)
    return None if text is None else _parsed_spec(text, file)


# A command comes here more than once: to warn of an old schema, to find its environment, to render it. The text is
# parsed once; reading it again is cheap, and shows a change that the command itself made.
@lru_cache(maxsize=4)
def _parsed_spec(text: str, file: str) -> dict[str, Any]:
    values = documents(text, file)
    if len(values) != 1 or not isinstance(values[0], dict):
        raise RenderError("one mapping was expected", file)
    spec: dict[str, Any] = values[0]
    version = str(spec.get("apiVersion", ""))
    match = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)", version)
    if match is None or not (0, 1, 0) <= tuple(map(int, match.groups())) <= (0, 3, 0):
        raise RenderError(_UNSUPPORTED.format(version), file)
    return spec


def pinned_package(key: str, entry: dict[str, Any]) -> PinnedPackage:
    """The package of an entry of ``libraries``, in any schema. Raises ``RenderError`` for a malformed entry."""
    registry, _, name = key.rpartition("/")
    # 0.1.0 has the commit where later schemas have a version.
    version = entry.get("version") or _mapping(entry, "gitVersion", f"library {key}").get("commitSha") or ""
    return PinnedPackage(str(entry.get("registry") or registry), name, str(version))


def environment_targets(targets: list[Any]) -> tuple[str, ...]:
    """Names of modules from a list of any schema: before 0.3.0 their parts were separated by ``/``."""
    return tuple(str(target).strip("/").replace("/", ".") or "/" for target in targets)


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
    libraries = []
    for key, value in sorted(_mapping(spec, "libraries", where).items()):
        if not isinstance(value, dict):
            raise RenderError(f"library {key} must be a mapping", where)
        libraries.append(pinned_package(key, value))
    return tuple(libraries)


def _mapping(spec: dict[str, Any], key: str, where: str) -> dict[str, Any]:
    value = spec.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise RenderError(f"{key} must be a mapping", where)
    return value
