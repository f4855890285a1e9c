"""Whether what was applied runs, as the objects' own status tells (as ``kubectl rollout status`` reads it)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..manifests.documents import Object


@dataclass(frozen=True, slots=True)
class Progress:
    """``is_ready``, ``is_failed`` (it will not become ready by itself), or neither; ``words`` say how far it is."""

    words: str
    is_ready: bool = False
    is_failed: bool = False


def progress(value: Object) -> Progress | None:
    """How far the object is; None for a kind that has nothing to wait for."""
    judge = _JUDGES.get((str(value.get("apiVersion", "")).rpartition("/")[0], value["kind"]))
    if judge is None:
        return None
    status = value.get("status") or {}
    seen = status.get("observedGeneration")
    if seen is not None and seen < value["metadata"].get("generation", 0):
        return Progress("the change has not been seen yet")
    return judge(value.get("spec") or {}, status)


def _deployment(spec: Mapping[str, Any], status: Mapping[str, Any]) -> Progress:
    if "observedGeneration" not in status:
        return Progress("not seen by its controller yet")
    conditions = _conditions(status)
    progressing = conditions.get("Progressing", {})
    if progressing.get("reason") == "ProgressDeadlineExceeded":
        return Progress(str(progressing.get("message") or "it made no progress for too long"), is_failed=True)
    wanted = _wanted(spec)
    updated, available = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    old = status.get("replicas", 0) - updated
    if updated < wanted:
        return Progress(f"{updated} of {wanted} replicas updated")
    if old > 0:
        return Progress(f"{old} old replicas still to end")
    return _counted(available, wanted, "available")


def _stateful_set(spec: Mapping[str, Any], status: Mapping[str, Any]) -> Progress:
    if "observedGeneration" not in status:
        return Progress("not seen by its controller yet")
    wanted = _wanted(spec)
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
        return Progress("not seen by its controller yet")
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
        return Progress("complete" if not spec.get("suspend") else "suspended", is_ready=True)
    return Progress(f"{status.get('succeeded', 0)} of {spec.get('completions') or 1} completions")


def _seldon_deployment(spec: Mapping[str, Any], status: Mapping[str, Any]) -> Progress:
    state, said = status.get("state", ""), status.get("description", "")
    parts = [
        f"{name} {part.get('availableReplicas', 0)} of {part.get('replicas', 1)}"
        for name, part in sorted((status.get("deploymentStatus") or {}).items())
        if isinstance(part, Mapping)
    ]
    words = ", ".join(filter(None, [state or "not seen by the operator yet", said, *parts]))
    return Progress(words, is_ready=state == "Available", is_failed=state == "Failed")


def _wanted(spec: Mapping[str, Any]) -> int:
    replicas = spec.get("replicas")
    return 1 if replicas is None else int(replicas)


def _counted(there: int, wanted: int, word: str) -> Progress:
    return Progress(f"{there} of {wanted} {word}", is_ready=there >= wanted)


def _conditions(status: Mapping[str, Any]) -> dict[str, Any]:
    return {each["type"]: each for each in status.get("conditions") or ()}


_Judge = Callable[[Mapping[str, Any], Mapping[str, Any]], Progress]
_JUDGES: dict[tuple[str, str], _Judge] = {
    ("apps", "Deployment"): _deployment,
    ("apps", "StatefulSet"): _stateful_set,
    ("apps", "DaemonSet"): _daemon_set,
    ("batch", "Job"): _job,
    ("machinelearning.seldon.io", "SeldonDeployment"): _seldon_deployment,
}
