"""`ks` with faults on the way to the API server, when it is killed, and without all rights."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scorekit.deploy.kube.client import Client
from scorekit.manifests.fields import changes, without_bookkeeping

from .cluster import ControlPlane
from .conftest import KsApp, Kubectl, Object, config_map, definition, deployment, service
from .originals import by_ksonnet
from .proxy import DROP_AFTER, DROP_BEFORE, Fault, ProxiedRequest, Proxy

pytestmark = pytest.mark.e2e

NOT_YET = 404
KILLS = 10
WITHIN_S = 120


def writes(*faults: Fault) -> Callable[[ProxiedRequest], Fault]:
    """Faults for the first writes of each object, one each."""

    def decide(request: ProxiedRequest) -> Fault:
        is_write = request.method in ("PATCH", "DELETE")
        return faults[request.attempt - 1] if is_write and request.attempt <= len(faults) else None

    return decide


@pytest.mark.parametrize(
    "faults",
    [(409, DROP_BEFORE), (429, 500), (503, DROP_AFTER)],
    ids=["conflict and drop", "overload and error", "away and lost answer"],
)
def test_what_passes_is_tried_again(way: Proxy, app: KsApp, kubectl: Kubectl, faults: tuple[Fault, ...]) -> None:
    """Apply and delete succeed through 409, 429, 5xx and connections that end before or after the request arrived."""
    app.component("web", config_map(), service())
    way.decide = writes(*faults)
    ran = app.succeed("apply", "default")
    assert ran.err.count("retrying in") == 4
    assert kubectl("get", "cm,svc", "-l", "ksonnet.io/component", "-o", "name") == "configmap/settings\nservice/web\n"
    app.succeed("delete", "default")
    assert kubectl("get", "cm,svc", "-l", "ksonnet.io/component", "-o", "name") == ""


def test_lost_reads_are_retried(way: Proxy, app: KsApp) -> None:
    """A diff succeeds although the first try of each read fails."""
    app.component("web", config_map())
    app.succeed("apply", "default")
    way.decide = lambda request: DROP_BEFORE if request.attempt == 1 and "configmaps" in request.path else None
    assert app.succeed("diff", "default", "-c", "web").out == ""


def test_the_limit_ends_it_and_says_how_far_it_got(way: Proxy, app: KsApp, kubectl: Kubectl) -> None:
    """After --retry-for the run ends with a report in three parts, and a rerun completes it."""
    app.component("web", config_map("a"), config_map("b"), config_map("c"))
    way.decide = lambda request: 503 if request.method == "PATCH" and request.path.endswith("/b") else None
    ran = app.ks("apply", "default", "--retry-for", "1s")
    assert ran.status == 1
    assert "503 on purpose (after" in ran.err
    name = app.namespace
    assert f"not everything was applied. applied: ConfigMap {name}/a" in ran.err
    assert f"refused: ConfigMap {name}/b" in ran.err
    assert f"not done: ConfigMap {name}/c" in ran.err
    assert "run the command again to complete it" in ran.err
    way.decide = lambda request: None
    app.succeed("apply", "default")
    assert kubectl("get", "cm", "-l", "ksonnet.io/component", "-o", "jsonpath={.items[*].metadata.name}") == "a b c"


def test_an_address_without_an_answer_is_named_soon(
    app: KsApp, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An address that does not answer is named in the error."""
    app.component("web", config_map())
    ran = app.ks("apply", "default", "--context", "", "--server", "http://127.0.0.1:9", "--retry-for", "1s")
    assert ran.status == 1
    assert "no answer from http://127.0.0.1:9" in ran.err


