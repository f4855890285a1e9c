"""The look at a SeldonDeployment that changes, with an operator that behaves as Seldon's 1.17.1 was seen to."""

import base64
import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from scorekit.deploy import ApiResource
from scorekit.deploy.carried import carries
from scorekit.deploy.progress import Progress
from scorekit.deploy.rollouts import SETTLED_S, SeldonRollout, WorkloadRollout, seldon_states
from scorekit.errors import ClusterError

from .fakes import FakeClock, FakeCluster

API = "machinelearning.seldon.io/v1"
Object = dict[str, Any]


def seldon(image: str = "m:1", replicas: int = 1, state: str = "", generation: int = 1, **status: Any) -> Object:
    containers = [{"name": "m", "image": image, "env": [{"name": "A", "value": "1"}]}]
    predictor = {"name": "p", "replicas": replicas, "componentSpecs": [{"spec": {"containers": containers}}]}
    return {
        "apiVersion": API,
        "kind": "SeldonDeployment",
        "metadata": {"name": "s", "namespace": "ns", "uid": "u", "generation": generation},
        "spec": {"predictors": [predictor]},
        "status": status | ({"state": state} if state else {}),
    }


def deployment(image: str = "m:1", replicas: int = 1, available: int = 1, generation: int = 1, **more: Any) -> Object:
    """As the operator makes it: more variables, and a container of its own."""
    model = {
        "name": "m",
        "image": image,
        "env": [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}],
        "ports": [],
    }
    counts = dict.fromkeys(("replicas", "updatedReplicas"), replicas)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": more.get("name", "s-p-0-m"),
            "namespace": "ns",
            "uid": more.get("uid", "d"),
            "generation": generation,
            "ownerReferences": [{"uid": more.get("owner", "u")}],
        },
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "s"}},
            "template": {"spec": {"containers": [model, {"name": "engine", "image": "e"}]}},
        },
        "status": counts | {"availableReplicas": available, "observedGeneration": more.get("observed", generation)},
    }


class Stage:
    """A cluster with one SeldonDeployment that an apply is about to change, and the look at it afterwards."""

    def __init__(self, was: Object | None, *deployments: Object, now: Object | None = None) -> None:
        self.cluster, self.clock = FakeCluster(), FakeClock()
        self.cluster.put("SeldonDeployment", "s", was)
        for each in deployments:
            self.cluster.put("Deployment", each["metadata"]["name"], each)
        applied = now or was or seldon()
        states = seldon_states(self.cluster, [applied])
        self.is_now(applied, *deployments)
        self._look = SeldonRollout(self.cluster, applied, self.clock, states.get("SeldonDeployment ns/s"))

    def is_now(self, now: Object, *deployments: Object) -> None:
        self.cluster.objects.clear()
        self.cluster.put("SeldonDeployment", "s", now)
        for each in deployments:
            self.cluster.put("Deployment", each["metadata"]["name"], each)

    def look(self, after_s: float = 0.5) -> Progress:
        self.clock.sleep(after_s)
        return self._look()


def test_the_state_of_before_a_change_does_not_count() -> None:
    """A new image is done when the Deployment has it and its rollout is complete, whatever the old state says."""
    now = seldon("m:2", state="Available", generation=2)
    stage = Stage(seldon(state="Available"), deployment(), now=now)
    assert stage.look().words == "the operator has not acted on the change yet"
    stage.is_now(now, deployment("m:2", generation=2, observed=1))
    assert stage.look().words == "Deployment s-p-0-m: its controller has not seen the change yet"
    stage.is_now(now, deployment("m:2", generation=2, available=0))
    assert stage.look().words == "Deployment s-p-0-m: 0 of 1 available"
    stage.is_now(seldon("m:2", state="Creating", generation=2), deployment("m:2", generation=2))
    assert not stage.look().is_done
    stage.is_now(now, deployment("m:2", generation=2))
    assert stage.look().is_done


def test_what_is_taken_out_of_a_spec_is_waited_for() -> None:
    """A variable that is removed leaves nothing to look for: the Deployment must have been written since the apply."""
    now = seldon(state="Available", generation=2)
    del now["spec"]["predictors"][0]["componentSpecs"][0]["spec"]["containers"][0]["env"]
    stage = Stage(seldon(state="Available"), deployment(), now=now)
    assert stage.look().words == "the operator has not acted on the change yet"
    stage.is_now(now, deployment(generation=2))
    assert stage.look().is_done


def test_a_new_deployment_is_waited_for() -> None:
    """Before the operator has made anything there is nothing to judge by."""
    stage = Stage(None, now=seldon())
    assert stage.look().words == "the operator has not acted on the change yet"
    stage.is_now(seldon(state="Available"), deployment())
    assert stage.look().is_done


