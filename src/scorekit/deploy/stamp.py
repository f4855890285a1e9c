"""What deploying adds to an object, and what it calls it (ksonnet-rules.md#apply)."""

import base64
from collections.abc import Iterable
from typing import Any

from ..errors import ClusterError, RenderError
from ..manifests.documents import Object
from ..manifests.extract import COMPONENT_LABEL
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
    value = in_namespace(value, kind, namespace)
    metadata: dict[str, Any] = value["metadata"]
    if not metadata.get("name"):
        raise ClusterError(f"{value['kind']}: an object that is to be applied needs a metadata.name", 422)
    metadata["labels"] = {**(metadata.get("labels") or {}), DEPLOY_MANAGER: DEPLOYED_BY}
    if gc_tag:
        metadata["annotations"] = {**(metadata.get("annotations") or {}), GC_TAG: gc_tag}
    return _encoded(value)


def _encoded(value: Object) -> Object:
    """A Secret's texts where the server keeps them. It takes ``stringData`` and forgets who said it, so that a key
    that is gone from the source would stay, and somebody else's change of one be lost without a conflict."""
    texts = value.get("stringData")
    is_secret = (value.get("apiVersion"), value["kind"]) == ("v1", "Secret")
    if not (is_secret and isinstance(texts, dict) and all(isinstance(text, str) for text in texts.values())):
        return value  # what the server refuses, it shall refuse
    told = {name: base64.b64encode(text.encode()).decode() for name, text in texts.items()}
    rest = {name: part for name, part in value.items() if name != "stringData"}
    return {**rest, "data": {**(value.get("data") or {}), **told}}


def distinct(objects: Iterable[Object], namespace: str) -> None:
    """Raise ``RenderError`` where two of ``objects`` are the same one on a cluster: each would undo the other."""
    found: dict[tuple[str, ...], Object] = {}
    for value in objects:
        metadata = value.get("metadata") or {}
        group = str(value.get("apiVersion", "")).rpartition("/")[0]
        key = group, value["kind"], str(metadata.get("namespace") or namespace), str(metadata.get("name"))
        if metadata.get("name") and (other := found.setdefault(key, value)) is not value:
            parts = dict.fromkeys(f'"{_component(each)}"' for each in (other, value))
            raise RenderError(
                f"{title(value)} is there twice, in component {' and '.join(parts)}: take one out, or name it otherwise"
            )


def _component(value: Object) -> str:
    return str((value["metadata"].get("labels") or {}).get(COMPONENT_LABEL, ""))


def in_namespace(value: Object, kind: Kind | None, namespace: str) -> Object:
    """A copy of ``value`` with the namespace that it will have, if any."""
    metadata: dict[str, Any] = dict(value.get("metadata") or {})
    own = metadata.pop("namespace", None)
    if kind is None or kind.is_namespaced:
        metadata["namespace"] = own or namespace
    return {**value, "metadata": metadata}


def with_its_tag(sent: Object, live: Object | None) -> Object:
    """``sent`` with the gc tag that the object has on the cluster, unless it brings one: a tag stays for good.

    Source: ksonnet-rules.md#apply.
    """
    tag = (((live or {}).get("metadata") or {}).get("annotations") or {}).get(GC_TAG)
    annotations = sent["metadata"].get("annotations") or {}
    if tag is None or GC_TAG in annotations:
        return sent
    return {**sent, "metadata": {**sent["metadata"], "annotations": {**annotations, GC_TAG: tag}}}


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
