"""Deletion: the objects of an environment in the reverse order of applying, and waiting until they are gone.

The propagation is ``Foreground``: the server puts a finalizer on the owner, deletes what it owns (ReplicaSets, pods)
first, and the owner last. So an object that is gone has taken its pods with it, and waiting for the objects of the
source is enough. With the default, background, a Deployment would be gone while its pods still run.

An operator must outlive the objects that it looks after, because it is the one that takes their finalizers off. So
after the last object of a custom group the run waits until all of them are gone, and deletes the rest (operator, roles,
definitions) afterwards.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..errors import ClusterError
from ..manifests import Object, removed, unserved
from .cluster import ApiResource, Clock, Cluster, LogFunction
from .definition import group_of, is_definition
from .outcome import ObjectResult, Outcome, ResultFunction
from .plan import DeployPlan, PlannedObject
from .retry import is_transient
from .stamp import log_name, stamped, title
from .wait import Waiter, WaitResult, until_gone

_NOT_FOUND, _REFUSED = 404, 422
_NAMED = 3  # objects that a message lists before it counts the rest
_LEAST_S = 0.001  # a limit of 0 means not to wait at all


class Deleter:
    """One run of ``ks delete``; ``outcome`` is current at every moment, also after an interruption."""

    def __init__(self, cluster: Cluster, *, clock: Clock, log: LogFunction, done: ResultFunction) -> None:
        self._cluster = cluster
        self._clock = clock
        self._log = log
        self._done = done
        self.outcome = Outcome()

    def run(self, plan: DeployPlan, grace_period_s: int | None, waiter: Waiter) -> WaitResult:
        """Delete all objects of ``plan`` and wait until they are gone; a ``waiter`` with a limit of 0 does not wait.

        An object that does not exist is not an error, and neither is a kind that the server does not have. Refused
        objects are in the outcome. Raises ``ClusterError`` if the server does not answer while it is waited.
        """
        options: dict[str, Any] = {"propagationPolicy": "Foreground"}
        if grace_period_s is not None:
            options["gracePeriodSeconds"] = grace_period_s
        todo = plan.in_apply_order()[::-1]
        self.outcome.remaining = [planned.title for planned in todo]
        going: list[tuple[ApiResource, Object]] = []
        for index, planned in enumerate(todo):
            error = self._try(planned, options, going)
            self.outcome.remaining.pop(0)
            if error is not None and (error.status == 0 or is_transient(error)):
                return WaitResult()
            if waiter.limit_s and _is_last_of_custom_group(planned, todo[index + 1 :]):
                began = self._clock.now()
                result = until_gone(self._cluster, going, waiter)
                waiter = replace(waiter, limit_s=max(waiter.limit_s - (self._clock.now() - began), _LEAST_S))
                if result.late:
                    return result
                going.clear()
        return until_gone(self._cluster, going, waiter) if waiter.limit_s else WaitResult()

    def _try(
        self, planned: PlannedObject, options: Mapping[str, Any], going: list[tuple[ApiResource, Object]]
    ) -> ClusterError | None:
        called = self.outcome.remaining[0]
        try:
            live = self._delete(planned, options)
        except ClusterError as error:
            self.outcome.refused.append((called, error))
            self._log("error", f"{called}: {error}")
            return error
        if live is not None and planned.resource is not None:
            going.append((planned.resource, live))
        return None

    def _delete(self, planned: PlannedObject, options: Mapping[str, Any]) -> Object | None:
        """The object that is being deleted now; None if it does not exist."""
        resource = planned.resource
        value = stamped(planned.value)
        metadata = value["metadata"]
        self._log("info", f"Deleting {log_name(value, resource)}")
        if resource is None:
            if removed(planned.api_version, planned.kind):  # it may exist in a version that is still served
                raise ClusterError(unserved(planned.api_version, planned.kind, self._cluster.version()), _NOT_FOUND)
            return None
        namespace = metadata.get("namespace", "")
        live = self._cluster.get(resource, namespace, metadata["name"])
        if live is None:
            return None
        if is_definition(live) and (others := self._objects_of(live)):
            # The server deletes every object of a kind with its definition, whoever made it.
            raise ClusterError(
                f"not deleted, because the objects of this kind would be deleted with it: {', '.join(others[:_NAMED])}"
                f"{f' and {len(others) - _NAMED} more' if len(others) > _NAMED else ''}; delete them first",
                _REFUSED,
            )
        if not self._cluster.delete(resource, namespace, metadata["name"], options):
            return None
        result = ObjectResult(title(live), "deleted")
        self.outcome.done.append(result)
        self._done(result)
        return live

    def _objects_of(self, definition: Object) -> list[str]:
        """The objects of a defined kind in all namespaces, without those that are being deleted."""
        spec = definition["spec"]
        version = next((each["name"] for each in spec["versions"] if each.get("served")), "")
        resource = self._cluster.resource(f"{spec['group']}/{version}", spec["names"]["kind"])
        listed = self._cluster.list_metadata(resource) if resource else ()
        return [title(each) for each in listed if not each["metadata"].get("deletionTimestamp")]


def _is_last_of_custom_group(planned: PlannedObject, rest: list[PlannedObject]) -> bool:
    """Whether the object is the last one of a custom group; what comes after it may be the operator of that group."""
    group = group_of(planned.api_version)
    is_custom = "." in group and not group.endswith(".k8s.io")
    return is_custom and not any(group_of(each.api_version) == group for each in rest)
