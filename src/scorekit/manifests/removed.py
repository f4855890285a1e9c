"""API versions that Kubernetes no longer serves, and what to write instead (ksonnet-rules.md#removed-api-versions).

The table covers the releases from 1.16 to 1.29. ksonnet ended with Kubernetes 1.10, so its packages use many of these
versions.
"""

from typing import NamedTuple


class RemovedVersion(NamedTuple):
    """An API version that Kubernetes ``release`` removed; ``instead`` is the version to write, or what to do."""

    release: str
    instead: str


_SELECTOR = "apps/v1, which needs spec.selector"
_GONE: dict[str, dict[str, RemovedVersion]] = {
    "extensions/v1beta1": {
        **dict.fromkeys(("Deployment", "DaemonSet", "ReplicaSet"), RemovedVersion("1.16", _SELECTOR)),
        "NetworkPolicy": RemovedVersion("1.16", "networking.k8s.io/v1"),
        "PodSecurityPolicy": RemovedVersion("1.16", "Pod Security labels on the namespace"),
        "Ingress": RemovedVersion("1.22", "networking.k8s.io/v1, whose rules have pathType and backend.service"),
    },
    **dict.fromkeys(
        ("apps/v1beta1", "apps/v1beta2"),
        dict.fromkeys(
            ("Deployment", "DaemonSet", "ReplicaSet", "StatefulSet", "ControllerRevision"),
            RemovedVersion("1.16", _SELECTOR),
        ),
    ),
    "networking.k8s.io/v1beta1": dict.fromkeys(
        ("Ingress", "IngressClass"),
        RemovedVersion("1.22", "networking.k8s.io/v1, whose rules have pathType and backend.service"),
    ),
    "apiextensions.k8s.io/v1beta1": {
        "CustomResourceDefinition": RemovedVersion(
            "1.22", "apiextensions.k8s.io/v1, with a structural schema for each version"
        )
    },
    "rbac.authorization.k8s.io/v1beta1": dict.fromkeys(
        ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"),
        RemovedVersion("1.22", "rbac.authorization.k8s.io/v1"),
    ),
    "rbac.authorization.k8s.io/v1alpha1": dict.fromkeys(
        ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"),
        RemovedVersion("1.22", "rbac.authorization.k8s.io/v1"),
    ),
    "admissionregistration.k8s.io/v1beta1": dict.fromkeys(
        ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"),
        RemovedVersion(
            "1.22", "admissionregistration.k8s.io/v1, whose webhooks have sideEffects and admissionReviewVersions"
        ),
    ),
    "apiregistration.k8s.io/v1beta1": {"APIService": RemovedVersion("1.22", "apiregistration.k8s.io/v1")},
    "certificates.k8s.io/v1beta1": {
        "CertificateSigningRequest": RemovedVersion("1.22", "certificates.k8s.io/v1, which needs signerName")
    },
    "coordination.k8s.io/v1beta1": {"Lease": RemovedVersion("1.22", "coordination.k8s.io/v1")},
    "scheduling.k8s.io/v1beta1": {"PriorityClass": RemovedVersion("1.22", "scheduling.k8s.io/v1")},
    "storage.k8s.io/v1beta1": {
        **dict.fromkeys(
            ("CSIDriver", "CSINode", "StorageClass", "VolumeAttachment"), RemovedVersion("1.22", "storage.k8s.io/v1")
        ),
        "CSIStorageCapacity": RemovedVersion("1.27", "storage.k8s.io/v1"),
    },
    "batch/v1beta1": {"CronJob": RemovedVersion("1.25", "batch/v1")},
    "batch/v2alpha1": {"CronJob": RemovedVersion("1.21", "batch/v1")},
    "discovery.k8s.io/v1beta1": {"EndpointSlice": RemovedVersion("1.25", "discovery.k8s.io/v1")},
    "events.k8s.io/v1beta1": {"Event": RemovedVersion("1.25", "events.k8s.io/v1")},
    "node.k8s.io/v1beta1": {"RuntimeClass": RemovedVersion("1.25", "node.k8s.io/v1")},
    "policy/v1beta1": {
        "PodDisruptionBudget": RemovedVersion("1.25", "policy/v1"),
        "PodSecurityPolicy": RemovedVersion("1.25", "Pod Security labels on the namespace"),
    },
    "autoscaling/v2beta1": {"HorizontalPodAutoscaler": RemovedVersion("1.25", "autoscaling/v2")},
    "autoscaling/v2beta2": {"HorizontalPodAutoscaler": RemovedVersion("1.26", "autoscaling/v2")},
    "flowcontrol.apiserver.k8s.io/v1beta1": dict.fromkeys(
        ("FlowSchema", "PriorityLevelConfiguration"), RemovedVersion("1.26", "flowcontrol.apiserver.k8s.io/v1")
    ),
    "flowcontrol.apiserver.k8s.io/v1beta2": dict.fromkeys(
        ("FlowSchema", "PriorityLevelConfiguration"), RemovedVersion("1.29", "flowcontrol.apiserver.k8s.io/v1")
    ),
}


def removed(api_version: str, kind: str) -> RemovedVersion | None:
    """When that version of the kind was removed, and what replaces it; None if it was not."""
    return _GONE.get(api_version, {}).get(kind)


def unserved(api_version: str, kind: str, server: str) -> str:
    """The error message about a kind that the server does not serve: why, and what to do.

    ``server`` is the server's version, such as ``v1.31.0``.
    """
    gone = removed(api_version, kind)
    sentence = f'no matches for kind "{kind}" in version "{api_version}"'
    if gone:
        return f"{sentence}: Kubernetes {gone.release} removed it (the server has {server}); write {gone.instead}"
    return f"{sentence} (the server has {server}): install its CustomResourceDefinition, or correct the version"
