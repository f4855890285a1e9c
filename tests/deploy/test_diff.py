"""`ks diff` and `ks validate` against a real API server."""

import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .conftest import KsApp, Kubectl, config_map, definition, deployment

pytestmark = pytest.mark.e2e


def test_drift_is_seen_by_field(app: KsApp, kubectl: Kubectl) -> None:
    """A field that somebody changed on the cluster is shown with both values."""
    app.component("web", deployment(), config_map(a="1"))
    app.succeed("apply", "default")
    kubectl("set", "image", "deployment/web", "web=example/web:2")
    ran = app.ks("diff", "default")
    assert ran.status == 10
    assert ran.out == (
        "--- remote:default\n+++ local:default\n\n"
        f"Deployment {app.namespace}/web\n"
        '- .spec.template.spec.containers[name="web"].image: "example/web:2"\n'
        '+ .spec.template.spec.containers[name="web"].image: "example/web:1"\n'
    )
    turned = app.ks("diff", "local:default", "remote:default")
    assert '+ .spec.template.spec.containers[name="web"].image: "example/web:2"' in turned.out


def test_objects_on_one_side_only(app: KsApp, kubectl: Kubectl) -> None:
    """Objects on one side only are listed, but not objects that `ks` never applied."""
    app.component("old", config_map("old"))
    app.component("web", config_map("web"))
    app.succeed("apply", "default")
    theirs = config_map("theirs")
    theirs["metadata"]["labels"] = {"app.kubernetes.io/deploy-manager": "ksonnet", "ksonnet.io/component": "web"}
    kubectl.apply(theirs)
    app.component("old")
    app.component("new", config_map("new"))
    ran = app.ks("diff", "default")
    assert ran.status == 10
    assert f"ConfigMap {app.namespace}/new\n+ only in local:default\n" in ran.out
    assert f"ConfigMap {app.namespace}/old\n- only in remote:default\n" in ran.out
    assert "theirs" not in ran.out
    assert app.succeed("diff", "default", "-c", "web").out == ""


def test_environments_are_compared(app: KsApp, kubectl: Kubectl) -> None:
    """Any two sides can be compared, and each environment's own namespace is no difference."""
    second = f"{app.namespace}-b"
    kubectl("create", "namespace", second)
    text = (app.folder / "app.yaml").read_text()
    other = text.partition("environments:\n")[2].replace("default:", "b:").replace("path: default", "path: b")
    app.write("app.yaml", text + other.replace(f"namespace: {app.namespace}", f"namespace: {second}"))
    for name in ("main.jsonnet", "params.libsonnet", "globals.libsonnet"):
        app.write(f"environments/b/{name}", (app.folder / "environments/default" / name).read_text())
    app.write("environments/b/main.jsonnet", 'import "base.libsonnet"')
    app.component("web", config_map(a="1"))
    for side in ("default", "b"):
        app.succeed("apply", side)
    for pair in (("default", "b"), ("remote:default", "remote:b"), ("remote:default", "local:b")):
        assert app.succeed("diff", *pair).out == ""
    app.write("environments/b/main.jsonnet", '(import "base.libsonnet") + {web+: {data+: {a: "2"}}}')
    assert '- .data.a: "1"\n+ .data.a: "2"\n' in app.ks("diff", "default", "b").out
    app.succeed("apply", "b")
    crossed = app.ks("diff", "remote:default", "remote:b")
    assert crossed.status == 10
    assert '- .data.a: "1"\n+ .data.a: "2"\n' in crossed.out
    kubectl("delete", "namespace", second, "--wait=false")


def test_a_bad_location_gets_ksonnets_message(app: KsApp) -> None:
    """A location other than local: or remote: is an error with exit status 1."""
    for given in ("nowhere:default", "local:", ":default"):
        ran = app.ks("diff", given, "default")
        assert ran.status == 1
        assert "invalid location. format is destination:environment or environment" in ran.err


def test_colours_are_for_a_terminal(app: KsApp, kubeconfig: Path) -> None:
    """Lines are coloured on a terminal, unless NO_COLOR is set."""
    app.component("web", config_map())
    plain = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    for environ, is_coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
        main, other = pty.openpty()
        command = [sys.executable, "-m", "scorekit.cli.ks", "--dir", str(app.folder), "diff", "default"]
        done = subprocess.run(command, stdout=other, env=plain | environ, timeout=120, check=False)
        os.close(other)
        text = os.read(main, 65536).decode()
        os.close(main)
        assert done.returncode == 10
        assert ("\x1b[32m+ only in local:default\x1b[0m" in text) == is_coloured


def test_valid_objects_pass(app: KsApp) -> None:
    """Valid objects pass, also of a kind that only the source defines, and nothing is written."""
    group = f"{app.namespace}.example.com"
    thing = {"apiVersion": f"{group}/v1", "kind": "Thing", "metadata": {"name": "t"}, "spec": {"size": 1}}
    app.component("web", deployment(minReadySeconds=None), config_map(), definition("Thing", group), thing)
    ran = app.succeed("validate", "default")
    assert f'msg="Validating deployments {app.namespace}.web"' in ran.err
    assert app.ks("diff", "default").out.count("only in local") == 4


def test_every_error_names_its_field(app: KsApp) -> None:
    """Unknown and missing fields, wrong types and removed versions are named, and the exit status is 1."""
    group = f"{app.namespace}.example.com"
    thing = {"apiVersion": f"{group}/v1", "kind": "Thing", "metadata": {"name": "t"}, "spec": {"size": "big"}}
    wrong: Any = deployment(replicas="two", replica=1)
    del wrong["spec"]["selector"]
    old = deployment("old") | {"apiVersion": "apps/v1beta1"}
    app.component("web", wrong, old, definition("Thing", group), thing, config_map())
    ran = app.ks("validate", "default")
    assert ran.status == 1
    for sentence in (
        f"Error in deployments {app.namespace}.web: validation failure list:",
        r".spec.replicas: expected a whole number, got the string \"two\"",
        ".spec.replica: no such field; did you mean replicas?",
        ".spec.selector: this field is required",
        r".spec.size: expected a whole number, got the string \"big\"",
        "Kubernetes 1.16 removed it (the server has v1.31",
        "validation failed: 3 of 5 objects",
    ):
        assert sentence in ran.err
