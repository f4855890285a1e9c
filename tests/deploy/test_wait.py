"""`ks apply --wait`, with the status written by the tests instead of controllers and Seldon's operator."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scorekit.cli.ks import render_app
from scorekit.deploy.kube.client import MERGE_PATCH, Client

from .conftest import KsApp, Kubectl, Object, deployment
from .proxy import ProxiedRequest, Proxy

pytestmark = pytest.mark.e2e

APP = Path(__file__).parents[2] / "ksonnet-app"
WITHIN_S = 60


@pytest.fixture
def status(client: Client, kubectl: Kubectl) -> Callable[..., None]:
    """A function that writes an object's status, as its controller would."""

    def write(api_version: str, kind: str, name: str, **fields: Any) -> None:
        resource = client.resource(api_version, kind)
        assert resource
        path = f"{resource.path(kubectl.namespace, name)}/status"
        body = {"apiVersion": api_version, "kind": kind, "status": fields}
        client.request("PATCH", path, body=body, content_type=MERGE_PATCH)

    return write


def available(replicas: int, generation: int = 1) -> Object:
    counts = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
    return {"observedGeneration": generation} | dict.fromkeys(counts, replicas)


def in_steps(way: Proxy, resource: str, *steps: Callable[[], None]) -> None:
    """After the apply, do one step after each time that `ks` reads the object, so that it sees them all."""
    todo, is_applied = iter(steps), False

    def after(request: ProxiedRequest) -> None:
        nonlocal is_applied
        if not request.path.endswith(f"/{resource}"):
            return
        if is_applied and request.method == "GET":
            next(todo, lambda: None)()
        is_applied = is_applied or request.method == "PATCH"

    way.after = after


def test_it_waits_until_all_replicas_are_available(app: KsApp, way: Proxy, status: Callable[..., None]) -> None:
    """The wait reports each step of the rollout and ends with exit status 0 when it is complete."""
    app.component("web", deployment(replicas=2))
    in_steps(
        way,
        "deployments/web",
        lambda: status("apps/v1", "Deployment", "web", observedGeneration=1, replicas=2, updatedReplicas=2),
        lambda: status("apps/v1", "Deployment", "web", **available(1) | {"replicas": 2, "updatedReplicas": 2}),
        lambda: status("apps/v1", "Deployment", "web", **available(2)),
    )
    ran = app.succeed("apply", "default", "--wait")
    name = f"Deployment {app.namespace}/web"
    steps_shown = ["its controller has not seen it yet", "0 of 2 available", "1 of 2 available"]
    assert [words for words in steps_shown if f"waiting for {name}: {words}" in ran.err] == steps_shown
    assert f"{name} is ready" in ran.err


def test_a_late_rollout_is_named(app: KsApp) -> None:
    """After --timeout the error names the object and how far it is, and the exit status is 1."""
    app.component("web", deployment())
    ran = app.ks("apply", "default", "--wait", "--timeout", "1s")
    assert ran.status == 1
    assert f"Deployment {app.namespace}/web is not ready after 1 s: its controller has not seen it yet" in ran.err


def test_a_rollout_that_failed_ends_it_at_once(app: KsApp, way: Proxy, status: Callable[..., None]) -> None:
    """A rollout whose progress deadline is exceeded ends the wait at once."""
    app.component("web", deployment())
    gone = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "no image"}
    in_steps(
        way,
        "deployments/web",
        lambda: status("apps/v1", "Deployment", "web", observedGeneration=1, conditions=[gone]),
    )
    ran = app.ks("apply", "default", "--wait", "--timeout", "10m")
    assert ran.status == 1
    assert f"Deployment {app.namespace}/web failed: no image" in ran.err


@pytest.fixture
def seldon(kubectl: Kubectl) -> Iterator[None]:
    """Defines Seldon's kind on the cluster, as our own app does."""
    name = "seldondeployments.machinelearning.seldon.io"
    kubectl.apply(*(each for each in render_app(APP, "default") if each["metadata"]["name"] == name))
    kubectl("wait", "--for=condition=Established", f"crd/{name}")
    yield
    kubectl("delete", "seldondeployments", "--all")
    kubectl("delete", "crd", name)


@pytest.mark.usefixtures("seldon")
@pytest.mark.parametrize(("state", "exit_status"), [("Available", 0), ("Failed", 1)])
def test_a_seldon_deployment_is_waited_for(
    app: KsApp, way: Proxy, status: Callable[..., None], state: str, exit_status: int
) -> None:
    """Creating is waited for, Available ends the wait with success, and Failed with an error."""
    api_version = "machinelearning.seldon.io/v1"
    _, model = render_app(APP, "default", ["test-seldon-ml-score-api"])
    app.component("model", model | {"apiVersion": api_version, "metadata": {"name": "m"}})
    seen = {"observedGeneration": 1}
    parts = {"m-0": {"replicas": 2, "availableReplicas": 1}}
    in_steps(
        way,
        "seldondeployments/m",
        lambda: status(api_version, "SeldonDeployment", "m", state="Creating", deploymentStatus=parts, **seen),
        lambda: status(api_version, "SeldonDeployment", "m", state=state, description="the operator's words", **seen),
    )
    ran = app.ks("apply", "default", "--wait")
    assert ran.status == exit_status
    assert ("is ready" if state == "Available" else "failed: Failed, the operator's words") in ran.err


def test_a_terminal_has_one_line_that_changes(app: KsApp) -> None:
    """On a terminal the pending objects are one line, which is cleared before the log goes on."""
    app.component("web", deployment())
    main, other = pty.openpty()
    fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
    command = [sys.executable, "-m", "scorekit.cli.ks", "--dir", str(app.folder), "apply", "default"]
    done = subprocess.run([*command, "--wait", "--timeout", "1s"], stderr=other, timeout=WITHIN_S, check=False)
    os.close(other)
    text = os.read(main, 65536).decode()
    os.close(main)
    assert done.returncode == 1
    line = f"waiting for Deployment {app.namespace}/web: its controller has not seen it yet"[:59]
    assert f"\r\x1b[K{line}\r\x1b[Klevel=error" in text


def test_objects_without_a_rollout_are_not_waited_for(app: KsApp, tmp_path: Path) -> None:
    """Objects without a rollout are not waited for."""
    app.component("web", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}})
    ran = app.succeed("apply", "default", "--wait", "--timeout", "1s")
    assert "waiting" not in ran.err
