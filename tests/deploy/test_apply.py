"""`ks apply` against a real API server."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from scorekit.deploy.kube.client import Client
from scorekit.manifests.ownership import PRISTINE

from .cluster import ControlPlane, kubeconfig
from .conftest import KsApp, Kubectl, Object, config_map, definition, deployment, service
from .originals import by_ksonnet

pytestmark = pytest.mark.e2e


def managers(value: Object) -> set[tuple[str, str]]:
    return {(entry["manager"], entry["operation"]) for entry in value["metadata"]["managedFields"]}


def test_an_empty_namespace_gets_everything(app: KsApp, kubectl: Kubectl) -> None:
    """An apply creates all objects with labels, owned by `ks`, and prints nothing but the log."""
    app.component("web", service(), deployment())
    app.component("settings", config_map())
    ran = app.succeed("apply", "default")
    assert ran.out == ""
    assert f'msg="Creating non-existent deployments {app.namespace}.web"' in ran.err
    live = kubectl.json("get", "deployment", "web", "--show-managed-fields")
    assert managers(live) == {("ks", "Apply")}
    assert live["metadata"]["labels"] == {
        "ksonnet.io/component": "web",
        "app.kubernetes.io/deploy-manager": "ksonnet",
    }
    assert PRISTINE not in live["metadata"].get("annotations", {})
    assert kubectl("get", "cm,svc", "-l", "ksonnet.io/component", "-o", "name") == "configmap/settings\nservice/web\n"


def test_again_changes_nothing_and_differs_in_nothing(app: KsApp, kubectl: Kubectl) -> None:
    """A second apply reports "unchanged" and leaves every resource version; `diff` prints nothing and exits with 0."""
    app.component("web", service(), deployment(), config_map())
    app.succeed("apply", "default")
    before = kubectl("get", "cm,svc,deployment", "-o", "jsonpath={.items[*].metadata.resourceVersion}")
    ran = app.succeed("apply", "default")
    assert ran.err.count("unchanged") == 3
    assert kubectl("get", "cm,svc,deployment", "-o", "jsonpath={.items[*].metadata.resourceVersion}") == before
    assert app.succeed("diff", "default").out == ""


def test_a_change_changes_that_field_alone_and_a_removed_one_goes(app: KsApp, kubectl: Kubectl) -> None:
    """Fields of the source are set, fields that left it are removed, and fields that others added stay."""
    app.component("web", config_map(a="1", b="2"), deployment())
    app.succeed("apply", "default")
    kubectl("patch", "cm", "settings", "--type=merge", "-p", '{"data": {"theirs": "3"}}')
    app.component("web", config_map(a="9"), deployment())
    ran = app.succeed("apply", "default")
    assert "ConfigMap" in ran.err
    assert "changed: .data.a, .data.b" in ran.err
    assert kubectl.json("get", "cm", "settings")["data"] == {"a": "9", "theirs": "3"}


def test_a_conflict_is_shown_by_field_and_taken_only_when_asked(app: KsApp, kubectl: Kubectl) -> None:
    """A conflict shows the field, both values, its owner and the flag that overwrites it; other objects are applied."""
    app.component("web", deployment(), config_map())
    app.succeed("apply", "default")
    kubectl("scale", "deployment", "web", "--replicas=7")
    app.component("web", deployment(replicas=2), config_map(a="2"))
    ran = app.ks("apply", "default")
    assert ran.status == 1
    assert "  .spec.replicas: 2 here, 7 on the cluster; conflict with" in ran.err
    assert "--force-conflicts" in ran.err
    assert f"refused: Deployment {app.namespace}/web" in ran.err
    assert kubectl.json("get", "cm", "settings")["data"] == {"a": "2"}
    assert kubectl.json("get", "deployment", "web")["spec"]["replicas"] == 7
    app.succeed("apply", "default", "--force-conflicts")
    assert kubectl.json("get", "deployment", "web")["spec"]["replicas"] == 2


def test_a_refused_dry_run_does_not_say_that_anything_was_applied(app: KsApp, kubectl: Kubectl) -> None:
    """A refused dry run reports what would be applied and what is refused, and changes nothing."""
    app.component("web", deployment())
    app.succeed("apply", "default")
    kubectl("scale", "deployment", "web", "--replicas=7")
    app.component("web", deployment(replicas=2), config_map())
    ran = app.ks("apply", "default", "--dry-run")
    assert ran.status == 1
    assert f"not everything would be applied. would be applied: ConfigMap {app.namespace}/settings" in ran.err
    assert f"refused: Deployment {app.namespace}/web" in ran.err
    assert "this was a dry run; nothing was changed" in ran.err
    assert f"Creating non-existent configmaps {app.namespace}.settings (dry run)" in ran.err
    assert "run the command again" not in ran.err
    assert kubectl("get", "cm", "-l", "ksonnet.io/component", "-o", "name") == ""


def test_a_refused_login_asks_for_a_new_one(app: KsApp, plane: ControlPlane, tmp_path: Path) -> None:
    """An expired token gives one error that names the server and does not contain the token."""
    user = {"token": "an-expired-one"}
    (tmp_path / "config").write_text(kubeconfig(plane.server, plane.authority.certificate, user))
    app.component("web", config_map())
    for words in (["apply"], ["delete"], ["diff"], ["validate"]):
        ran = app.ks(*words, "default", "--kubeconfig", str(tmp_path / "config"))
        assert ran.status == 1
        [error] = ran.err.splitlines()
        assert f"Unauthorized: {plane.server} does not accept the credentials" in error
        assert user["token"] not in error


def test_invalid_base64_is_refused_at_once(app: KsApp) -> None:
    """Invalid base64 is not retried, although the server answers 500."""
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "key"}, "data": {"k": "not base64!"}}
    app.component("key", secret)
    ran = app.ks("apply", "default")
    assert ran.status == 1
    assert "illegal base64 data" in ran.err
    assert "retrying" not in ran.err


def test_a_secret_in_conflict_is_not_shown(app: KsApp, kubectl: Kubectl) -> None:
    """A Secret's values appear neither in a conflict nor in a diff."""
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "key"}, "data": {"k": "b3VycyE="}}
    app.component("key", secret)
    app.succeed("apply", "default")
    kubectl("patch", "secret", "key", "--type=merge", "-p", '{"data": {"k": "dGhlaXJz"}}')
    ran, shown = app.ks("apply", "default"), app.ks("diff", "default")
    assert ".data.k" in ran.err
    assert ".data.k" in shown.out
    for secret_text in ("b3VycyE=", "dGhlaXJz"):
        assert secret_text not in ran.err + shown.out


