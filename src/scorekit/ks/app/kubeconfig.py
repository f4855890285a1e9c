"""What a new environment takes from a kubeconfig: the server and namespace of a context."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ...errors import SetupError
from ...manifests.documents import documents

CONTEXT = "context:"
"""Before the name of a context, where an environment has that instead of its server's address."""


@dataclass(frozen=True, slots=True)
class Context:
    """``file`` is where the context was found."""

    name: str
    server: str
    namespace: str
    file: str


def resolve(files: Iterable[tuple[str, str]], name: str = "") -> Context | None:
    """A context of kubeconfig files, given as paths and texts; the current one if ``name`` is empty.

    The first file that has a thing wins, as kubectl has it. None where there is no configuration at all, or no context
    of that name. Raises ``SetupError`` for a context that leads nowhere.
    """
    contexts: dict[str, tuple[Any, str]] = {}
    clusters: dict[str, Any] = {}
    current = ""
    for path, text in files:
        found = documents(text, path)
        spec = found[0] if found and isinstance(found[0], dict) else {}
        current = current or str(spec.get("current-context") or "")
        for entry in _entries(spec, "contexts"):
            contexts.setdefault(str(entry.get("name")), (entry.get("context"), path))
        for entry in _entries(spec, "clusters"):
            clusters.setdefault(str(entry.get("name")), entry.get("cluster"))
    if not name and not current and not clusters:
        return None
    wanted = name or current
    if wanted not in contexts:
        if name:
            return None
        raise SetupError(f"context '{wanted}' does not exist in the kubeconfig file")
    context, path = contexts[wanted]
    context = context if isinstance(context, dict) else {}
    cluster = clusters.get(str(context.get("cluster")))
    if not isinstance(cluster, dict):
        raise SetupError(f"No cluster with name '{context.get('cluster') or ''}' exists")
    return Context(wanted, str(cluster.get("server") or ""), str(context.get("namespace") or ""), path)


def _entries(spec: dict[str, Any], key: str) -> list[dict[str, Any]]:
    found = spec.get(key)
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []
