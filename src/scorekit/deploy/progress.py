"""How far an object has come on its way to run, or to be gone, as its own status says.

A workload has come to its end when two things are true, in this order:

1. *Its controller has seen the change.* Every change of ``spec`` counts up ``metadata.generation``, and the controller
   writes the generation that it worked on to ``status.observedGeneration``. Until the two are equal, the status is
   about the spec before the change, and its "all replicas available" is about the old pods.
2. *The rollout is complete*, by the counts that ``kubectl rollout status`` reads. For a Deployment: as many updated
   replicas as wanted, then no old ones left, then all of them available. The reason ``ProgressDeadlineExceeded`` of the
   condition ``Progressing`` counts as failed, as it does there.

A SeldonDeployment says in ``status.state`` what its operator thinks: ``Available`` and ``Failed`` are ends, anything
else (``Creating``, or no status at all) is not. The stock operator writes no ``observedGeneration``, so its first
status after a change can still be about the spec before.

Functions here are pure. :mod:`.wait` reads the objects.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..manifests import Object


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an object is, in ``words``: at its end (``is_done``), failed for good (``is_failed``), or on its way."""

    words: str
    is_done: bool = False
    is_failed: bool = False


def rollout_progress(value: Object) -> Progress | None:
    """How far the rollout of a workload is; None for a kind that has nothing to wait for."""
    reader = _READERS.get((str(value.get("apiVersion", "")).rpartition("/")[0], value["kind"]))
    if reader is None:
        return None
    status = value.get("status") or {}
    observed = status.get("observedGeneration")
    if observed is not None and observed < value["metadata"].get("generation", 0):
        return Progress("its controller has not seen the change yet")
    return reader(value.get("spec") or {}, status)


def deletion_progress(value: Object) -> Progress:
    """What keeps an object that is to be deleted: its finalizers, or what its conditions say.

    An object stays until every finalizer is taken off by the controller that put it on. A namespace has finalizers in
    ``spec`` as well.
    """
    metadata = value["metadata"]
    if not metadata.get("deletionTimestamp"):
        return Progress("the server has not begun to delete it")
    messages = [
        str(condition.get("message"))
        for condition in (value.get("status") or {}).get("conditions") or ()
        if value["kind"] in ("Namespace", "CustomResourceDefinition")
        and condition.get("message")
        and _is_about_deletion(condition)
    ]
    finalizers = [*(metadata.get("finalizers") or ()), *((value.get("spec") or {}).get("finalizers") or ())]
    if finalizers:
        blockers = [
            _FINALIZERS.get(name, f"the finalizer {name}, which its controller must remove") for name in finalizers
        ]
        return Progress("; ".join(dict.fromkeys([f"blocked by {' and '.join(blockers)}", *messages])))
    return Progress("; ".join(dict.fromkeys(["its grace period has not ended", *messages])))


def _deployment(spec: Mapping[str, Any], status: Mapping[str, Any]) -> Progress:
    if "observedGeneration" not in status:
        return Progress("its controller has not seen it yet")
    progressing = _conditions(status).get("Progressing", {})
    if progressing.get("reason") == "ProgressDeadlineExceeded":
        return Progress(str(progressing.get("message") or "it made no progress for too long"), is_failed=True)
    wanted = _replicas(spec)
    updated, available = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    old = status.get("replicas", 0) - updated
    if updated < wanted:
        return Progress(f"{updated} of {wanted} replicas updated")
    if old > 0:
        return Progress(f"{old} old replicas still running")
    return _counted(available, wanted, "available")


def _stateful_set(spec: Mapping[str, Any], status: Mapping[str, Any]) -> Progress:
    if "observedGeneration" not in status:
        return Progress("its controller has not seen it yet")
    wanted = _replicas(spec)
    ready = status.get("readyReplicas", 0)
    strategy = spec.get("updateStrategy") or {}
    if strategy.get("type") == "OnDelete":
        return _counted(ready, wanted, "ready")
    updated = status.get("updatedReplicas", 0)
    to_update = wanted - ((strategy.get("rollingUpdate") or {}).get("partition") or 0)
    if updated < to_update:
        return Progress(f"{updated} of {to_update} replicas updated")
    return _counted(ready, wanted, "ready")


def _daemon_set(spec: Mapping[str, Any], status: Mapping[str, Any]) -> Progress:
    if "observedGeneration" not in status:
        return Progress("its controller has not seen it yet")
    wanted = status.get("desiredNumberScheduled", 0)
    if (spec.get("updateStrategy") or {}).get("type") == "OnDelete":
        return _counted(status.get("numberReady", 0), wanted, "ready")
    updated = status.get("updatedNumberScheduled", 0)
    if updated < wanted:
        return Progress(f"{updated} of {wanted} pods updated")
    return _counted(status.get("numberAvailable", 0), wanted, "available")


def _job(spec: Mapping[str, Any], status: Mapping[str, Any]) -> Progress:
    conditions = _conditions(status)
    failed = conditions.get("Failed", {})
    if failed.get("status") == "True":
        return Progress(f"it failed: {failed.get('message') or failed.get('reason')}", is_failed=True)
    if conditions.get("Complete", {}).get("status") == "True" or spec.get("suspend"):
        return Progress("complete" if not spec.get("suspend") else "suspended", is_done=True)
    return Progress(f"{status.get('succeeded', 0)} of {spec.get('completions') or 1} completions")


def _seldon_deployment(spec: Mapping[str, Any], status: Mapping[str, Any]) -> Progress:
    state, description = status.get("state", ""), status.get("description", "")
    parts = [
        f"{name} {part.get('availableReplicas', 0)} of {part.get('replicas', 1)}"
        for name, part in sorted((status.get("deploymentStatus") or {}).items())
        if isinstance(part, Mapping)
    ]
    words = ", ".join(filter(None, [state or "the operator has not seen it yet", description, *parts]))
    return Progress(words, is_done=state == "Available", is_failed=state == "Failed")


def _replicas(spec: Mapping[str, Any]) -> int:
    replicas = spec.get("replicas")
    return 1 if replicas is None else int(replicas)


def _counted(count: int, wanted: int, word: str) -> Progress:
    return Progress(f"{count} of {wanted} {word}", is_done=count >= wanted)


def _conditions(status: Mapping[str, Any]) -> dict[str, Any]:
    return {each["type"]: each for each in status.get("conditions") or ()}


def _is_about_deletion(condition: Mapping[str, object]) -> bool:
    kind, status = str(condition.get("type")), condition.get("status")
    return status == "True" and (kind.startswith("Namespace") or kind == "Terminating")


_READERS: dict[tuple[str, str], Callable[[Mapping[str, Any], Mapping[str, Any]], Progress]] = {
    ("apps", "Deployment"): _deployment,
    ("apps", "StatefulSet"): _stateful_set,
    ("apps", "DaemonSet"): _daemon_set,
    ("batch", "Job"): _job,
    ("machinelearning.seldon.io", "SeldonDeployment"): _seldon_deployment,
}
_FINALIZERS = {
    "foregroundDeletion": "the objects that it owns",
    "kubernetes": "the objects in it",
    "customresourcecleanup.apiextensions.k8s.io": "the objects of its kind",
    "orphan": "the objects that it owns, which are being orphaned",
}