def test_ksonnet_objects_are_taken_over_in_place(app: KsApp, kubectl: Kubectl, client: Client) -> None:
    """ksonnet's objects keep their uid; what left the source and the annotation go, and what others set stays."""
    old = deployment(replicas=3, minReadySeconds=5)
    old["spec"]["template"]["spec"]["containers"][0]["env"].append({"name": "B", "value": "2"})
    uid = by_ksonnet(client, kubectl.namespace, old)["metadata"]["uid"]
    by_ksonnet(client, kubectl.namespace, config_map(a="1", b="2"))
    kubectl("annotate", "deployment", "web", "theirs=kept")
    app.component("web", deployment(replicas=3), config_map(a="1"))
    shown = app.ks("diff", "default")
    assert shown.status == 10
    assert "- .spec.minReadySeconds: 5" in shown.out
    dry = app.succeed("apply", "default", "--dry-run")
    assert "- .data.b: " in dry.out
    ran = app.succeed("apply", "default")
    assert f"taking Deployment {app.namespace}/web over from ksonnet" in ran.err
    live = kubectl.json("get", "deployment", "web", "--show-managed-fields")
    assert live["metadata"]["uid"] == uid
    assert "minReadySeconds" not in live["spec"]
    assert live["spec"]["template"]["spec"]["containers"][0]["env"] == [{"name": "A", "value": "1"}]
    assert live["metadata"]["annotations"] == {"theirs": "kept"}
    assert managers(live) == {("ks", "Apply"), ("kubectl-annotate", "Update")}
    assert kubectl.json("get", "cm", "settings")["data"] == {"a": "1"}
    assert app.succeed("diff", "default").out == ""
    assert "unchanged" in app.succeed("apply", "default").err


def without_environment() -> Object:
    template: Object = deployment()["spec"]["template"]
    del template["spec"]["containers"][0]["env"]
    return template


