"""``app.yaml`` and its override, to be changed: read in any schema, written as 0.3.0 (ksonnet-rules.md#appyaml)."""

import copy
from typing import Any

from ...errors import RenderError, SetupError
from ...manifests.printing import as_yaml
from .app import APP_FILE, OVERRIDE_FILE, environment_targets, pinned_package, read_spec
from .tree import Tree, WritableTree

Entry = dict[str, Any]

_VERSION = "0.3.0"


class SpecFiles:
    """Both files, as mappings of schema 0.3.0. ``libraries`` are of the app alone, whatever the override says."""

    def __init__(self, tree: Tree) -> None:
        primary = read_spec(tree, APP_FILE)
        if primary is None:
            raise RenderError("there is no app.yaml here", APP_FILE)
        self.primary = _migrated(primary)
        self.override = _migrated(read_spec(tree, OVERRIDE_FILE) or {})

    def entries(self, key: str, is_override: bool) -> dict[str, Entry]:
        """``environments``, ``registries`` or ``libraries`` of one of the two, to be changed in place."""
        spec = self.override if is_override else self.primary
        found: dict[str, Entry] = spec.setdefault(key, {})
        return found

    def environment(self, name: str) -> Entry:
        """A copy of an environment: what the override says of it wins, but for its libraries."""
        primary = self.entries("environments", False).get(name)
        override = self.entries("environments", True).get(name)
        if primary is None and override is None:
            raise SetupError(f'environment "{name}" was not found')
        both = {**(primary or {}), **(override or {})}
        if primary is not None:
            both.pop("libraries", None)
            both |= {key: value for key, value in primary.items() if key == "libraries"}
        return copy.deepcopy(both)

    def save(self, tree: WritableTree) -> None:
        """Writes app.yaml, and the override if it says anything; else that file goes."""
        tree.write(APP_FILE, app_yaml(self.primary))
        override = _filled(self.override)
        if override.get("environments") or override.get("registries"):
            kept: Entry = {key: override[key] for key in ("environments", "registries") if key in override}
            tree.write(OVERRIDE_FILE, _text({"apiVersion": _VERSION, "kind": "ksonnet.io/app-override", **kept}))
        elif tree.read(OVERRIDE_FILE) is not None:
            tree.remove(OVERRIDE_FILE)


def app_yaml(spec: Entry) -> str:
    """The text of ``app.yaml``: keys sorted, what is empty left out."""
    return _text({**_filled(spec), "apiVersion": _VERSION})


def new_environment(name: str, server: str, namespace: str, k8s_version: str) -> Entry:
    """The entry of an environment as ``env add`` makes it."""
    return {"destination": {"namespace": namespace, "server": server}, "k8sVersion": k8s_version, "path": name}


def _text(spec: Entry) -> str:
    return as_yaml([spec]).removeprefix("---\n")


def _filled(spec: Entry) -> Entry:
    """Without what is empty, at the top and in each environment."""
    spec = {key: value for key, value in spec.items() if value not in ("", [], {}, None)}
    for name, entry in spec.get("environments", {}).items():
        kept = {key: value for key, value in entry.items() if key not in ("targets", "libraries") or value}
        spec["environments"] = {**spec["environments"], name: kept}
    return spec


def _migrated(spec: Entry) -> Entry:
    spec = copy.deepcopy(spec)
    for entry in (spec, *_entries(spec, "environments").values()):
        libraries = (pinned_package(key, value) for key, value in _entries(entry, "libraries").items())
        if found := {
            library.key: {"name": library.name, "registry": library.registry, "version": library.version}
            for library in libraries
        }:
            entry["libraries"] = found
    for name, entry in _entries(spec, "environments").items():
        destination = entry.get("destination") or {}
        entry["destination"] = {
            "namespace": str(destination.get("namespace") or "default"),
            "server": str(destination.get("server") or ""),
        }
        entry["k8sVersion"] = str(entry.get("k8sVersion") or "")
        entry["path"] = str(entry.get("path") or name)
        if {"..", ".", ""} & set(entry["path"].strip("/").split("/")):
            raise RenderError(f"environment {name}: its path {entry['path']!r} is no folder in environments", APP_FILE)
        if entry.get("targets"):
            entry["targets"] = list(environment_targets(entry["targets"]))
    for entry in _entries(spec, "registries").values():
        entry.pop("gitVersion", None)  # of 0.1.0
    return spec


def _entries(spec: Entry, key: str) -> dict[str, Entry]:
    found = spec.get(key) or {}
    if not isinstance(found, dict):
        raise RenderError(f"{key} must be a mapping", APP_FILE)
    for name, entry in found.items():
        if not isinstance(entry, dict):
            raise RenderError(f"{name} in {key} must be a mapping", APP_FILE)
    return found