def test_a_scale_is_waited_for() -> None:
    """From one replica to two: the operator's Deployment must have two, and both must be available."""
    now = seldon(replicas=2, state="Available", generation=2)
    stage = Stage(seldon(state="Available"), deployment(), now=now)
    assert not stage.look().is_done
    stage.is_now(now, deployment(replicas=2, generation=2))
    assert stage.look().words == "Deployment s-p-0-m: 1 of 2 available"
    stage.is_now(now, deployment(replicas=2, available=2, generation=2))
    assert stage.look().is_done


def test_what_has_not_changed_is_done_at_once() -> None:
    """An apply that changed nothing waits for nothing."""
    assert Stage(seldon(state="Available"), deployment()).look().is_done


def test_a_failure_of_before_is_not_the_changes() -> None:
    """An old Failed is not believed until the operator has had its time; a new one is, soon after it was written."""
    stage = Stage(seldon(state="Failed", description="old"), deployment("m:0"))
    assert not stage.look().is_failed
    assert "may still be about the last change" in stage.look().words
    stage.is_now(seldon(state="Failed", description="new"), deployment("m:0"))
    assert not stage.look().is_failed
    assert stage.look(3).is_failed
    stage = Stage(seldon(state="Failed", description="the same again"), deployment("m:0"))
    stage.look()
    assert stage.look(SETTLED_S).is_failed


def test_an_operator_that_says_what_it_has_seen_is_believed() -> None:
    """With an observedGeneration there is nothing to guess: until it is current nothing counts, then the state does."""
    stage = Stage(seldon(state="Failed", generation=2, observedGeneration=1))
    assert stage.look().words == "the operator has not seen the change yet"
    stage.is_now(seldon(state="Failed", generation=2, observedGeneration=2))
    assert stage.look().is_failed
    stage.is_now(seldon(state="Available", generation=2, observedGeneration=2), deployment())
    assert stage.look().is_done


def test_a_predictor_that_is_gone_must_go() -> None:
    """The end of a canary is waited for; the orchestrator's Deployment and those of other owners belong to none."""
    main = deployment()
    canary = deployment(name="s-canary-0-m", uid="e")
    engine = deployment(name="s-p-svc-orch", uid="f")
    other = deployment(name="other", uid="g", owner="somebody")
    stage = Stage(seldon(state="Available"), main, canary, engine, other)
    assert stage.look().words == "the operator has not acted on the change yet"
    stage.is_now(seldon(state="Available"), main, engine, other)
    assert stage.look().is_done


def test_what_the_operator_drops_is_not_waited_for_without_end() -> None:
    """Where its Deployment never has all that the spec says, silence for SETTLED_S counts as having acted."""
    bare = deployment(generation=2)
    del bare["spec"]["template"]["spec"]["containers"][0]["env"]
    stage = Stage(seldon(state="Available"), deployment(), now=seldon(state="Available", generation=2))
    stage.is_now(seldon(state="Available", generation=2), bare)
    assert not stage.look().is_done
    assert not stage.look(SETTLED_S - 1).is_done
    assert stage.look(1).is_done


def test_an_operator_that_is_away_is_waited_for() -> None:
    """However long nothing happens: a Deployment that has another image than the spec has not arrived."""
    stage = Stage(seldon(state="Available"), deployment(), now=seldon("m:2", state="Available", generation=2))
    stage.look()
    assert stage.look(SETTLED_S * 100).words == "the operator has not acted on the change yet"


class Forbidding(FakeCluster):
    """Lets nobody list anything."""

    def list_objects(self, resource: ApiResource, namespace: str, selector: str = "") -> Iterator[Any]:
        raise ClusterError(f"{resource.plural} is forbidden", 403)


def test_who_may_not_list_pods_may_wait() -> None:
    """Pods and events only explain, and a SeldonDeployment's state is believed after a while."""
    cluster, clock = Forbidding(), FakeClock()
    cluster.put("Deployment", "s-p-0-m", deployment(available=0))
    assert WorkloadRollout(cluster, deployment())().words == "0 of 1 available"
    cluster.put("SeldonDeployment", "s", seldon(state="Available"))
    look = SeldonRollout(cluster, seldon(), clock, seldon_states(cluster, [seldon()])["SeldonDeployment ns/s"])
    assert not look().is_done
    clock.sleep(SETTLED_S)
    assert look().is_done


