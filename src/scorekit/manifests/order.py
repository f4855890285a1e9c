"""The two orders of objects: the one in which ``ks show`` prints them, and the one in which ``ks apply`` sends them.

``in_show_order`` is ksonnet 0.13.1's, kept so that output can be compared with it line by line
(ksonnet-rules.md#printing): namespaces sort first, and a custom object can come long before the definition of its kind.
A cluster cannot take objects in that order. ``apply_order_key`` puts whatever others refer to first::

    Namespace                    an object cannot be created in a namespace that does not exist
    CustomResourceDefinition     nor as a kind that the server does not serve
    by rank of the kind          ConfigMap, Secret, ServiceAccount, roles … before the workloads that use them
    kinds without a rank         custom objects, after the operators that look after them

Deletion uses the reverse order.
"""

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


def in_show_order(objects: Iterable[Object]) -> list[Object]:
    """Sorted by namespace, rank of the kind, kind, apiVersion, name, generateName and uid.

    Kinds without a rank come last, by name. The sort is stable. Every object needs a ``kind``; nothing else is needed.
    """
    return sorted(objects, key=_key)


def apply_order_key(value: Object) -> tuple[Any, ...]:
    """The sort key for applying: namespaces, then definitions of kinds, then the rank of the kind over all namespaces.

    The namespace counts last here, so that an object's config map exists before it even if that is in a namespace of a
    later name.
    """
    namespace, *rest = _key(value)
    return (_tier(value), *rest, namespace)


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