def test_a_definition_that_takes_its_time_is_waited_for(way: Proxy, app: KsApp, kubectl: Kubectl) -> None:
    """Objects of a new kind are applied once the server serves it, even if that takes a while."""
    group = f"{app.namespace}.example.com"
    thing: Any = {"apiVersion": f"{group}/v1", "kind": "Thing", "metadata": {"name": "t"}, "spec": {"size": 1}}
    app.component("web", definition("Thing", group), thing)

    def decide(request: ProxiedRequest) -> Fault:
        # Discovery of the new group fails as it does while a server has not caught up yet.
        return NOT_YET if request.path == f"/apis/{group}/v1" and request.attempt < 6 else None

    way.decide = decide
    ran = app.succeed("apply", "default")
    assert "waiting until the server serves Thing" in ran.err
    assert sum(request.path == f"/apis/{group}/v1" for request in way.requests) >= 6
    assert kubectl("get", f"things.{group}", "-o", "name") == f"thing.{group}/t\n"


def test_someone_without_all_rights_applies_what_they_may(
    plane: ControlPlane, app: KsApp, kubectl: Kubectl, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forbidden objects are refused, the others applied, and pruning skips kinds that may not be listed."""
    rules = [
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["*"]},
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get"]},
    ]
    meta = {"name": "half"}
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": meta, "rules": rules}
    subject = {"kind": "User", "name": "half", "apiGroup": "rbac.authorization.k8s.io"}
    reference = {"kind": "Role", "name": "half", "apiGroup": "rbac.authorization.k8s.io"}
    binding = {**role, "kind": "RoleBinding", "subjects": [subject], "roleRef": reference}
    del binding["rules"]
    kubectl.apply(role, binding)
    monkeypatch.setenv("KUBECONFIG", str(plane.kubeconfig_of("half")))
    app.component("web", deployment(), config_map(), service())
    ran = app.ks("apply", "default")
    assert ran.status == 1
    assert r"User \"half\" cannot patch resource \"deployments\"" in ran.err
    assert r"User \"half\" cannot get resource \"services\"" in ran.err
    assert f"applied: ConfigMap {app.namespace}/settings" in ran.err
    assert kubectl("get", "cm", "settings", "-o", "name") == "configmap/settings\n"
    app.component("web", config_map())
    ran = app.succeed("apply", "default", "--gc-tag", "half")
    assert "are not searched" in ran.err


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_an_interrupted_run_says_how_far_it_got(way: Proxy, app: KsApp, stop: signal.Signals) -> None:
    """Ctrl-C and SIGTERM end a run with status 130 and a report in three parts, and a rerun completes it."""
    app.component("web", config_map("a"), config_map("b"), config_map("c"))
    process: list[subprocess.Popen[str]] = []
    started = threading.Event()

    def decide(request: ProxiedRequest) -> Fault:
        if request.method == "PATCH" and request.path.endswith("/b"):
            started.wait(WITHIN_S)
            process[0].send_signal(stop)
            return 503
        return None

    way.decide = decide
    process.append(apply_command(app, way.kubeconfig))
    started.set()
    _, err = process[0].communicate(timeout=WITHIN_S)
    assert process[0].returncode == 130, err
    assert f"interrupted. applied: ConfigMap {app.namespace}/a" in err
    assert f"not done: ConfigMap {app.namespace}/b, ConfigMap {app.namespace}/c" in err
    way.decide = lambda request: None
    app.succeed("apply", "default")


def apply_command(app: KsApp, kubeconfig: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "scorekit.cli.ks", "apply", "default", "--dir", str(app.folder)],
        env=os.environ | {"KUBECONFIG": str(kubeconfig)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_killed_at_any_moment_a_rerun_completes_it(way: Proxy, app: KsApp, kubectl: Kubectl, client: Client) -> None:
    """After a kill at any of ten random requests, a rerun leaves the objects as a run without a kill does."""
    seed = os.environ.get("KILL_SEED") or str(random.SystemRandom().randrange(10**6))
    chance, killed, tried = random.Random(seed), 0, 0  # noqa: S311
    peace = Trial(app, kubectl, client, "peace", way)
    app.succeed(*peace.command)
    total = len(way.requests)
    in_peace = peace.end_state()
    while killed < KILLS:
        tried += 1
        assert tried < 3 * KILLS
        moment, is_after = chance.randint(1, total), chance.random() < 0.5
        trial = Trial(app, kubectl, client, f"kill{tried}", way)
        if not trial.killed(moment, is_after):
            continue  # it had to ask less often than the first for its new kind, and was done before that request
        killed += 1
        trial.rerun()
        message = f"KILL_SEED={seed}: killed {'after' if is_after else 'before'} request {moment} of {total}"
        differences = [
            change for one, other in zip(in_peace, trial.end_state(), strict=True) for change in changes(one, other)
        ]
        assert not differences, message


class Trial:
    """A namespace with objects of ksonnet's to take over, and an app whose ``ks apply`` is killed."""

    def __init__(self, app: KsApp, kubectl: Kubectl, client: Client, name: str, way: Proxy) -> None:
        self._app, self._kubectl, self._way = app, kubectl, way
        self._direct = ["--kubeconfig", str(kubectl.kubeconfig)]
        self.namespace, self.group = f"{kubectl.namespace}-{name}", f"{name}.{kubectl.namespace}.example.com"
        thing: Any = {"apiVersion": f"{self.group}/v1", "kind": "Thing", "metadata": {"name": "t"}, "spec": {"size": 1}}
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}}
        kubectl("create", "namespace", self.namespace)
        by_ksonnet(client, self.namespace, config_map("old", a="1", b="2"))
        by_ksonnet(client, self.namespace, deployment("web", minReadySeconds=5), "ks", "extensions/v1beta1")
        app.component("web", space, config_map("old", a="1"), deployment(), definition("Thing", self.group), thing)
        way.requests.clear()

    @property
    def command(self) -> list[str]:
        return ["apply", "default", "-n", self.namespace]

    def rerun(self) -> None:
        self._app.succeed(*self.command, *self._direct)

    def killed(self, moment: int, is_after: bool) -> bool:
        """Run it until that request and kill it; False if it ended before."""
        process = subprocess.Popen(
            [sys.executable, "-m", "scorekit.cli.ks", "--dir", str(self._app.folder), *self.command],
            env=os.environ | {"KUBECONFIG": str(self._way.kubeconfig)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

        def before(request: ProxiedRequest) -> Fault:
            if request.number != moment or is_after:
                return None
            process.kill()
            return DROP_BEFORE

        def after(request: ProxiedRequest) -> None:
            if request.number == moment:
                process.kill()

        self._way.decide, self._way.after = before, after
        process.wait(WITHIN_S)
        self._way.decide, self._way.after = lambda request: None, lambda request: None
        assert process.returncode in (0, -signal.SIGKILL)
        return process.returncode != 0

    def end_state(self) -> list[Object]:
        """All objects without what differs in every run; a diff must find nothing to do."""
        assert self._app.succeed("diff", "default", "-n", self.namespace, *self._direct).out == ""
        shown = ("-n", self.namespace, "--show-managed-fields")
        listed = [
            self._kubectl.json("get", f"deployment,cm,things.{self.group}", *shown),
            self._kubectl.json("get", f"crd/things.{self.group}", *shown),
        ]
        self._kubectl("delete", "namespace", self.namespace, "--wait=false")
        objects = [_comparable(each) for one in listed for each in one.get("items", [one])]
        text = json.dumps([each for each in objects if each["metadata"]["name"] != "kube-root-ca.crt"])
        state: list[Object] = json.loads(text.replace(self.group, "GROUP").replace(self.namespace, "NAMESPACE"))
        return state


def _comparable(value: Object) -> Object:
    """The fields that must be the same, and the owners of fields by name."""
    entries = [
        {key: child for key, child in entry.items() if key != "time"} for entry in value["metadata"]["managedFields"]
    ]
    owners = {f"{entry['manager']} {entry['operation']} {entry.get('subresource', '')}": entry for entry in entries}
    return without_bookkeeping(value) | {"owners": owners}
