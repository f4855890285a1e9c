"""What deploying adds to an object, and what it calls it (ksonnet §B.6)."""

from typing import Any

from ..errors import ClusterError
from ..manifests.documents import Object
from .cluster import Kind

DEPLOY_MANAGER = "app.kubernetes.io/deploy-manager"
DEPLOYED_BY = "ksonnet"
GC_TAG = "kubecfg.ksonnet.io/garbage-collect-tag"
GC_STRATEGY = "kubecfg.ksonnet.io/garbage-collect-strategy"


def stamped(value: Object, kind: Kind | None, namespace: str, gc_tag: str = "") -> Object:
    """A copy of ``value`` as the cluster gets it: in its namespace, labelled and, with a ``gc_tag``, tagged.

    An object that names no namespace gets ``namespace``; one of a kind that has none loses its own, as the API server
    has it. A kind that is not served yet (None) is taken for namespaced. Raises ``ClusterError`` where it has no name.
    """
    metadata: dict[str, Any] = dict(value.get("metadata") or {})
    if not metadata.get("name"):
        raise ClusterError(f"{value['kind']}: an object that is to be applied needs a metadata.name")
    metadata["labels"] = {**(metadata.get("labels") or {}), DEPLOY_MANAGER: DEPLOYED_BY}
    if gc_tag:
        metadata["annotations"] = {**(metadata.get("annotations") or {}), GC_TAG: gc_tag}
    metadata.pop("namespace", None)
    if kind is None or kind.is_namespaced:
        metadata["namespace"] = (value.get("metadata") or {}).get("namespace") or namespace
    return {**value, "metadata": metadata}


def title(value: Object) -> str:
    """``Deployment seldon/web``: what a person calls an object."""
    metadata = value.get("metadata") or {}
    within = f"{metadata['namespace']}/" if metadata.get("namespace") else ""
    return f"{value['kind']} {within}{metadata.get('name', '')}"


def resource(value: Object, kind: Kind | None) -> str:
    """``deployments seldon.web``: what ksonnet's log calls it."""
    metadata = value["metadata"]
    plural = kind.plural if kind else f"{value['kind'].lower()}s"
    return f"{plural} {'.'.join(filter(None, (metadata.get('namespace'), metadata['name'])))}"
