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
    """Both files as mappings of schema 0.3.0. Libraries come from ``app.yaml`` only, whatever the override has."""

    def __init__(self, tree: Tree) -> None:
        """Read both files. Raises ``RenderError`` if ``app.yaml`` is missing or a file is invalid."""
        primary = read_spec(tree, APP_FILE)
        if primary is None:
            raise RenderError("there is no app.yaml here", APP_FILE)
        self.primary = _migrated(primary)
        self.override = _migrated(read_spec(tree, OVERRIDE_FILE) or {})

    def entries(self, key: str, is_override: bool) -> dict[str, Entry]:
        """``environments``, ``registries`` or ``libraries`` of one of the two files. Changing it changes the file."""
        spec = self.override if is_override else self.primary
        entries: dict[str, Entry] = spec.setdefault(key, {})
        return entries

    def environment(self, name: str) -> Entry:
        """A copy of an environment, in which the override wins except for libraries.

        Raises ``SetupError`` if neither file has it.
        """
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
        """Write ``app.yaml``, and the override unless it is empty; an empty override is removed."""
        tree.write(APP_FILE, app_yaml(self.primary))
        override = _without_empty(self.override)
        if override.get("environments") or override.get("registries"):
            kept: Entry = {key: override[key] for key in ("environments", "registries") if key in override}
            tree.write(OVERRIDE_FILE, _text({"apiVersion": _VERSION, "kind": "ksonnet.io/app-override", **kept}))
        elif tree.read(OVERRIDE_FILE) is not None:
            tree.remove(OVERRIDE_FILE)


def app_yaml(spec: Entry) -> str:
    """The text of ``app.yaml``: sorted keys, without empty values."""
    return _text({**_without_empty(spec), "apiVersion": _VERSION})


def new_environment(name: str, server: str, namespace: str, k8s_version: str) -> Entry:
    """The entry of a new environment."""
    return {"destination": {"namespace": namespace, "server": server}, "k8sVersion": k8s_version, "path": name}


def _text(spec: Entry) -> str:
    return as_yaml([spec]).removeprefix("---\n")


def _without_empty(spec: Entry) -> Entry:
    """A copy without empty values, at the top and in each environment."""
    spec = {key: value for key, value in spec.items() if value not in ("", [], {}, None)}
    for name, entry in spec.get("environments", {}).items():
        kept = {key: value for key, value in entry.items() if key not in ("targets", "libraries") or value}
        spec["environments"] = {**spec["environments"], name: kept}
    return spec


def _migrated(spec: Entry) -> Entry:
    """A copy in schema 0.3.0. Raises ``RenderError`` for an environment whose path leads out of its folder."""
    spec = copy.deepcopy(spec)
    for entry in (spec, *_entries(spec, "environments").values()):
        libraries = (pinned_package(key, value) for key, value in _entries(entry, "libraries").items())
        if migrated := {
            library.key: {"name": library.name, "registry": library.registry, "version": library.version}
            for library in libraries
        }:
            entry["libraries"] = migrated
    for name, entry in _entries(spec, "environments").items():
        destination = entry.get("destination") or {}
        entry["destination"] = {
            "namespace": str(destination.get("namespace") or "default"),
            "server": str(destination.get("server") or ""),
        }
        entry["k8sVersion"] = str(entry.get("k8sVersion") or "")
        entry["path"] = str(entry.get("path") or name)
        if {"..", ".", ""} & set(entry["path"].strip("/").split("/")):
            raise RenderError(
                f"environment {name}: its path {entry['path']!r} is not a folder in environments", APP_FILE
            )
        if entry.get("targets"):
            entry["targets"] = list(environment_targets(entry["targets"]))
    for entry in _entries(spec, "registries").values():
        entry.pop("gitVersion", None)  # only 0.1.0 has it
    return spec


def _entries(spec: Entry, key: str) -> dict[str, Entry]:
    entries = spec.get(key) or {}
    if not isinstance(entries, dict):
        raise RenderError(f"{key} must be a mapping", APP_FILE)
    for name, entry in entries.items():
        if not isinstance(entry, dict):
            raise RenderError(f"{name} in {key} must be a mapping", APP_FILE)
    return entries