def test_a_renamed_ks_and_a_removed_version_are_taken_over_as_well(
    app: KsApp, kubectl: Kubectl, client: Client
) -> None:
    """The writer of ksonnet's annotation counts as ksonnet, also with fields in a version that is no longer served."""
    by_ksonnet(client, kubectl.namespace, deployment(minReadySeconds=5), "ks-0.13.1", "extensions/v1beta1")
    app.component("web", deployment())
    app.succeed("apply", "default")
    live = kubectl.json("get", "deployment", "web", "--show-managed-fields")
    assert "minReadySeconds" not in live["spec"]
    assert PRISTINE not in live["metadata"].get("annotations", {})
    assert ("ks", "Apply") in managers(live)
    app.component("web", deployment(template=without_environment()))
    app.succeed("apply", "default")
    container = kubectl.json("get", "deployment", "web")["spec"]["template"]["spec"]["containers"][0]
    assert "env" not in container
    assert app.succeed("diff", "default").out == ""


def test_pruning_takes_what_is_tagged_and_gone_and_made_by_ks(app: KsApp, kubectl: Kubectl) -> None:
    """An object with another tag, a strategy, an owner, a copied annotation or another maker is not pruned."""
    tag, strategy = "kubecfg.ksonnet.io/garbage-collect-tag", "kubecfg.ksonnet.io/garbage-collect-strategy"
    kept = config_map("kept")
    kept["metadata"]["annotations"] = {strategy: "ignore"}
    app.component("web", config_map("one"), kept, deployment())
    app.succeed("apply", "default", "--gc-tag", app.namespace)
    app.component("other", config_map("other"))
    app.succeed("apply", "default", "-c", "other", "--gc-tag", f"{app.namespace}-other")
    copied = config_map("copied")
    copied["metadata"]["annotations"] = {tag: app.namespace}
    kubectl.apply(copied)
    owner = kubectl.json("get", "deployment", "web")["metadata"]
    owned = config_map("owned")
    owned["metadata"] |= {"annotations": {tag: app.namespace}, "ownerReferences": [_owner(owner)]}
    kubectl.apply(owned, manager="ks")
    app.component("web", deployment())
    app.component("other")
    assert "removed" not in app.succeed("apply", "default", "--gc-tag", app.namespace, "--skip-gc").err
    dry = app.succeed("apply", "default", "--gc-tag", app.namespace, "--dry-run")
    assert f"ConfigMap {app.namespace}/one removed" in dry.out
    names = "jsonpath={.items[*].metadata.name}"
    assert kubectl("get", "cm", "-o", names) == "copied kept kube-root-ca.crt one other owned"
    ran = app.succeed("apply", "default", "--gc-tag", app.namespace)
    assert f"Garbage collecting configmaps {app.namespace}.one" in ran.err
    assert kubectl("get", "cm", "-o", names) == "copied kept kube-root-ca.crt other owned"
    assert kubectl("get", "deployment", "-o", names) == "web"
    assert app.succeed("diff", "default", "-c", "web").out == ""  # the tag is no difference


def _owner(metadata: Object) -> Object:
    own = {"apiVersion": "apps/v1", "kind": "Deployment", "name": metadata["name"], "uid": metadata["uid"]}
    return own | {"controller": True}


def test_pruning_a_component_leaves_the_others(app: KsApp, kubectl: Kubectl) -> None:
    """With -c only objects of that component are pruned."""
    app.component("one", config_map("one"), config_map("old"))
    app.component("two", config_map("two"))
    app.succeed("apply", "default", "--gc-tag", app.namespace)
    app.component("one", config_map("one"))
    app.succeed("apply", "default", "-c", "one", "--gc-tag", app.namespace)
    assert kubectl("get", "cm", "-l", "ksonnet.io/component", "-o", "name") == "configmap/one\nconfigmap/two\n"


def test_a_dry_run_prints_what_would_change_and_changes_nothing(app: KsApp, kubectl: Kubectl) -> None:
    """A dry run lists changed fields and new objects, also of a kind that the same run would define."""
    group = f"{app.namespace}.example.com"
    app.component("web", deployment())
    app.succeed("apply", "default")
    thing = {"apiVersion": f"{group}/v1", "kind": "Thing", "metadata": {"name": "t"}, "spec": {"size": 1}}
    app.component("web", deployment(replicas=4), config_map(), thing, definition("Thing", group))
    ran = app.succeed("apply", "default", "--dry-run")
    assert "- .spec.replicas: 1\n+ .spec.replicas: 4\n" in ran.out
    assert f"ConfigMap {app.namespace}/settings created\n" in ran.out
    assert f"Thing {app.namespace}/t created (not checked: the server does not serve" in ran.out
    assert kubectl.json("get", "deployment", "web")["spec"]["replicas"] == 1
    assert kubectl("get", "cm", "-l", "ksonnet.io/component", "-o", "name") == ""
    assert kubectl("get", "crd", "--ignore-not-found", f"things.{group}") == ""


