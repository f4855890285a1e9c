"""API versions that Kubernetes removed are named with their replacement."""

import pytest

from scorekit.manifests.removed import removed, unserved


@pytest.mark.parametrize(
    ("api_version", "kind", "release", "instead"),
    [
        ("extensions/v1beta1", "Deployment", "1.16", "apps/v1, which needs spec.selector"),
        ("apps/v1beta2", "StatefulSet", "1.16", "apps/v1"),
        ("extensions/v1beta1", "Ingress", "1.22", "networking.k8s.io/v1"),
        ("apiextensions.k8s.io/v1beta1", "CustomResourceDefinition", "1.22", "structural schema"),
        ("rbac.authorization.k8s.io/v1beta1", "ClusterRoleBinding", "1.22", "rbac.authorization.k8s.io/v1"),
        ("batch/v1beta1", "CronJob", "1.25", "batch/v1"),
        ("policy/v1beta1", "PodSecurityPolicy", "1.25", "Pod Security"),
        ("autoscaling/v2beta2", "HorizontalPodAutoscaler", "1.26", "autoscaling/v2"),
    ],
)
def test_removed_versions(api_version: str, kind: str, release: str, instead: str) -> None:
    """A removed version of ksonnet's time has its release and replacement (ksonnet-rules.md#removed-api-versions)."""
    entry = removed(api_version, kind)
    assert entry is not None
    assert entry.release == release
    assert instead in entry.instead
    assert f"Kubernetes {release} removed it (the server has v1.31.0); write " in unserved(api_version, kind, "v1.31.0")


def test_an_unknown_kind_gets_another_message() -> None:
    """A kind that was never removed may lack its definition, and the message says so."""
    assert removed("apps/v1", "Deployment") is None
    assert "install its CustomResourceDefinition" in unserved("example.com/v1", "Thing", "v1.31.0")
