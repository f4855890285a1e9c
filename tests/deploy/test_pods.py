"""Why a pod does not run, from statuses as a real kubelet and scheduler write them."""

from typing import Any

import pytest

from scorekit.deploy.pods import current, is_silent, reason, reasons, selector_of

UNSCHEDULABLE = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "Unschedulable",
    "message": "0/1 nodes are available: 1 Insufficient cpu.",
}
READY, UNREADY = {"type": "Ready", "status": "True"}, {"type": "Ready", "status": "False"}
KILLED = {"exitCode": 137, "reason": "OOMKilled"}


def pod(*containers: dict[str, Any], conditions: tuple[dict[str, Any], ...] = (UNREADY,), **status: Any) -> Any:
    return {
        "metadata": {"name": "web-1", "uid": "1"},
        "status": {"conditions": list(conditions), "containerStatuses": list(containers), **status},
    }


def container(**state: Any) -> dict[str, Any]:
    return {"name": "web", "ready": False, **state}


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (pod(conditions=(UNSCHEDULABLE,)), "0/1 nodes are available: 1 Insufficient cpu."),
        (
            pod(container(state={"waiting": {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "x"'}})),
            'container web: ImagePullBackOff: Back-off pulling image "x"',
        ),
        (
            pod(
                container(
                    state={"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}},
                    lastState={"terminated": KILLED},
                )
            ),
            "container web: CrashLoopBackOff: ended with exit code 137 (OOMKilled)",
        ),
        (
            pod(container(state={"running": {}}, lastState={"terminated": {"exitCode": 1, "reason": "Error"}})),
            "container web was restarted: it ended with exit code 1",
        ),
        (pod(container(state={"terminated": KILLED})), "container web ended with exit code 137 (OOMKilled)"),
        (
            pod(container(state={"terminated": {"exitCode": 137, "reason": "Error"}})),
            "container web ended with exit code 137 (SIGKILL, perhaps out of memory)",
        ),
        (pod(phase="Failed", reason="Evicted", message="low on memory"), "Evicted: low on memory"),
        (pod(container(state={"waiting": {"reason": "ContainerCreating"}})), ""),
        (pod(container(state={"running": {}}, ready=True), conditions=(READY,)), ""),
        (
            pod(
                container(state={"running": {}}, ready=True),
                initContainerStatuses=[container(state={"terminated": {"exitCode": 3, "reason": "Error"}})],
            ),
            "container web ended with exit code 3",
        ),
    ],
)
def test_the_reason_is_found_where_it_stands(value: Any, sentence: str) -> None:
    """Each way of not running is told by the field that has its cause; an ordinary start has no reason."""
    assert reason(value) == sentence


def test_a_failing_probe_is_told_by_its_event() -> None:
    """A pod that runs and is not ready has its reason in the newest event of its probe, not in its status."""
    running = pod(container(state={"running": {}}))

    def event(message: str, uid: str = "1", at: str = "") -> dict[str, Any]:
        return {"reason": "Unhealthy", "message": message, "involvedObject": {"uid": uid}, "lastTimestamp": at}

    assert is_silent(running)
    assert not is_silent(pod(conditions=(UNSCHEDULABLE,)))
    told = reasons(
        [running],
        [event("Readiness probe failed: 503", at="2"), event("Startup probe failed: 500", at="1"), event("x", "2")],
    )
    assert told == ["Readiness probe failed: 503"]


def test_pods_that_end_are_not_waited_for() -> None:
    """A pod that is being deleted has no say, and ten pods with one reason have one sentence."""
    pods = [pod(conditions=(UNSCHEDULABLE,)) for _ in range(10)]
    ending = pod(container(state={"terminated": KILLED}))
    ending["metadata"]["deletionTimestamp"] = "now"
    assert reasons(current([*pods, ending], {})) == ["0/1 nodes are available: 1 Insufficient cpu."]


def test_pods_are_found_by_their_workloads_labels() -> None:
    """The selector of a workload, as a request has it; one with expressions is not guessed at."""
    labels = {"matchLabels": {"b": "2", "a": "1"}}
    assert selector_of({"spec": {"selector": labels}}) == "a=1,b=2"
    assert selector_of({"spec": {"selector": labels | {"matchExpressions": [{}]}}}) is None
    assert selector_of({"spec": {}}) is None
