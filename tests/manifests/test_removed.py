"""API versions that are gone, and what to write instead."""

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
    """Those of ksonnet's time, by the release that removed them (ksonnet-rules.md#removed-api-versions)."""
    found = removed(api_version, kind)
    assert found is not None
    assert found.release == release
    assert instead in found.instead
    assert f"Kubernetes {release} removed it (the server has v1.31.0); write " in unserved(api_version, kind, "v1.31.0")


def test_what_is_merely_unknown_is_told_so() -> None:
    """A kind whose definition is missing was not removed by anybody."""
    assert removed("apps/v1", "Deployment") is None
    assert "is its CustomResourceDefinition missing" in unserved("example.com/v1", "Thing", "v1.31.0")
