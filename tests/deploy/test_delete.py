"""`ks delete` against a real API server: its order, its waiting, and its reasons for what stays."""

from typing import Any

import pytest

from .conftest import KsApp, Kubectl, config_map, definition, deployment, service

pytestmark = pytest.mark.e2e


def test_nothing_of_ours_is_left(app: KsApp, kubectl: Kubectl) -> None:
    """All objects and what they own are gone when it returns, in reverse order; objects of others stay."""
    app.component("web", service(), deployment(), config_map())
    app.succeed("apply", "default")
    owner = kubectl.json("get", "deployment", "web")["metadata"]
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": owner["uid"]}
    child: Any = {**deployment("web-1"), "kind": "ReplicaSet"}
    child["metadata"]["ownerReferences"] = [{**reference, "controller": True, "blockOwnerDeletion": True}]
    kubectl.apply(child, config_map("theirs"))
    ran = app.succeed("delete", "default")
    assert ran.out == ""
    deleted = [line.split('msg="')[1].split()[1] for line in ran.err.splitlines() if "Deleting" in line]
    assert deleted == ["deployments", "services", "configmaps"]
    assert kubectl("get", "deployment,rs,svc", "-o", "name") == ""
    assert "configmap/theirs" in kubectl("get", "cm", "-o", "name")
    assert app.ks("diff", "default").status == 10
    again = app.succeed("delete", "default")  # nothing there is no fault
    assert again.err.count("Deleting") == 3


def test_what_stays_is_named_with_its_reason(app: KsApp, kubectl: Kubectl) -> None:
    """An object that a finalizer keeps is named with the finalizer after --timeout, and the exit status is 1."""
    held = config_map()
    held["metadata"]["finalizers"] = ["example.com/hold"]
    app.component("web", held)
    app.succeed("apply", "default")
    ran = app.ks("delete", "default", "--timeout", "1s")
    assert ran.status == 1
    message = f"ConfigMap {app.namespace}/settings is not deleted after 1 s: blocked by the finalizer example.com/hold"
    assert message in ran.err
    kubectl("patch", "cm", "settings", "--type=merge", "-p", '{"metadata": {"finalizers": null}}')
    app.succeed("delete", "default")


def test_without_waiting_it_only_asks(app: KsApp, kubectl: Kubectl) -> None:
    """--wait=false returns as soon as the deletion is requested."""
    held = config_map()
    held["metadata"]["finalizers"] = ["example.com/hold"]
    app.component("web", held)
    app.succeed("apply", "default")
    app.succeed("delete", "default", "--wait=false")
    assert "deletionTimestamp" in kubectl.json("get", "cm", "settings")["metadata"]
    kubectl("patch", "cm", "settings", "--type=merge", "-p", '{"metadata": {"finalizers": null}}')


def test_the_grace_period_reaches_the_server(app: KsApp, kubectl: Kubectl) -> None:
    """--grace-period reaches a pod."""
    pod: Any = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": {"nodeName": "nowhere", "containers": [{"name": "c", "image": "example/c"}]},
    }
    app.component("p", pod)
    app.succeed("apply", "default")
    app.succeed("delete", "default", "--grace-period", "7", "--wait=false")
    assert kubectl.json("get", "pod", "p")["metadata"]["deletionGracePeriodSeconds"] == 7
    kubectl("delete", "pod", "p", "--grace-period=0", "--force")


def test_a_definition_whose_objects_are_others_stays(app: KsApp, kubectl: Kubectl) -> None:
    """A definition is not deleted while objects of its kind exist, and they are named."""
    group = f"{app.namespace}.example.com"
    app.component("kinds", definition("Thing", group))
    app.succeed("apply", "default")
    thing = {"apiVersion": f"{group}/v1", "kind": "Thing", "metadata": {"name": "theirs"}, "spec": {"size": 1}}
    kubectl.apply(thing)
    ran = app.ks("delete", "default")
    assert ran.status == 1
    assert (
        f"the objects of this kind would be deleted with it: Thing {app.namespace}/theirs; delete them first" in ran.err
    )
    kubectl("delete", f"things.{group}", "theirs")
    app.succeed("delete", "default")
    assert kubectl("get", "crd", "--ignore-not-found", f"things.{group}") == ""


def test_a_removed_version_is_an_error(app: KsApp) -> None:
    """An object in a removed version is an error, because it may exist in a version that is still served."""
    app.component("old", deployment() | {"apiVersion": "extensions/v1beta1"})
    ran = app.ks("delete", "default")
    assert ran.status == 1
    assert "write apps/v1" in ran.err
