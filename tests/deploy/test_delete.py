"""`ks delete` against a real API server: order, waiting, and what is told of what stays."""

from typing import Any

import pytest

from .conftest import KsApp, Kubectl, config_map, definition, deployment, service

pytestmark = pytest.mark.e2e


def test_nothing_of_ours_is_left(app: KsApp, kubectl: Kubectl) -> None:
    """All objects go, owned ones with them, in reverse order, and are gone when it returns; what is not ours stays."""
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


def test_what_stays_is_told_with_its_reason(app: KsApp, kubectl: Kubectl) -> None:
    """A finalizer that nobody takes off: exit 1 after --timeout, the object and the finalizer by name."""
    held = config_map()
    held["metadata"]["finalizers"] = ["example.com/hold"]
    app.component("web", held)
    app.succeed("apply", "default")
    ran = app.ks("delete", "default", "--timeout", "1s")
    assert ran.status == 1
    told = f"ConfigMap {app.namespace}/settings is not deleted after 1 s: blocked by the finalizer example.com/hold"
    assert told in ran.err
    kubectl("patch", "cm", "settings", "--type=merge", "-p", '{"metadata": {"finalizers": null}}')
    app.succeed("delete", "default")


def test_without_waiting_it_only_asks(app: KsApp, kubectl: Kubectl) -> None:
    """--wait=false returns at once; the object is on its way out."""
    held = config_map()
    held["metadata"]["finalizers"] = ["example.com/hold"]
    app.component("web", held)
    app.succeed("apply", "default")
    app.succeed("delete", "default", "--wait=false")
    assert "deletionTimestamp" in kubectl.json("get", "cm", "settings")["metadata"]
    kubectl("patch", "cm", "settings", "--type=merge", "-p", '{"metadata": {"finalizers": null}}')


def test_the_grace_period_reaches_the_server(app: KsApp, kubectl: Kubectl) -> None:
    """A pod on a node that nobody looks after is told how long it has."""
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
    """Deleting the definition of a kind would take everybody's objects of it: it is refused, and they are named."""
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


def test_a_version_that_is_gone_is_no_success(app: KsApp) -> None:
    """An object may be there by a version that is still served: saying "deleted" would be wrong."""
    app.component("old", deployment() | {"apiVersion": "extensions/v1beta1"})
    ran = app.ks("delete", "default")
    assert ran.status == 1
    assert "write apps/v1" in ran.err
