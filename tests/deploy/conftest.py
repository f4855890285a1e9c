"""A cluster for all tests, started when the first one needs it; a namespace and an app for each test.

With ``SCOREKIT_REAL_CLUSTER=1`` it is the one that ``KUBECONFIG`` leads to, for which you need every right: tests make
and delete namespaces and definitions there. Those that need what only our own has (certificates, users) skip.
"""

import json
import os
import subprocess
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from scorekit.cli import ks
from scorekit.deploy.kube import ConfigOverrides, find_target, load
from scorekit.deploy.kube.client import Client

from .cluster import ControlPlane, MissingTool, control_plane, tool
from .proxy import Proxy, proxy

REAL = os.environ.get("KUBECONFIG", "") if os.environ.get("SCOREKIT_REAL_CLUSTER") else ""
Object = dict[str, Any]

APP = """
apiVersion: 0.3.0
kind: ksonnet.io/app
name: test
version: 0.0.1
environments:
  default:
    path: default
    k8sVersion: v1.31.0
    destination: {server: "%s", namespace: %s}
"""
FILES = {
    "components/params.libsonnet": "{ components: {} }",
    "environments/base.libsonnet": 'std.extVar("__ksonnet/components")',
    "environments/default/main.jsonnet": 'import "base.libsonnet"',
    "environments/default/globals.libsonnet": "{}",
    "environments/default/params.libsonnet": 'std.extVar("__ksonnet/params")',
}


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """Our own control plane."""
    if REAL:
        pytest.skip("SCOREKIT_REAL_CLUSTER: this test is about our own control plane")
    try:
        with control_plane(tmp_path_factory.mktemp("cluster")) as running:
            yield running
    except MissingTool as error:
        pytest.fail(str(error)) if os.environ.get("CI") == "true" else pytest.skip(str(error))


@pytest.fixture(scope="session")
def kubeconfig(request: pytest.FixtureRequest) -> Path:
    """The path of an administrator's kubeconfig."""
    if REAL:
        return Path(REAL)
    running: ControlPlane = request.getfixturevalue("plane")
    return running.kubeconfig


@pytest.fixture(scope="session")
def client(kubeconfig: Path) -> Client:
    """A client with all rights."""
    config = load(str(kubeconfig), {})
    return Client(find_target(config, ConfigOverrides(), "", ""), lambda level, line: None)


@dataclass(frozen=True, slots=True)
class Kubectl:
    """Runs kubectl as an administrator in one namespace."""

    kubeconfig: Path
    namespace: str

    def __call__(self, *arguments: str, given: str = "") -> str:
        done = self.run(*arguments, given=given)
        assert done.returncode == 0, f"kubectl {' '.join(arguments)}\n{done.stdout}{done.stderr}"
        return done.stdout

    def run(self, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        command = [str(tool("kubectl")), "--kubeconfig", str(self.kubeconfig), "-n", self.namespace, *arguments]
        return subprocess.run(command, input=given, capture_output=True, text=True, timeout=120, check=False)

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "-o", "json"))

    def apply(self, *objects: Mapping[str, Any], manager: str = "kubectl") -> None:
        """Apply on the server side, as another field manager than ours."""
        given = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
        self("apply", "--server-side", f"--field-manager={manager}", "-f", "-", given=given)


@pytest.fixture
def kubectl(kubeconfig: Path, client: Client) -> Iterator[Kubectl]:
    """kubectl in a namespace of the test's own, which is deleted afterwards."""
    namespace = f"test-{uuid.uuid4().hex[:8]}"
    kubectl_there = Kubectl(kubeconfig, namespace)
    kubectl_there("create", "namespace", namespace)
    yield kubectl_there
    kind = client.resource("v1", "Namespace")
    assert kind
    client.delete(kind, "", namespace, {})


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command printed, and its exit status."""

    status: int
    out: str
    err: str


class KsApp:
    """A ksonnet app on disk, and ``ks`` run in it."""

    def __init__(self, folder: Path, namespace: str, server: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.namespace = namespace
        self._capsys = capsys
        for path, text in {**FILES, "app.yaml": APP % (server, namespace)}.items():
            self.write(path, text)

    def write(self, path: str, text: str) -> None:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(text)

    def component(self, name: str, *objects: Mapping[str, Any]) -> None:
        """Write a component of these objects; without objects, remove the component."""
        path = self.folder / "components" / f"{name}.yaml"
        if objects:
            path.write_text("\n---\n".join(json.dumps(each) for each in objects))
        else:
            path.unlink()

    def ks(self, *arguments: str) -> Ran:
        self._capsys.readouterr()
        status = ks.main(["--dir", str(self.folder), *arguments])
        return Ran(status, *self._capsys.readouterr())

    def succeed(self, *arguments: str) -> Ran:
        ran = self.ks(*arguments)
        assert ran.status == 0, ran.err
        return ran


@pytest.fixture
def app(
    kubectl: Kubectl,
    kubeconfig: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> KsApp:
    """An app without components, whose environment names the context of the cluster."""
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    context = load(str(kubeconfig), {}).current
    return KsApp(tmp_path / "app", kubectl.namespace, f"context:{context}", capsys)


@pytest.fixture
def way(plane: ControlPlane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, app: KsApp) -> Iterator[Proxy]:
    """A proxy through which `ks` reaches the cluster."""
    with proxy(plane, tmp_path) as running:
        monkeypatch.setenv("KUBECONFIG", str(running.kubeconfig))
        yield running


Make = Callable[..., Object]


def deployment(name: str = "web", **spec: Any) -> Object:
    """A Deployment with one container; ``spec`` replaces fields of its spec."""
    container = {"name": "web", "image": "example/web:1", "env": [{"name": "A", "value": "1"}]}
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}
    own = {"selector": {"matchLabels": {"app": name}}, "template": template, "replicas": 1}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": own | spec}


def config_map(name: str = "settings", **data: str) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data or {"a": "1"}}


def service(name: str = "web") -> Object:
    ports = [{"port": 80, "targetPort": 8080}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": ports},
    }


def definition(kind: str, group: str) -> Object:
    """A CustomResourceDefinition. It belongs to the whole cluster, so every test takes a group of its own."""
    plural = f"{kind.lower()}s"
    schema = {
        "type": "object",
        "properties": {
            "spec": {"type": "object", "properties": {"size": {"type": "integer"}}},
            "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        },
    }
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    version["subresources"] = {"status": {}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": plural, "singular": kind.lower(), "kind": kind},
            "versions": [version],
        },
    }
