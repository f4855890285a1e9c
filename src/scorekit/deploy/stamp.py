"""What deploying adds to an object (ksonnet-rules.md#apply), and how messages name objects."""

import base64
from typing import Any

from ..errors import ClusterError
from ..manifests import Object
from .cluster import ApiResource

DEPLOY_MANAGER = "app.kubernetes.io/deploy-manager"
DEPLOYED_BY = "ksonnet"
GC_TAG = "kubecfg.ksonnet.io/garbage-collect-tag"
GC_STRATEGY = "kubecfg.ksonnet.io/garbage-collect-strategy"


def stamped(value: Object, gc_tag: str = "") -> Object:
    """A copy of ``value`` as it is sent: with the label of ksonnet and, with a ``gc_tag``, with that annotation.

    Raises ``ClusterError`` for an object without a name: server-side apply has no place for ``generateName``.
    """
    metadata: dict[str, Any] = dict(value.get("metadata") or {})
    if not metadata.get("name"):
        prefix = metadata.get("generateName")
        if prefix:
            raise ClusterError(
                f"generateName: {prefix!r} makes a new object at each run, so nothing can be applied to it; give it a "
                "metadata.name, or create it with kubectl create",
                422,
            )
        raise ClusterError(f"{value['kind']}: an object needs a metadata.name to be applied", 422)
    metadata["labels"] = {**(metadata.get("labels") or {}), DEPLOY_MANAGER: DEPLOYED_BY}
    if gc_tag:
        metadata["annotations"] = {**(metadata.get("annotations") or {}), GC_TAG: gc_tag}
    return _encoded({**value, "metadata": metadata})


def _encoded(value: Object) -> Object:
    """A Secret with its ``stringData`` moved to ``data``, where the server stores it.

    The server does that too, but it does not remember who set those fields. A key that leaves the source would then
    stay on the cluster, and a key that somebody else changed would be overwritten without a conflict. Values that are
    not strings are left as they are, for the server to refuse.
    """
    texts = value.get("stringData")
    is_secret = (value.get("apiVersion"), value["kind"]) == ("v1", "Secret")
    if not (is_secret and isinstance(texts, dict) and all(isinstance(text, str) for text in texts.values())):
        return value
    encoded = {name: base64.b64encode(text.encode()).decode() for name, text in texts.items()}
    rest = {name: part for name, part in value.items() if name != "stringData"}
    return {**rest, "data": {**(value.get("data") or {}), **encoded}}


def with_live_tag(sent: Object, live: Object | None) -> Object:
    """``sent`` with the gc tag that the object has on the cluster, unless it has one itself.

    A tag stays until another one replaces it (ksonnet-rules.md#garbage-collection). Without this, an apply without
    ``--gc-tag`` would take our own annotation away.
    """
    tag = (((live or {}).get("metadata") or {}).get("annotations") or {}).get(GC_TAG)
    annotations = sent["metadata"].get("annotations") or {}
    if tag is None or GC_TAG in annotations:
        return sent
    return {**sent, "metadata": {**sent["metadata"], "annotations": {**annotations, GC_TAG: tag}}}


def title(value: Object) -> str:
    """The name of an object in our messages: ``Deployment seldon/web``."""
    metadata = value.get("metadata") or {}
    within = f"{metadata['namespace']}/" if metadata.get("namespace") else ""
    return f"{value['kind']} {within}{metadata.get('name') or metadata.get('generateName', '')}"


def log_name(value: Object, resource: ApiResource | None) -> str:
    """The name of an object in ksonnet's log lines: ``deployments seldon.web``."""
    metadata = value["metadata"]
    plural = resource.plural if resource else f"{value['kind'].lower()}s"
    return f"{plural} {'.'.join(filter(None, (metadata.get('namespace'), metadata['name'])))}"
