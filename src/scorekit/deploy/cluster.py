"""What deploying asks of a Kubernetes cluster, to the code that asks it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ..manifests.documents import Object

MANAGER = "ks"
"""The name under which ``ks`` owns fields."""


Tell = Callable[[str, str], None]
"""Given a level (``info``, ``warning``, ``error``) and what a person is to hear."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of objects as the API server serves it."""

    api_version: str
    name: str
    plural: str
    is_namespaced: bool
    verbs: frozenset[str] = frozenset()

    def path(self, namespace: str = "", name: str = "") -> str:
        """Of one object, or without a name of all of them, in one namespace or all."""
        root = f"/apis/{self.api_version}" if "/" in self.api_version else f"/api/{self.api_version}"
        within = f"/namespaces/{namespace}" if self.is_namespaced and namespace else ""
        return f"{root}{within}/{self.plural}" + (f"/{name}" if name else "")


class Cluster(Protocol):
    """Requests to one API server. What is worth another try has been tried again; what comes back then is an answer.

    All raise ``ClusterError`` for what the server refuses and for a server that stays away.
    """

    def version(self) -> str:
        """The server's, such as ``v1.31.0``."""

    def kind(self, api_version: str, name: str) -> Kind | None:
        """That kind; None where the server has no such kind (any more, or yet)."""

    def kinds(self) -> list[Kind]:
        """All kinds that it serves, each in the version it prefers."""

    def get(self, kind: Kind, namespace: str, name: str) -> Object | None:
        """One object; None where it is not."""

    def listed(self, kind: Kind, namespace: str = "", selector: str = "") -> Iterator[Object]:
        """The objects' ``metadata`` (with apiVersion and kind), in one namespace or in all."""

    def apply(self, value: Object, kind: Kind, namespace: str, *, dry_run: bool, force: bool) -> Object:
        """Server-side apply by :data:`MANAGER`; what the object is then."""

    def patch(self, patch: Sequence[Mapping[str, Any]], kind: Kind, namespace: str, name: str) -> Object:
        """A JSON patch (RFC 6902)."""

    def delete(self, kind: Kind, namespace: str, name: str, options: Mapping[str, Any]) -> bool:
        """Whether there was one to delete."""

    def document(self, path: str) -> Object | None:
        """Whatever JSON object the server has at a path; None for none."""


class Patience(Protocol):
    """A clock that can be waited on."""

    def now(self) -> float:
        """Seconds since whenever."""

    def sleep(self, seconds: float) -> None:
        """Returns after that time."""
