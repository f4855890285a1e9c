"""The looks at what was applied: how far a workload is, why it is not further, and what a SeldonDeployment stands for.

A workload's own status gives counts (:mod:`.progress`). The reasons stand in its pods (:mod:`.pods`), so these are read
as well while it does not run.

A SeldonDeployment is run by an operator, whose status alone does not say that a change has arrived. These facts were
observed on Seldon's operator 1.17.1. It writes no ``observedGeneration``: after a change ``Available``, or an old
``Failed``, is still the state from before. It counts ready replicas without looking whether the Deployment's controller
has seen the new template. And it may be away: its leader election alone took 17 s after a restart. So a change is
followed through:

    applied ──▶ acted on ──▶ rolled out ──▶ state settled ──▶ done
               │             │              └─ Available; or Failed, and not about to change
               │             └─ every Deployment that it owns: generation observed, rollout complete
               └─ observedGeneration (our operator writes it); without it: its Deployments were written since the
                  apply and carry the spec (:mod:`.carried`); or: nothing has changed for SETTLED_S, and they carry at
                  least its images
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import ClusterError
from ..manifests import Object
from .carried import carries
from .cluster import ApiResource, Clock, Cluster
from .pods import current, is_silent, reasons, selector_of
from .progress import Progress, rollout_progress
from .stamp import title

SETTLED_S = 20.0
"""An operator that has changed nothing for so long has acted: what it says then is about the change.

Seldon's acts within a second if it runs. After a restart while its old Lease was still held it took 17 s."""
_SHORTLY_S = 2.0
_MOST_REASONS = 3
_UNAUTHORIZED, _FORBIDDEN = 401, 403


class WorkloadRollout:
    """Looks at a Deployment, StatefulSet, DaemonSet or Job, and at its pods while it does not run."""

    def __init__(self, cluster: Cluster, value: Object) -> None:
        self._cluster = cluster
        self._value = value

    def __call__(self) -> Progress:
        """How far it is, with the reasons of its pods. Raises ``ClusterError`` if the server does not answer."""
        now = read(self._cluster, self._value)
        if now is None:
            if "ttlSecondsAfterFinished" in (self._value.get("spec") or {}):
                return Progress("it finished and was removed", is_done=True)
            return Progress("it was deleted", is_failed=True)
        return progress_with_reasons(self._cluster, now)


@dataclass(frozen=True, slots=True)
class SeldonState:
    """A SeldonDeployment and its Deployments as they were before an apply: what is different later was done since."""

    generation: int
    deployments: frozenset[tuple[str, int]]


def seldon_states(cluster: Cluster, objects: Iterable[Object]) -> dict[str, SeldonState]:
    """The state of every SeldonDeployment among ``objects`` that exists already, by title.

    Raises ``ClusterError`` if the server does not answer.
    """
    states = {}
    for value in objects:
        now = read(cluster, value) if value["kind"] == "SeldonDeployment" else None
        if now is not None:
            states[title(value)] = SeldonState(
                now["metadata"].get("generation", 0), _written(_owned(cluster, now) or ())
            )
    return states