def test_a_dry_run_is_refused_what_the_server_refuses(app: KsApp) -> None:
    """A dry run goes through the admission of the server."""
    broken = deployment()
    broken["spec"]["selector"] = {"matchLabels": {"app": "another"}}
    app.component("web", broken)
    ran = app.ks("apply", "default", "--dry-run")
    assert ran.status == 1
    assert "`selector` does not match template `labels`" in ran.err


def test_without_create_nothing_new_is_made(app: KsApp, kubectl: Kubectl) -> None:
    """--create=false updates objects that exist and refuses the others."""
    app.component("web", config_map("one", a="1"))
    app.succeed("apply", "default")
    app.component("web", config_map("one", a="2"), config_map("two"))
    ran = app.ks("apply", "default", "--create=false")
    assert ran.status == 1
    assert f"not creating non-existent object configmaps {app.namespace}.two" in ran.err
    assert kubectl.json("get", "cm", "one")["data"] == {"a": "2"}
    assert "NotFound" in kubectl.run("get", "cm", "two").stderr


def test_one_refused_object_keeps_no_other_back(app: KsApp, kubectl: Kubectl) -> None:
    """An unknown field is refused by name and not retried, although the server answers 500; the rest is applied."""
    app.component("web", config_map("a") | {"dat": {}}, config_map("b"))
    ran = app.ks("apply", "default")
    assert ran.status == 1
    assert ".dat: field not declared in schema" in ran.err
    assert "retrying" not in ran.err
    assert f"refused: ConfigMap {app.namespace}/a" in ran.err
    assert kubectl("get", "cm", "-l", "ksonnet.io/component", "-o", "name") == "configmap/b\n"


@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
def test_objects_of_a_refused_definition_are_refused_at_once(app: KsApp, kubectl: Kubectl, dry: list[str]) -> None:
    """Each object of the kind names the definition that was refused. Nothing is waited for, and the rest goes on."""
    group = f"refused{len(dry)}.example.com"
    broken = definition("Gadget", group)
    broken["metadata"]["name"] = f"another.{group}"  # it must be PLURAL.GROUP
    gadgets = [{"apiVersion": f"{group}/v1", "kind": "Gadget", "metadata": {"name": name}} for name in ("a", "b")]
    app.component("web", broken, *gadgets, config_map("c"))
    began = time.monotonic()
    ran = app.ks("apply", "default", *dry)
    assert ran.status == 1
    assert time.monotonic() - began < 30  # each object waited for 60 s
    why = f"the server does not serve this kind: CustomResourceDefinition another.{group} was refused, see above"
    assert ran.err.count(why) == 2
    assert f"Gadget {app.namespace}/b" in ran.err
    if not dry:
        assert kubectl("get", "cm", "c", "-o", "name") == "configmap/c\n"


def test_an_object_that_the_server_would_name_is_refused_with_the_reason(app: KsApp, kubectl: Kubectl) -> None:
    """generateName is named in the refusal, with what to do instead; the rest is applied."""
    job = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "run-"}, "data": {}}
    app.component("web", job, config_map("c"))
    ran = app.ks("apply", "default")
    assert ran.status == 1
    assert f"ConfigMap {app.namespace}/run-: generateName: 'run-' makes a new object at each run" in ran.err
    assert kubectl("get", "cm", "c", "-o", "name") == "configmap/c\n"


def test_one_component_alone(app: KsApp, kubectl: Kubectl) -> None:
    """-c applies one component alone, and an unknown name is an error."""
    app.component("one", config_map("one"))
    app.component("two", config_map("two"))
    app.succeed("apply", "default", "-c", "two")
    assert kubectl("get", "cm", "-l", "ksonnet.io/component", "-o", "name") == "configmap/two\n"
    ran = app.ks("apply", "default", "-c", "typo")
    assert ran.status == 1
    assert r"there is no component \"typo\"" in ran.err


