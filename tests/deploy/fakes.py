"""A cluster in memory and a clock that does not wait, for tests of what needs no API server."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from scorekit.deploy import ApiResource
from scorekit.manifests import Object

KINDS = {
    ("v1", "ConfigMap"): ("configmaps", True),
    ("v1", "Namespace"): ("namespaces", False),
    ("v1", "Pod"): ("pods", True),
    ("batch/v1", "Job"): ("jobs", True),
    ("v1", "Event"): ("events", True),
    ("apps/v1", "Deployment"): ("deployments", True),
    ("machinelearning.seldon.io/v1", "SeldonDeployment"): ("seldondeployments", True),
}


class FakeClock:
    """Time passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


class FakeCluster:
    """Serves a few kinds, and objects that a test puts in; ``lookups`` are the kinds that were looked up."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str, str], list[Object | None]] = {}
        self.lookups: list[tuple[str, str]] = []

    def put(self, kind: str, name: str, *versions: Object | None) -> None:
        """One version of the object for each read of it; the last one stays."""
        self.objects[kind, "ns", name] = list(versions)

    def version(self) -> str:
        return "v1.31.0"

    def resource(self, api_version: str, kind: str) -> ApiResource | None:
        self.lookups.append((api_version, kind))
        if (api_version, kind) not in KINDS:
            return None
        plural, is_namespaced = KINDS[api_version, kind]
        return ApiResource(api_version=api_version, kind=kind, plural=plural, is_namespaced=is_namespaced)

    def resources(self) -> list[ApiResource]:
        raise NotImplementedError

    def get(self, resource: ApiResource, namespace: str, name: str) -> Object | None:
        versions = self.objects[resource.kind, namespace, name]
        return versions.pop(0) if len(versions) > 1 else versions[0]

    def list_metadata(self, resource: ApiResource, namespace: str = "", selector: str = "") -> Iterator[Object]:
        raise NotImplementedError

    def list_objects(self, resource: ApiResource, namespace: str, selector: str = "") -> Iterator[Object]:
        for (kind, within, _), versions in self.objects.items():
            if (kind, within) == (resource.kind, namespace) and versions[0] is not None:
                yield versions[0]

    def apply(self, value: Object, resource: ApiResource, *, dry_run: bool, force: bool) -> Object:
        raise NotImplementedError

    def patch(self, patch: Sequence[Mapping[str, Any]], resource: ApiResource, namespace: str, name: str) -> Object:
        raise NotImplementedError

    def delete(self, resource: ApiResource, namespace: str, name: str, options: Mapping[str, Any]) -> bool:
        raise NotImplementedError

    def document(self, path: str) -> Object | None:
        raise NotImplementedError
