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
               └─ observedGeneration (our operator writes it); without it: its Deployments carry the containers of the
                  spec, and none is left of a predictor that is gone; or: nothing has changed for SETTLED_S
"""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from ..manifests import Object
from .cluster import Clock, Cluster
from .pods import reasons, selector_of
from .progress import Progress, rollout_progress

SETTLED_S = 20.0
"""An operator that has changed nothing for so long has acted: what it says then is about the change.

Seldon's acts within a second if it runs. After a restart while its old Lease was still held it took 17 s."""
_SHORTLY_S = 2.0
_MOST_REASONS = 3
_ENGINE_AND_EXPLAINER = ("-svc-orch", "-explainer")
# A name longer than 63 characters becomes the MD5 of it (seldon-core 1.17.1).
_HASHED = re.compile(r"seldon-[0-9a-f]{32}")
# Kubernetes' quantities: a decimal number, and a decimal or binary suffix.
_FACTORS = {"n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "": Decimal(1)}
_FACTORS |= {suffix: Decimal(1000) ** power for power, suffix in enumerate("kMGTPE", start=1)}
_FACTORS |= {f"{suffix}i": Decimal(1024) ** power for power, suffix in enumerate("KMGTPE", start=1)}
_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]*)?(?:[eE][0-9]+)?)(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|)")


class WorkloadRollout:
    """Looks at a Deployment, StatefulSet, DaemonSet or Job, and at its pods while it does not run."""

    def __init__(self, cluster: Cluster, value: Object) -> None:
        self._cluster = cluster
        self._value = value

    def __call__(self) -> Progress:
        """How far it is, with the reasons of its pods. Raises ``ClusterError`` if the server does not answer."""
        now = read(self._cluster, self._value)
        if now is None:
            return Progress("it was deleted", is_failed=True)
        return progress_with_reasons(self._cluster, now)


class SeldonRollout:
    """Looks at a SeldonDeployment and at the Deployments that it owns. Keeps what it saw last."""

    def __init__(self, cluster: Cluster, value: Object, clock: Clock) -> None:
        self._cluster = cluster
        self._value = value
        self._clock = clock
        self._seen: Any = None
        self._since_s = 0.0
        self._has_changed = False

    def __call__(self) -> Progress:
        """How far it is. Raises ``ClusterError`` if the server does not answer."""
        now = read(self._cluster, self._value)
        if now is None:
            return Progress("it was deleted", is_failed=True)
        status = now.get("status") or {}
        deployments = self._owned(now)
        stable_s = self._stable_s(status, deployments)
        observed = status.get("observedGeneration")
        if observed is not None:
            if observed < now["metadata"].get("generation", 0):
                return Progress("the operator has not seen the change yet")
            has_acted = is_settled = True
        else:
            has_acted = stable_s >= SETTLED_S or carries(now, deployments)
            # What the operator says right after its first write of a change may be the state of before.
            is_settled = stable_s >= (_SHORTLY_S if self._has_changed else SETTLED_S)
        stated = rollout_progress(now) or Progress("")
        if stated.is_failed:
            return stated if is_settled else Progress(f"{stated.words}; this may still be about the last change")
        if not has_acted:
            return Progress("the operator has not acted on the change yet")
        for deployment in deployments:
            progress = progress_with_reasons(self._cluster, deployment)
            if not progress.is_done:
                return Progress(
                    f"Deployment {deployment['metadata']['name']}: {progress.words}", is_failed=progress.is_failed
                )
        return stated

    def _owned(self, now: Object) -> list[Object]:
        resource = self._cluster.resource("apps/v1", "Deployment")
        found = self._cluster.list_objects(resource, now["metadata"].get("namespace", "")) if resource else ()
        uid = now["metadata"].get("uid")
        return [
            each
            for each in found
            if any(owner.get("uid") == uid for owner in each["metadata"].get("ownerReferences") or ())
        ]

    def _stable_s(self, status: Mapping[str, Any], deployments: Sequence[Object]) -> float:
        """For how long neither the status nor a Deployment's spec has changed, as far as looks have told."""
        seen = status, [(each["metadata"].get("uid"), each["metadata"].get("generation")) for each in deployments]
        if seen != self._seen:
            self._has_changed = self._seen is not None
            self._seen, self._since_s = seen, self._clock.now()
        return self._clock.now() - self._since_s


def carries(seldon_deployment: Object, deployments: Sequence[Object]) -> bool:
    """Whether ``deployments`` run what ``seldon_deployment`` asks for, as far as its spec says it.

    Each componentSpec with containers has a Deployment with its replicas and its containers; the operator adds to
    containers (ports, probes, variables) and adds containers, but what the spec says of one is in it word for word. An
    orchestrator is given the graph of its predictor, in which the URI of a prepackaged server's model stands. And no
    Deployment is left of a predictor or a componentSpec that the spec no longer has.
    """
    spec, name = seldon_deployment.get("spec") or {}, seldon_deployment["metadata"]["name"]
    prefixes: list[str] = []
    for predictor in spec.get("predictors") or ():
        if not _routes(deployments, predictor):
            return False
        for index, component in enumerate(predictor.get("componentSpecs") or ()):
            prefixes.append(f"{name}-{predictor.get('name')}-{index}-")
            replicas = next((each["replicas"] for each in (component, predictor, spec) if "replicas" in each), None)
            scales_itself = "hpaSpec" in component or "kedaSpec" in component
            containers = (component.get("spec") or {}).get("containers") or ()
            if containers and not any(
                _runs(each, containers, None if scales_itself else replicas) for each in _of(prefixes[-1], deployments)
            ):
                return False
    return not [each for each in deployments if not _is_expected(each["metadata"]["name"], prefixes)]


