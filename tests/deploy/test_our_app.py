"""Our own app on a real API server."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from scorekit.cli import ks
from scorekit.cli.ks import render_app

from .conftest import Kubectl, Object

pytestmark = pytest.mark.e2e

APP = Path(__file__).parents[2] / "ksonnet-app"
ENVIRONMENT = "default"  # all render the same objects: tests/cli/ks/test_seed.py
RESTRICTED = '{"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}'


@pytest.fixture
def seldon(kubectl: Kubectl, kubeconfig: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The app's own namespace, because some of its objects belong to the whole cluster; returns the context."""
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    monkeypatch.chdir(APP)
    kubectl("create", "namespace", "seldon")
    yield kubectl("config", "current-context").strip()
    kubectl("delete", "namespace", "seldon")


def test_the_app_is_applied_whole_and_leaves_nothing(
    seldon: str, kubectl: Kubectl, capsys: pytest.CaptureFixture[str]
) -> None:
    """The app is valid, is applied without a difference afterwards, and leaves nothing when it is deleted."""
    objects = render_app(APP, ENVIRONMENT)
    for command in ("validate", "apply"):
        assert ks.main([command, ENVIRONMENT, "--context", seldon]) == 0, capsys.readouterr().err
    capsys.readouterr()
    assert ks.main(["diff", ENVIRONMENT, "--context", seldon]) == 0
    assert capsys.readouterr().out == ""
    kinds = ",".join(sorted({kind_of(each) for each in objects}))
    components = ",".join(sorted({each["metadata"]["labels"]["ksonnet.io/component"] for each in objects}))
    ours = ("get", kinds, "--all-namespaces", "-l", f"ksonnet.io/component in ({components})", "-o", "name")
    assert len(kubectl(*ours).splitlines()) == len(objects)
    assert ks.main(["delete", ENVIRONMENT, "--context", seldon]) == 0, capsys.readouterr().err
    left = kubectl.run(*ours)
    assert left.stdout == ""
    assert (
        kubectl("get", "all,cm,role,rolebinding,sa", "-n", "seldon", "-l", "ksonnet.io/component", "-o", "name") == ""
    )


def kind_of(value: Object) -> str:
    group = value["apiVersion"].rpartition("/")[0]
    return f"{value['kind']}.{group}".rstrip(".").lower()


def test_its_pods_pass_restricted_pod_security(kubectl: Kubectl) -> None:
    """The pods of every workload pass `restricted`, created as pods because a Deployment would only get a warning."""
    kubectl("patch", "namespace", kubectl.namespace, "-p", RESTRICTED)
    pods = dict(pod_templates(render_app(APP, ENVIRONMENT)))
    assert {"seldon-controller-manager", "seldon-core-ambassador", "test-seldon-ml-score-api"} <= set(pods)
    for account in {spec.get("serviceAccountName", "default") for spec in pods.values()} - {"default"}:
        kubectl("create", "serviceaccount", account)
    for name, spec in pods.items():
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}
        kubectl("create", "--dry-run=server", "-f", "-", given=json.dumps(pod))
    # That it is enforced, and that this test can fail:
    loose = {"containers": [{"name": "c", "image": "c"}]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "loose"}, "spec": loose}
    assert 'violates PodSecurity "restricted' in kubectl.run("create", "-f", "-", given=json.dumps(pod)).stderr


def pod_templates(objects: list[Object]) -> Iterator[tuple[str, Object]]:
    for value in objects:
        name, spec = value["metadata"]["name"], value.get("spec") or {}
        if "template" in spec:
            yield name, spec["template"]["spec"]
        if value["kind"] == "SeldonDeployment":
            for predictor in spec["predictors"]:
                for number, component in enumerate(predictor["componentSpecs"]):
                    yield name if number == 0 else f"{name}-{number}", component["spec"]