def test_a_job_that_removes_itself_is_done() -> None:
    """A finished Job with a time to live may be gone before it is looked at."""
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j", "namespace": "ns"}}
    cluster = FakeCluster()
    cluster.put("Job", "j", None)
    assert WorkloadRollout(cluster, job | {"spec": {"ttlSecondsAfterFinished": 0}})().is_done
    assert WorkloadRollout(cluster, job | {"spec": {}})().is_failed


@pytest.mark.parametrize(
    ("change", "carried"),
    [
        (lambda value: None, True),
        (lambda value: value["spec"]["template"]["spec"]["containers"].reverse(), True),
        (lambda value: value["metadata"].update(name="seldon-" + "0" * 32), True),
        (lambda value: value["metadata"].update(name="s-q-0-m"), False),
        (lambda value: value["spec"].update(replicas=2), False),
        (lambda value: value["spec"]["template"]["spec"]["containers"][0].update(image="other"), False),
        (lambda value: value["spec"]["template"]["spec"]["containers"][0].pop("env"), False),
    ],
)
def test_a_deployment_carries_its_spec(change: Any, carried: bool) -> None:
    """By name, replicas and containers; what the operator adds does not matter."""
    value = copy.deepcopy(deployment())
    change(value)
    assert carries(seldon(), [value]) is carried


def test_the_graph_of_a_prepackaged_server_must_arrive_at_the_orchestrator() -> None:
    """A new modelUri changes no container of the spec; the orchestrator's own copy of the graph has it."""
    value = seldon()
    (predictor,) = value["spec"]["predictors"]
    predictor["componentSpecs"] = []
    node = {"name": "m", "implementation": "SKLEARN_SERVER", "modelUri": "gs://new", "children": []}
    predictor["graph"] = node | {"endpoint": {"type": "REST"}, "parameters": [{"name": "a", "value": "1"}]}

    def owned(uri: str) -> Object:
        parameters = [{"name": "z", "value": "2"}, {"name": "a", "value": "1"}]
        graph = node | {"modelUri": uri, "endpoint": {"httpPort": 9000}, "parameters": parameters}
        text = base64.b64encode(json.dumps({"name": "p", "graph": graph}).encode()).decode()
        made = deployment()
        made["metadata"]["name"] = "seldon-" + "0" * 32
        made["spec"]["template"]["spec"]["containers"][1]["env"] = [{"name": "ENGINE_PREDICTOR", "value": text}]
        return made

    assert not carries(value, [owned("gs://old")])
    assert carries(value, [owned("gs://new")])
    broken = owned("gs://new")
    broken["spec"]["template"]["spec"]["containers"][1]["env"][0]["value"] = "no base64"
    assert carries(value, [broken])


@pytest.mark.parametrize(
    ("asked", "stored", "same"),
    [("0.5", "500m", True), (1, "1", True), ("1Gi", "1024Mi", True), ("1G", "1Gi", False), ("1e3", "1k", True)],
)
def test_quantities_are_compared_by_what_they_stand_for(asked: Any, stored: str, same: bool) -> None:
    """The API server rewrites the quantities of a Deployment, and not those of a SeldonDeployment."""
    value, owned = seldon(), deployment()
    value["spec"]["predictors"][0]["componentSpecs"][0]["spec"]["containers"][0]["resources"] = {"limits": {"x": asked}}
    owned["spec"]["template"]["spec"]["containers"][0]["resources"] = {"limits": {"x": stored}}
    assert carries(value, [owned]) is same


def test_replicas_of_an_autoscaler_are_its_own() -> None:
    """With an hpaSpec the operator writes no replicas, so the spec's number says nothing."""
    scaled = seldon(replicas=3)
    scaled["spec"]["predictors"][0]["componentSpecs"][0]["hpaSpec"] = {"maxReplicas": 5}
    assert carries(scaled, [deployment()])


def test_a_workload_is_told_with_the_reasons_of_its_pods() -> None:
    """The scheduler's sentence stands behind the counts, while the rollout is on its way."""
    cluster = FakeCluster()
    value = deployment(available=0)
    cluster.put("Deployment", "s-p-0-m", value)
    why = {"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available: 1 Insufficient cpu."}
    containers = value["spec"]["template"]["spec"]["containers"]
    pod = {"metadata": {"uid": "1"}, "spec": {"containers": containers}, "status": {"conditions": [why]}}
    cluster.put("Pod", "s-1", pod)
    old = copy.deepcopy(pod)
    old["spec"]["containers"][0]["image"] = "another"
    old["status"]["conditions"][0]["message"] = "the reason of what is being repaired"
    cluster.put("Pod", "s-0", old)
    told = WorkloadRollout(cluster, value)().words
    assert told == "0 of 1 available; 0/1 nodes are available: 1 Insufficient cpu."
