"""Why a pod does not run, in one sentence: what the scheduler, the kubelet and the containers say in the pod's status.

A workload that is not ready says only how many of its pods are. The reason stands in the pods, at a different place for
each way in which a pod can fail to run:

    no node takes it            condition PodScheduled=False: "0/1 nodes are available: 1 Insufficient cpu."
    its image cannot be had     containerStatuses[].state.waiting: ErrImagePull, ImagePullBackOff, InvalidImageName
    it cannot be created        containerStatuses[].state.waiting: CreateContainerConfigError ("secret "x" not found")
    it ends again and again     state.waiting CrashLoopBackOff, with the cause in lastState.terminated (OOMKilled)
    it runs and is not ready    condition ContainersReady=False; what the probe got stands only in an Event
"""

from collections.abc import Iterable, Mapping
from typing import Any

from ..manifests.documents import Object

_KILLED = 128 + 9
# Waiting reasons of an ordinary start.
_ON_THE_WAY = frozenset({"ContainerCreating", "PodInitializing"})


def selector_of(workload: Object) -> str | None:
    """The label selector of a workload's pods as a request takes it; None if it has none, or not only equalities."""
    selector = (workload.get("spec") or {}).get("selector") or {}
    labels = selector.get("matchLabels") or {}
    if not labels or selector.get("matchExpressions"):
        return None
    return ",".join(f"{name}={value}" for name, value in sorted(labels.items()))


def current(pods: Iterable[Object], workload: Object) -> list[Object]:
    """The pods that stay: not those that end, nor those of an earlier template, known by their images.

    A repair must not be told the reasons of what it repairs.
    """
    template = (workload.get("spec") or {}).get("template") or {}
    images = {(each.get("name"), each.get("image")) for each in (template.get("spec") or {}).get("containers") or ()}
    return [
        pod
        for pod in pods
        if not pod["metadata"].get("deletionTimestamp")
        and images
        <= {(each.get("name"), each.get("image")) for each in (pod.get("spec") or {}).get("containers") or ()}
    ]


def is_silent(pod: Object) -> bool:
    """Whether a pod is not ready and its status says no reason: then its probe's events may."""
    conditions = {each.get("type"): each for each in (pod.get("status") or {}).get("conditions") or ()}
    return (conditions.get("Ready") or {}).get("status") != "True" and not reason(pod)


def reasons(pods: Iterable[Object], events: Iterable[Object] = ()) -> list[str]:
    """Returns a sentence for each pod that is not ready, with the same sentence once only.

    ``events`` are those of the pods' namespace, in any order: they tell why a probe fails.
    """
    by_pod: dict[str, str] = {}
    for event in sorted(events, key=lambda each: str(each.get("lastTimestamp") or each.get("eventTime") or "")):
        if event.get("reason") == "Unhealthy":
            by_pod[str((event.get("involvedObject") or {}).get("uid"))] = str(event.get("message") or "").strip()
    sentences = [reason(pod, by_pod.get(str(pod["metadata"].get("uid")), "")) for pod in pods]
    return list(dict.fromkeys(filter(None, sentences)))


def reason(pod: Object, probe: str = "") -> str:
    """Why ``pod`` is not ready; empty if it is, or if it is on its way. ``probe`` is what its probe has got."""
    status = pod.get("status") or {}
    conditions = {each.get("type"): each for each in status.get("conditions") or ()}
    scheduled = conditions.get("PodScheduled") or {}
    if scheduled.get("status") == "False":
        return str(scheduled.get("message") or scheduled.get("reason") or "no node takes it")
    if status.get("phase") == "Failed":  # evicted, or the node has gone
        return ": ".join(
            filter(None, [str(status.get("reason") or "the pod failed"), str(status.get("message") or "")])
        )
    for container in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        if sentence := _of_container(container):
            return sentence
    if (conditions.get("Ready") or {}).get("status") == "True":
        return ""
    return probe


def _of_container(container: Mapping[str, Any]) -> str:
    """What is wrong with one container of a pod, by its status; empty if nothing is."""
    name = container.get("name")
    state, last = container.get("state") or {}, (container.get("lastState") or {}).get("terminated")
    waiting, ended = state.get("waiting") or {}, state.get("terminated")
    why = waiting.get("reason")
    if why and why not in _ON_THE_WAY:
        # A back-off's own message says only how long it waits: the cause is how the container ended last.
        said = _ending(last) if why == "CrashLoopBackOff" and last else waiting.get("message")
        return f"container {name}: {why}" + (f": {said}" if said else "")
    if ended and ended.get("exitCode"):
        return f"container {name} {_ending(ended)}"
    if last and last.get("exitCode") and not container.get("ready"):
        return f"container {name} was restarted: it {_ending(last)}"
    return ""


def _ending(ended: Mapping[str, Any]) -> str:
    """How a container ended. A reason other than Error (OOMKilled, StartError) says more than the exit code."""
    why, code = ended.get("reason"), ended.get("exitCode")
    status = f"ended with exit code {code}"
    if code == _KILLED and why in (None, "Error"):
        # The runtime may hear of the kernel's kill after it has reported the end.
        return f"{status} (SIGKILL, perhaps out of memory)"
    return f"{status} ({why})" if why and why != "Error" else status
