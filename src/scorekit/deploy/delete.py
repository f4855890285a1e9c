"""Objects off a cluster: what stands on others first, and the owner after what it owns."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..errors import ClusterError
from ..manifests.documents import Object
from ..manifests.order import in_apply_order
from ..manifests.removed import removed, unserved
from .apply import Done, Outcome
from .backoff import is_passing
from .cluster import Cluster, Kind, Patience, Tell
from .stamp import in_namespace, resource, stamped, title
from .wait import Live, Waited, until_gone

_REFUSED = 422
_NAMED = 3  # of the objects that stand in the way


class Deleting:
    """One run of ``ks delete``; ``outcome`` is true at every moment, also after an interruption."""

    def __init__(
        self, cluster: Cluster, namespace: str, clock: Patience, tell: Tell, did: Callable[[Done], None]
    ) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._clock = clock
        self._tell = tell
        self._did = did
        self.outcome = Outcome()

    def run(self, objects: Iterable[Object], grace_period_s: int | None, limit_s: float, live: Live) -> Waited:
        """Delete all ``objects``, each kind after those that stand on it, and wait for their end up to ``limit_s``.

        What is not there is no fault. A kind that the server does not have has no objects. With a limit of 0 nothing is
        waited for.
        """
        options: dict[str, Any] = {"propagationPolicy": "Foreground"}
        if grace_period_s is not None:
            options["gracePeriodSeconds"] = grace_period_s
        todo = in_apply_order(objects)[::-1]
        kinds = [self._cluster.kind(str(value.get("apiVersion", "")), value["kind"]) for value in todo]
        self.outcome.left = [
            title(in_namespace(value, kind, self._namespace)) for value, kind in zip(todo, kinds, strict=True)
        ]
        going: list[tuple[Kind, Object]] = []
        waited = Waited()
        for index, value in enumerate(todo):
            try:
                found = self._one(value, options)
                going += [found] if found else []
            except ClusterError as error:
                called = self.outcome.left[0]
                self.outcome.refused.append((called, error))
                self._tell("error", f"{called}: {error}")
                if error.status == 0 or is_passing(error):
                    self.outcome.left.pop(0)
                    return waited
            self.outcome.left.pop(0)
            if limit_s and _stands_below(value, todo[index + 1 :]):
                # An operator that is gone takes no finalizer off: its objects end before it does.
                began = self._clock.now()
                waited = until_gone(self._cluster, going, limit_s, self._clock, live)
                limit_s = max(limit_s - (self._clock.now() - began), 0.001)
                if waited.late:
                    return waited
                going = []
        return until_gone(self._cluster, going, limit_s, self._clock, live) if limit_s else waited

    def _one(self, value: Object, options: Mapping[str, Any]) -> tuple[Kind, Object] | None:
        kind = self._cluster.kind(str(value.get("apiVersion", "")), value["kind"])
        meant = stamped(value, kind, self._namespace)
        metadata = meant["metadata"]
        self._tell("info", f"Deleting {resource(meant, kind)}")
        if kind is None:
            if removed(meant["apiVersion"], meant["kind"]):  # it may be there, by a version that is served
                raise ClusterError(unserved(meant["apiVersion"], meant["kind"], self._cluster.version()), 404)
            return None
        namespace = metadata.get("namespace", "")
        live = self._cluster.get(kind, namespace, metadata["name"])
        if live is None:
            return None
        if live["kind"] == "CustomResourceDefinition" and (others := self._objects_of(live)):
            raise ClusterError(
                f"it stays, for the objects of others would go with it: {', '.join(others[:_NAMED])}"
                f"{f' and {len(others) - _NAMED} more' if len(others) > _NAMED else ''}; delete them first",
                _REFUSED,
            )
        if not self._cluster.delete(kind, namespace, metadata["name"], options):
            return None
        done = Done(title(live), "deleted")
        self.outcome.done.append(done)
        self._did(done)
        return kind, live

    def _objects_of(self, definition: Object) -> list[str]:
        """The objects of a defined kind, in all namespaces, that are not on their way out."""
        spec = definition["spec"]
        version = next((each["name"] for each in spec["versions"] if each.get("served")), "")
        kind = self._cluster.kind(f"{spec['group']}/{version}", spec["names"]["kind"])
        found = self._cluster.listed(kind) if kind else ()
        return [title(each) for each in found if not each["metadata"].get("deletionTimestamp")]


def _stands_below(value: Object, rest: list[Object]) -> bool:
    """Whether ``value`` is the last of a custom kind: what comes after it may be what looks after that kind."""
    group = str(value.get("apiVersion", "")).rpartition("/")[0]
    is_custom = "." in group and not group.endswith(".k8s.io")
    return is_custom and not any(str(each.get("apiVersion", "")).startswith(f"{group}/") for each in rest)