class SeldonRollout:
    """Looks at a SeldonDeployment and at the Deployments that it owns. Keeps what it saw last.

    ``before`` is its state before the apply; None if it did not exist.
    """

    def __init__(self, cluster: Cluster, value: Object, clock: Clock, before: SeldonState | None = None) -> None:
        self._cluster = cluster
        self._value = value
        self._clock = clock
        self._before = before or SeldonState(0, frozenset())
        self._seen: Any = None
        self._since_s = 0.0
        self._has_changed = False

    def __call__(self) -> Progress:
        """How far it is. Raises ``ClusterError`` if the server does not answer."""
        now = read(self._cluster, self._value)
        if now is None:
            return Progress("it was deleted", is_failed=True)
        status = now.get("status") or {}
        deployments = _owned(self._cluster, now)
        stable_s = self._stable_s(status, deployments or ())
        observed = status.get("observedGeneration")
        if observed is not None:
            if observed < now["metadata"].get("generation", 0):
                return Progress("the operator has not seen the change yet")
            has_acted = is_settled = True
        else:
            has_acted = self._has_acted(now, deployments, stable_s)
            # What the operator says right after its first write of a change may be the state of before.
            is_settled = stable_s >= (_SHORTLY_S if self._has_changed else SETTLED_S)
        stated = rollout_progress(now) or Progress("")
        if stated.is_failed:
            return stated if is_settled else Progress(f"{stated.words}; this may still be about the last change")
        if not has_acted:
            return Progress("the operator has not acted on the change yet")
        for deployment in deployments or ():
            progress = progress_with_reasons(self._cluster, deployment)
            if not progress.is_done:
                words = f"Deployment {deployment['metadata']['name']}: {progress.words}"
                return Progress(words, is_failed=progress.is_failed)
        return stated

    def _has_acted(self, now: Object, deployments: Sequence[Object] | None, stable_s: float) -> bool:
        """Whether the Deployments are those of this spec, for an operator that does not say so."""
        if deployments is None:  # we may not look at them
            return stable_s >= SETTLED_S
        is_unchanged = self._before.generation == now["metadata"].get("generation", 0)
        if (is_unchanged or _written(deployments) != self._before.deployments) and carries(now, deployments):
            return True
        return stable_s >= SETTLED_S and carries(now, deployments, visibly=True)

    def _stable_s(self, status: Mapping[str, Any], deployments: Sequence[Object]) -> float:
        """For how long neither the status nor a Deployment's spec has changed, as far as looks have told."""
        seen = status, _written(deployments)
        if seen != self._seen:
            self._has_changed = self._seen is not None
            self._seen, self._since_s = seen, self._clock.now()
        return self._clock.now() - self._since_s


def _written(deployments: Sequence[Object]) -> frozenset[tuple[str, int]]:
    """Each Deployment with its generation, which every write of its spec counts up."""
    return frozenset((str(each["metadata"].get("uid")), each["metadata"].get("generation", 0)) for each in deployments)


def _owned(cluster: Cluster, seldon_deployment: Object) -> list[Object] | None:
    """The Deployments of a SeldonDeployment; None if we may not list them. Raises ``ClusterError``."""
    found = _listed(cluster, "apps/v1", "Deployment", seldon_deployment["metadata"].get("namespace", ""))
    uid = seldon_deployment["metadata"].get("uid")
    return None if found is None else [each for each in found if uid in _owners(each)]


def _owners(value: Object) -> list[str]:
    return [str(owner.get("uid")) for owner in value["metadata"].get("ownerReferences") or ()]


def progress_with_reasons(cluster: Cluster, workload: Object) -> Progress:
    """How far a workload is, with the reasons of pods that do not run.

    The reasons only explain: where pods or events may not be listed, the progress is told without. Raises
    ``ClusterError`` if the server does not answer.
    """
    progress = rollout_progress(workload) or Progress("", is_done=True)
    selector = selector_of(workload)
    if progress.is_done or selector is None:
        return progress
    # Where pods cannot even be created (Pod Security, a quota) there are none to look at.
    conditions = (workload.get("status") or {}).get("conditions") or ()
    sentences = [str(each.get("message")) for each in conditions if each.get("type") == "ReplicaFailure"]
    namespace = workload["metadata"].get("namespace", "")
    pods = current(_listed(cluster, "v1", "Pod", namespace, selector) or (), workload)
    # Events are many, and only a pod that runs without being ready has its reason there.
    events = (_listed(cluster, "v1", "Event", namespace) or ()) if any(map(is_silent, pods)) else ()
    sentences += reasons(pods, events)
    return Progress("; ".join([progress.words, *sentences[:_MOST_REASONS]]), is_failed=progress.is_failed)


def _listed(cluster: Cluster, api_version: str, kind: str, namespace: str, selector: str = "") -> list[Object] | None:
    """Objects of a namespace; None if we may not list them. Raises ``ClusterError`` if the server does not answer."""
    try:
        resource: ApiResource | None = cluster.resource(api_version, kind)
        return None if resource is None else list(cluster.list_objects(resource, namespace, selector))
    except ClusterError as error:
        if error.status in (_UNAUTHORIZED, _FORBIDDEN):
            return None
        raise


def read(cluster: Cluster, value: Object) -> Object | None:
    """The object as it is now; None if it, or its kind, is gone. Raises ``ClusterError``."""
    resource = cluster.resource(value["apiVersion"], value["kind"])
    if resource is None:
        return None
    return cluster.get(resource, value["metadata"].get("namespace", ""), value["metadata"]["name"])
