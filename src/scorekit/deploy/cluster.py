"""The interface between the verbs of this room and a Kubernetes cluster.

The verbs are written against :class:`Cluster` and :class:`Clock` and know nothing of HTTP or kubeconfig;
``kube.client.Client`` fulfils the one and ``kube.client.SystemClock`` the other.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ..manifests import Object

FIELD_MANAGER = "ks"
"""The name under which ``ks`` owns fields. The original ksonnet's program had the same name."""

LogFunction = Callable[[str, str], None]
"""Called with a level (``info``, ``warning`` or ``error``) and a message of one or more lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiResource:
    """A kind of objects as the API server serves it (an entry of its discovery documents)."""

    api_version: str
    kind: str
    plural: str
    is_namespaced: bool
    verbs: frozenset[str] = frozenset()

    def path(self, namespace: str = "", name: str = "") -> str:
        """The path of one object; without a ``name`` of all objects, in one namespace or in all."""
        root = f"/apis/{self.api_version}" if "/" in self.api_version else f"/api/{self.api_version}"
        within = f"/namespaces/{namespace}" if self.is_namespaced and namespace else ""
        return f"{root}{within}/{self.plural}" + (f"/{name}" if name else "")


class Cluster(Protocol):
    """Requests to one API server. Failures that may pass have been retried already when a method returns or raises.

    Every method raises ``ClusterError`` for a request that the server refuses and for a server that does not answer.
    """

    def version(self) -> str:
        """The server's version, such as ``v1.31.0``."""

    def resource(self, api_version: str, kind: str) -> ApiResource | None:
        """How the server serves a kind; None if it does not (no longer, or not yet)."""

    def resources(self) -> list[ApiResource]:
        """All kinds that the server serves, each in the version that the server prefers."""

    def get(self, resource: ApiResource, namespace: str, name: str) -> Object | None:
        """One object; None if it does not exist."""

    def list_metadata(self, resource: ApiResource, namespace: str = "", selector: str = "") -> Iterator[Object]:
        """The ``apiVersion``, ``kind`` and ``metadata`` of objects, in one namespace or in all."""

    def list_objects(self, resource: ApiResource, namespace: str, selector: str = "") -> Iterator[Object]:
        """Whole objects of one namespace: for a few, such as the pods of one workload."""

    def apply(self, value: Object, resource: ApiResource, *, dry_run: bool, force: bool) -> Object:
        """Server-side apply as :data:`FIELD_MANAGER`; the object as it is afterwards.

        ``force`` takes fields that other managers own; without it they are a conflict (status 409).
        """

    def patch(self, patch: Sequence[Mapping[str, Any]], resource: ApiResource, namespace: str, name: str) -> Object:
        """Apply a JSON patch (RFC 6902); the object as it is afterwards."""

    def delete(self, resource: ApiResource, namespace: str, name: str, options: Mapping[str, Any]) -> bool:
        """Delete an object with the given ``DeleteOptions``; False if it did not exist."""

    def document(self, path: str) -> Object | None:
        """The JSON object that the server has at a path; None for a 404."""


class Clock(Protocol):
    """A clock that can be waited on. Tests give one that does not wait."""

    def now(self) -> float:
        """Seconds since an arbitrary moment."""

    def sleep(self, seconds: float) -> None:
        """Return after that time."""
