"""`ks apply --wait` on real rollouts: what it waits for, and the reasons that it tells meanwhile."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .node import ROOT, Node

pytestmark = [pytest.mark.e2e, pytest.mark.cluster]

PAUSE = "registry.k8s.io/pause:3.10"  # every node has it, for it holds the pods' namespaces
SECURE = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
RESTRICTED = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}


class App:
    """A ksonnet app whose one environment is a namespace of the node."""

    def __init__(self, node: Node, folder: Path, namespace: str) -> None:
        self._node = node
        self.namespace = namespace
        node.said("ks", "init", "app", "--context", "minikube", "--namespace", namespace, cwd=folder)
        self._folder = folder / "app"

    def component(self, name: str, *objects: Any) -> None:
        text = "\n---\n".join(json.dumps(each) for each in objects)
        (self._folder / "components" / f"{name}.yaml").write_text(text)

    def ks(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return self._node.ran("ks", *arguments, cwd=self._folder)


@pytest.fixture
def app(node: Node, tmp_path: Path, namespace: str) -> App:
    return App(node, tmp_path, namespace)


def deployment(name: str, container: dict[str, Any], replicas: int = 1) -> dict[str, Any]:
    labels = {"app": name}
    main = {"name": "main", "image": PAUSE, "securityContext": SECURE, **container}
    pod = {"securityContext": RESTRICTED, "terminationGracePeriodSeconds": 1, "containers": [main]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def test_every_reason_is_told_while_it_waits(app: App, component: str) -> None:
    """A missing image, a pod that fits nowhere, a probe that fails and a container that ran out of memory."""
    python = {"image": component, "imagePullPolicy": "IfNotPresent"}
    eats = {"command": ["python3", "-c", "x = b'1' * 2**30"], "resources": {"limits": {"memory": "64Mi"}}}
    probe = {"readinessProbe": {"tcpSocket": {"port": 1}, "periodSeconds": 1}}
    app.component(
        "web",
        deployment("unknown", {"image": "registry.invalid/nothing:1"}),
        deployment("large", {"resources": {"requests": {"cpu": "64"}}}),
        deployment("silent", probe),
        deployment("hungry", python | eats | probe),  # without a probe it counts as ready before it has eaten
        deployment("fine", {}),
    )
    done = app.ks("apply", "default", "--wait", "--timeout", "45s")
    assert done.returncode == 1
    told = done.stdout
    within = f"Deployment {app.namespace}/"
    assert f"{within}fine is ready" in told
    for name, reason in (
        ("unknown", "registry.invalid/nothing:1"),  # ErrImagePull, then ImagePullBackOff
        ("large", "1 Insufficient cpu"),
        ("silent", "Readiness probe failed: dial tcp"),
        ("hungry", "exit code 137 ("),  # OOMKilled, unless containerd hears of it too late
    ):
        lines = [line for line in told.splitlines() if f"{within}{name}" in line]
        assert any("waiting for" in line and reason in line for line in lines), (name, lines)
        last = [line for line in lines if "is not ready after 45 s" in line]
        assert last, (name, lines)


def test_a_pod_that_the_namespace_refuses_is_told(app: App) -> None:
    """Where Pod Security refuses the pods there are none to look at: the Deployment's own condition has the reason."""
    value = deployment("web", {})
    del value["spec"]["template"]["spec"]["securityContext"]
    app.component("web", value)
    done = app.ks("apply", "default", "--wait", "--timeout", "5s")
    assert done.returncode == 1
    assert "violates PodSecurity" in done.stdout


@pytest.fixture
def operator(node: Node, namespace: str) -> Iterator[None]:
    """Seldon's kind, as our own app defines it, and a stand-in for its operator."""
    app = ROOT / "ksonnet-app"
    rendered = json.loads(node.said("ks", "show", "default", "-o", "json", cwd=app))
    name = "seldondeployments.machinelearning.seldon.io"
    (definition,) = (each for each in rendered["items"] if each["metadata"]["name"] == name)
    node.kubectl("apply", "--server-side", "-f", "-", text=json.dumps(definition))
    node.kubectl("wait", "--for=condition=Established", f"crd/{name}", "--timeout=30s")
    argv = node.command(sys.executable, "-m", "tests.cluster.operator", namespace)
    with subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE) as process:
        yield
        process.communicate(b"", timeout=30)
    node.kubectl("delete", "crd", name)


def seldon(replicas: int, color: str) -> dict[str, Any]:
    variables = [{"name": "COLOR", "value": color}]
    container = {"name": "m", "image": PAUSE, "securityContext": SECURE, "env": variables}
    pod = {"securityContext": RESTRICTED, "terminationGracePeriodSeconds": 1, "containers": [container]}
    graph = {"name": "m", "type": "MODEL", "children": []}
    predictor = {"name": "p", "replicas": replicas, "graph": graph, "componentSpecs": [{"spec": pod}]}
    return {
        "apiVersion": "machinelearning.seldon.io/v1",
        "kind": "SeldonDeployment",
        "metadata": {"name": "s"},
        "spec": {"predictors": [predictor]},
    }


@pytest.mark.usefixtures("operator")
def test_a_change_of_a_seldon_deployment_is_waited_for(app: App, node: Node) -> None:
    """Made, scaled and given another template: when the wait ends, exactly the pods of the change run.

    The operator acts seconds after each change and leaves the state Available of before it standing meanwhile.
    """
    for replicas, color in ((1, "red"), (2, "red"), (2, "blue"), (1, "blue")):
        app.component("model", seldon(replicas, color))
        done = app.ks("apply", "default", "--wait", "--timeout", "60s")
        assert done.returncode == 0, done.stdout
        pods = node.read("pods", "-n", app.namespace)["items"]
        running = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
        colors = [pod["spec"]["containers"][0]["env"][0]["value"] for pod in running]
        assert colors == [color] * replicas, done.stdout
        if (replicas, color) != (1, "red"):
            assert "the operator has not acted on the change yet" in done.stdout
    again = app.ks("apply", "default", "--wait", "--timeout", "60s")
    assert "the operator has not acted" not in again.stdout, "nothing has changed, so nothing is waited for"


@pytest.mark.usefixtures("operator")
def test_the_reason_of_a_seldon_deployments_pod_is_told(app: App) -> None:
    """More replicas than the node has room for: the wait says so, through the Deployment that the operator made."""
    value = seldon(3, "red")
    container = value["spec"]["predictors"][0]["componentSpecs"][0]["spec"]["containers"][0]
    container["resources"] = {"requests": {"cpu": "900m"}}
    app.component("model", value)
    done = app.ks("apply", "default", "--wait", "--timeout", "15s")
    assert done.returncode == 1
    assert f"SeldonDeployment {app.namespace}/s" in done.stdout
    assert "Deployment s-p-0-m: " in done.stdout
    assert "1 Insufficient cpu" in done.stdout
