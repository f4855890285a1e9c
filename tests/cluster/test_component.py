"""The component's image as a plain Deployment on a real node: seldon-ml-score-component/kubernetes.yaml.

CLUSTER_REQUESTS is how many requests are counted in each case, of REST and of gRPC each; `script/bench cluster` counts
three times. CLUSTER_RESULTS names a file that is given a line for each case.
"""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .node import ROOT, Load, Node

pytestmark = [pytest.mark.e2e, pytest.mark.cluster]

COUNT = int(os.environ.get("CLUSTER_REQUESTS", "10000"))
NAME = "seldon-ml-score-component"
MANIFEST = ROOT / NAME / "kubernetes.yaml"


@pytest.fixture(scope="module")
def deployed(node: Node, component: str) -> Iterator[str]:
    """The Deployment of two replicas, rolled out, in a namespace that enforces `restricted`."""
    namespace = "component"
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels}}
    node.kubectl("apply", "-f", "-", text=json.dumps(manifest))
    node.kubectl("apply", "-n", namespace, "-f", MANIFEST)
    node.kubectl("rollout", "status", f"deployment/{NAME}", "-n", namespace, "--timeout=120s")
    yield namespace
    node.kubectl("delete", "namespace", namespace, "--wait=false")


def address(node: Node, namespace: str) -> str:
    return str(node.read("service", NAME, "-n", namespace)["spec"]["clusterIP"])


def pods(node: Node, namespace: str) -> list[Any]:
    """Those that are not about to go."""
    found: list[Any] = node.read("pods", "-n", namespace, "-l", f"app={NAME}")["items"]
    return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]


def kept(case: str, counts: dict[str, Any]) -> None:
    """Every request was answered: none lost, none refused."""
    if results := os.environ.get("CLUSTER_RESULTS"):
        with Path(results).open("a") as file:
            file.write(json.dumps({"case": case, **counts}) + "\n")
    for kind, count in counts.items():
        assert not count["lost"], (kind, count)
        assert count["refused"] == 0, (kind, count)
        assert count["answered"] >= COUNT, (kind, count)


def test_it_answers_under_all_restrictions(node: Node, deployed: str) -> None:
    """A namespace that enforces `restricted` takes it; it answers by its Service's name and shows its metrics."""
    (pod, _) = pods(node, deployed)
    body = '{"data":{"ndarray":[[1,1]]}}'
    url = f"http://{address(node, deployed)}:9000/predict"
    answer = json.loads(
        node.said("curl", "--silent", "--fail", "--data", body, "-H", "Content-Type: application/json", url)
    )
    assert answer["data"]["names"] == ["setosa", "versicolor", "virginica"]
    assert len(answer["data"]["ndarray"]) == 1
    metrics = node.said("curl", "--silent", "--fail", f"http://{pod['status']['podIP']}:6000/metrics")
    assert "seldon_api_executor_server_requests_seconds" in metrics
    refused = node.ran("kubectl", "exec", "-n", deployed, pod["metadata"]["name"], "--", "touch", "/microservice/x")
    assert "Read-only file system" in refused.stdout


def test_a_rolling_update_under_load_loses_nothing(node: Node, deployed: str) -> None:
    """Both pods are replaced while REST and gRPC clients ask, over kept and over new connections."""
    load = Load(node, address(node, deployed), 9000, 5000)
    try:
        load.more_than(COUNT // 10)
        before = {pod["metadata"]["name"] for pod in pods(node, deployed)}
        node.kubectl("rollout", "restart", f"deployment/{NAME}", "-n", deployed)
        node.kubectl("rollout", "status", f"deployment/{NAME}", "-n", deployed, "--timeout=180s")
        node.until(
            lambda: len(node.read("pods", "-n", deployed)["items"]) == 2, lambda: node.kubectl("get", "pods", "-A")
        )
        assert not before & {pod["metadata"]["name"] for pod in pods(node, deployed)}
        load.more_than(COUNT // 10)
    finally:
        counts = finished(load)
    kept("rolling update", counts)


def test_a_deleted_pod_loses_nothing(node: Node, deployed: str) -> None:
    """One pod is deleted under load; the other answers until the new one does."""
    load = Load(node, address(node, deployed), 9000, 5000)
    try:
        load.more_than(COUNT // 10)
        victim = pods(node, deployed)[0]["metadata"]["name"]
        node.kubectl("delete", "pod", victim, "-n", deployed)
        node.kubectl("rollout", "status", f"deployment/{NAME}", "-n", deployed, "--timeout=180s")
        load.more_than(COUNT // 10)
    finally:
        counts = finished(load)
    kept("pod deleted", counts)


def finished(load: Load) -> dict[str, Any]:
    """The counts, once there are at least COUNT of each kind."""
    deadline = time.monotonic() + 120
    while min(kind["answered"] for kind in load.now().values()) < COUNT and time.monotonic() < deadline:
        pass
    return load.stop()
