"""Waiting until what was applied runs, or what was deleted is gone."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..manifests.documents import Object
from .cluster import Cluster, Kind, Patience
from .rollout import Progress, progress
from .stamp import title

_POLL_S = 0.5

Live = Callable[[Sequence[tuple[str, str]]], None]
"""Told at each look what is still waited for: title and words."""


@dataclass(slots=True)
class Waited:
    """What did not come to its end: it failed, or the time was over. Both by title."""

    failed: Mapping[str, str] = field(default_factory=dict)
    late: Mapping[str, str] = field(default_factory=dict)


def until_ready(
    cluster: Cluster,
    objects: Iterable[Object],
    limit_s: float,
    clock: Patience,
    ready: Callable[[str], None],
    live: Live,
) -> Waited:
    """Until all workloads of ``objects`` are ready, one of them fails, or ``limit_s`` are over."""
    pending = {title(value): value for value in objects if progress(value) is not None}
    deadline = clock.now() + limit_s
    while pending:
        found: dict[str, Progress] = {}
        for called, value in list(pending.items()):
            now = _again(cluster, value)
            state = progress(now) if now is not None else Progress("it is gone", is_failed=True)
            found[called] = state or Progress("", is_ready=True)
            if found[called].is_ready:
                del pending[called]
                ready(called)
        failed = {called: state.words for called, state in found.items() if state.is_failed}
        waiting = {called: found[called].words for called in pending}
        live(list(waiting.items()))
        if failed or (pending and clock.now() >= deadline):
            return Waited(failed, {called: words for called, words in waiting.items() if called not in failed})
        if pending:
            clock.sleep(_POLL_S)
    return Waited()


def until_gone(
    cluster: Cluster, objects: Iterable[tuple[Kind, Object]], limit_s: float, clock: Patience, live: Live
) -> Waited:
    """Until none of ``objects`` (told apart by uid) is there any more; what is late says what holds it."""
    pending = {title(value): (kind, value) for kind, value in objects}
    deadline = clock.now() + limit_s
    while pending:
        waiting: dict[str, str] = {}
        for called, (kind, value) in list(pending.items()):
            now = cluster.get(kind, value["metadata"].get("namespace", ""), value["metadata"]["name"])
            if now is None or now["metadata"].get("uid") != value["metadata"].get("uid"):
                del pending[called]
            else:
                waiting[called] = held(now)
        live(list(waiting.items()))
        if pending and clock.now() >= deadline:
            return Waited(late=waiting)
        if pending:
            clock.sleep(_POLL_S)
    return Waited()


def held(value: Object) -> str:
    """What keeps an object that is to go: its finalizers, or what its status says of the way."""
    metadata = value["metadata"]
    if not metadata.get("deletionTimestamp"):
        return "it is not being deleted"
    said = [
        str(each.get("message"))
        for each in (value.get("status") or {}).get("conditions") or ()
        if value["kind"] in ("Namespace", "CustomResourceDefinition")
        and each.get("message")
        and _is_about_deletion(each)
    ]
    finalizers = [*(metadata.get("finalizers") or ()), *((value.get("spec") or {}).get("finalizers") or ())]
    if finalizers:
        waits = [_FINALIZERS.get(name, f"the finalizer {name}, which its owner must take off") for name in finalizers]
        return "; ".join(dict.fromkeys([f"it waits for {' and '.join(waits)}", *said]))
    return "; ".join(dict.fromkeys(["its grace period is not over", *said]))


def _is_about_deletion(condition: Mapping[str, object]) -> bool:
    kind, status = str(condition.get("type")), condition.get("status")
    return status == "True" and (kind.startswith("Namespace") or kind == "Terminating")


def _again(cluster: Cluster, value: Object) -> Object | None:
    kind = cluster.kind(value["apiVersion"], value["kind"])
    if kind is None:
        return None
    return cluster.get(kind, value["metadata"].get("namespace", ""), value["metadata"]["name"])


_FINALIZERS = {
    "foregroundDeletion": "what it owns to go first",
    "kubernetes": "its contents to go first",
    "customresourcecleanup.apiextensions.k8s.io": "its objects to go first",
    "orphan": "what it owns to be let go",
}