def test_definitions_and_namespaces_go_first(app: KsApp, kubectl: Kubectl, client: Client) -> None:
    """Namespaces and definitions are applied before the objects that need them, in whatever order they are written."""
    group, other = f"{app.namespace}.example.com", f"{app.namespace}-more"
    thing: Any = {"apiVersion": f"{group}/v1", "kind": "Thing", "metadata": {"name": "t"}, "spec": {"size": 1}}
    elsewhere = config_map("elsewhere")
    elsewhere["metadata"]["namespace"] = other
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": other}}
    app.component("a", thing, elsewhere)
    app.component("b", definition("Thing", group), namespace)
    app.succeed("apply", "default")
    assert kubectl("get", f"things.{group}", "-o", "name") == f"thing.{group}/t\n"
    assert app.succeed("diff", "default").out == ""
    ran = app.succeed("delete", "default")
    order = [line for line in ran.err.splitlines() if "Deleting" in line]
    assert "things" in order[0]
    assert "namespaces" in order[-1]
    assert kubectl("get", "crd", "--ignore-not-found", f"things.{group}") == ""
    kind = client.resource("v1", "Namespace")
    assert kind
    assert client.get(kind, "", other) is None


def test_a_missing_namespace_is_told_with_what_to_do(app: KsApp) -> None:
    """An error about a missing namespace says how to create it."""
    app.component("web", config_map())
    ran = app.ks("apply", "default", "-n", "nowhere-at-all")
    assert ran.status == 1
    assert "kubectl create namespace nowhere-at-all" in ran.err


def test_removed_versions_are_named_with_their_replacement(app: KsApp, kubectl: Kubectl) -> None:
    """A kind in a removed version is refused with its replacement, and the rest is applied."""
    old = deployment("old") | {"apiVersion": "extensions/v1beta1"}
    app.component("web", old, config_map())
    ran = app.ks("apply", "default")
    assert ran.status == 1
    assert r"no matches for kind \"Deployment\" in version \"extensions/v1beta1\": Kubernetes 1.16" in ran.err
    assert "write apps/v1, which needs spec.selector" in ran.err
    assert kubectl("get", "cm", "settings", "-o", "name") == "configmap/settings\n"


def test_an_object_on_its_way_out_is_waited_for(app: KsApp, kubectl: Kubectl, client: Client) -> None:
    """An object that is being deleted is waited for and then created again."""
    import threading

    held = config_map()
    held["metadata"]["finalizers"] = ["example.com/hold"]
    kubectl.apply(held)
    kubectl("delete", "cm", "settings", "--wait=false")
    release = ("patch", "cm", "settings", "--type=merge", "-p", '{"metadata": {"finalizers": null}}')
    timer = threading.Timer(1.0, kubectl.run, release)
    timer.start()
    app.component("web", config_map())
    ran = app.succeed("apply", "default")
    timer.join()
    assert f"waiting until ConfigMap {app.namespace}/settings is deleted" in ran.err
    assert "deletionTimestamp" not in json.dumps(kubectl.json("get", "cm", "settings"))


def test_texts_of_a_secret_go_and_conflict_like_any_other_field(app: KsApp, kubectl: Kubectl) -> None:
    """A key that leaves `stringData` leaves the cluster, and a key that somebody else changed is a conflict."""
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "key"}}
    app.component("web", {**secret, "stringData": {"a": "one", "b": "two"}})
    app.succeed("apply", "default")
    app.component("web", {**secret, "stringData": {"a": "one"}})
    app.succeed("apply", "default")
    assert kubectl.json("get", "secret", "key")["data"] == {"a": "b25l"}
    assert app.succeed("diff", "default").out == ""
    kubectl("patch", "secret", "key", "--type=merge", "-p", '{"data": {"a": "dGhlaXJz"}}')
    ran = app.ks("apply", "default")
    assert ran.status == 1
    assert ".data.a" in ran.err
    assert kubectl.json("get", "secret", "key")["data"] == {"a": "dGhlaXJz"}


@pytest.mark.parametrize("word", ["apply", "diff", "validate", "delete"])
def test_one_object_of_two_components_is_refused(app: KsApp, kubectl: Kubectl, word: str) -> None:
    """An object that two components render is refused by every command, with both names, and nothing is sent."""
    app.component("one", config_map(a="1"))
    app.component("two", config_map(a="2"))
    ran = app.ks(word, "default")
    assert ran.status == 1
    assert 'ConfigMap settings is rendered twice, by component \\"one\\" and \\"two\\"' in ran.err
    assert kubectl("get", "cm", "settings", "--ignore-not-found") == ""
