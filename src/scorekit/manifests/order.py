"""The order in which ``ks show`` prints objects (ksonnet-rules.md#printing), and the order of applying them."""

from collections.abc import Iterable
from typing import Any

from .documents import Object

_KINDS = [
    "Namespace",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "Secret",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "ServiceAccount",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleBinding",
    "Role",
    "RoleBinding",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "StatefulSet",
    "Job",
    "CronJob",
    "Ingress",
    "APIService",
]
_FIRST = ["Namespace", "CustomResourceDefinition"]
_RANK = {kind: rank for rank, kind in enumerate(_KINDS)}


def ordered(objects: Iterable[Object]) -> list[Object]:
    """By namespace, rank of the kind (unknown kinds last, by name), apiVersion, name, generateName and uid; stable."""
    return sorted(objects, key=_key)


def applied(objects: Iterable[Object]) -> list[Object]:
    """What others need first: namespaces, then the definitions of kinds, then by kind as :func:`ordered` ranks them.

    Unlike there the namespace counts last, so that what an object names (a service account, a config map) is there
    before it. What is deleted goes the other way round.
    """
    return sorted(objects, key=lambda value: (_tier(value), *_key(value)[1:], *_key(value)[:1]))


def _tier(value: Object) -> int:
    return _FIRST.index(value["kind"]) if value["kind"] in _FIRST else len(_FIRST)


def _key(value: Object) -> tuple[Any, ...]:
    metadata = value.get("metadata")
    field = metadata.get if isinstance(metadata, dict) else {}.get
    kind = str(value["kind"])
    return (
        _text(field("namespace")),
        _RANK.get(kind, len(_KINDS)),
        kind,
        _text(value.get("apiVersion")),
        _text(field("name")),
        _text(field("generateName")),
        _text(field("uid")),
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