def _of(prefix: str, deployments: Sequence[Object]) -> list[Object]:
    """The Deployments of one componentSpec; those with a hash for a name may be of any."""
    names = [each["metadata"]["name"] for each in deployments]
    return [each for each, name in zip(deployments, names, strict=True) if _is_named(name, [prefix])]


def _is_expected(name: str, prefixes: Sequence[str]) -> bool:
    return _is_named(name, prefixes) or name.endswith(_ENGINE_AND_EXPLAINER)


def _is_named(name: str, prefixes: Sequence[str]) -> bool:
    return name.startswith(tuple(prefixes)) or _HASHED.fullmatch(name) is not None


def _routes(deployments: Sequence[Object], predictor: Mapping[str, Any]) -> bool:
    """Whether the predictor's orchestrator has its graph; true if there is no orchestrator to ask."""
    for deployment in deployments:
        for container in _containers(deployment):
            for variable in container.get("env") or ():
                if variable.get("name") == "ENGINE_PREDICTOR":
                    given = _decoded(variable.get("value"))
                    if given.get("name") == predictor.get("name"):
                        return _includes(given.get("graph"), _without_endpoints(predictor.get("graph") or {}))
    return True


def _decoded(value: Any) -> Mapping[str, Any]:
    """The predictor in an orchestrator's variable (JSON in base64); empty if it is none."""
    try:
        predictor = json.loads(base64.b64decode(str(value), validate=True))
    except ValueError:
        return {}
    return predictor if isinstance(predictor, Mapping) else {}


def _without_endpoints(node: Mapping[str, Any]) -> dict[str, Any]:
    """A node of a graph without the endpoints, which the operator overwrites."""
    rest = {name: part for name, part in node.items() if name != "endpoint"}
    return rest | {"children": [_without_endpoints(child) for child in node.get("children") or ()]}


def _containers(deployment: Object) -> list[Mapping[str, Any]]:
    template = (deployment.get("spec") or {}).get("template") or {}
    return (template.get("spec") or {}).get("containers") or []


def _runs(deployment: Object, containers: Sequence[Mapping[str, Any]], replicas: int | None) -> bool:
    spec = deployment.get("spec") or {}
    if replicas is not None and spec.get("replicas", 1) != replicas:
        return False
    return _includes(_containers(deployment), list(containers))


def _includes(value: Any, part: Any, *, are_quantities: bool = False) -> bool:
    """Whether ``value`` has all that ``part`` has; named items of a list are found by their name.

    Below ``resources`` the API server rewrites quantities of a Deployment (``0.5`` to ``500m``), and leaves those of a
    SeldonDeployment as they are: there the amounts are compared.
    """
    if isinstance(part, Mapping):
        return isinstance(value, Mapping) and all(
            _includes(value.get(key), each, are_quantities=are_quantities or key == "resources")
            for key, each in part.items()
        )
    if isinstance(part, list) and part and all(isinstance(each, Mapping) and "name" in each for each in part):
        by_name = {each.get("name"): each for each in value or () if isinstance(each, Mapping)}
        return all(_includes(by_name.get(each["name"]), each) for each in part)
    if are_quantities and value is not None:
        return bool(_amount(value) == _amount(part))
    return bool(value == part) or (not part and not value)


def _amount(quantity: Any) -> Any:
    """The number that a Kubernetes quantity stands for; the quantity itself if it is none."""
    match = _QUANTITY.fullmatch(str(quantity))
    return quantity if match is None else Decimal(match[1]) * _FACTORS[match[2]]


def progress_with_reasons(cluster: Cluster, workload: Object) -> Progress:
    """How far a workload is, with the reasons of pods that do not run. Raises ``ClusterError``."""
    progress = rollout_progress(workload) or Progress("", is_done=True)
    selector = selector_of(workload)
    if progress.is_done or selector is None:
        return progress
    # Where pods cannot even be created (Pod Security, a quota) there are none to look at.
    conditions = (workload.get("status") or {}).get("conditions") or ()
    sentences = [str(each.get("message")) for each in conditions if each.get("type") == "ReplicaFailure"]
    namespace = workload["metadata"].get("namespace", "")
    pods, events = cluster.resource("v1", "Pod"), cluster.resource("v1", "Event")
    if pods is not None:
        found = list(cluster.list_objects(pods, namespace, selector))
        sentences += reasons(found, cluster.list_objects(events, namespace) if events and found else ())
    return Progress("; ".join([progress.words, *sentences[:_MOST_REASONS]]), is_failed=progress.is_failed)


def read(cluster: Cluster, value: Object) -> Object | None:
    """The object as it is now; None if it, or its kind, is gone. Raises ``ClusterError``."""
    resource = cluster.resource(value["apiVersion"], value["kind"])
    if resource is None:
        return None
    return cluster.get(resource, value["metadata"].get("namespace", ""), value["metadata"]["name"])
