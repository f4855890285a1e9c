"""The tutorial's own commands, without kubeconfig and network, and our app, which they made."""

import os
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Run, files

ROOT = Path(__file__).parents[3]
APP = ROOT / "ksonnet-app"
PACKAGE = ROOT / "src/scorekit/builtin/registries/seldon-core/seldon-core"

# Two blocks of the tutorial, with `ks apply` left out: it needs a cluster.
COMMANDS = r"""
ks init seldon-ksonnet-ml-score-app --api-spec=version:v1.8.0

cd seldon-ksonnet-ml-score-app && \
    ks registry add seldon-core github.com/SeldonIO/seldon-core/tree/master/seldon-core && \
    ks pkg install seldon-core/seldon-core@master && \
    ks generate seldon-core seldon-core \
    --withApife=false \
    --withAmbassador=true \
    --withRbac=true \
    --singleNamespace=true \
    --namespace=seldon

ks generate seldon-serve-simple-v1alpha2 test-seldon-ml-score-api --image alexioannides/seldon-ml-score-component
"""
APP_YAML = """apiVersion: 0.3.0
environments:
  default:
    destination:
      namespace: default
      server: https://localhost:6443
    k8sVersion: v1.8.0
    path: default
kind: ksonnet.io/app
libraries:
  seldon-core/seldon-core:
    name: seldon-core
    registry: seldon-core
    version: 1.17.1
name: seldon-ksonnet-ml-score-app
registries:
  incubator:
    protocol: github
    uri: github.com/ksonnet/parts/tree/master/incubator
  seldon-core:
    protocol: github
    uri: github.com/SeldonIO/seldon-core/tree/master/seldon-core
version: 0.0.1
"""


@pytest.mark.e2e
def test_the_tutorials_commands_leave_the_tree_that_ksonnet_leaves(tmp_path: Path) -> None:
    """Files, app.yaml and parameters are ksonnet's, and the app renders."""
    bins = tmp_path / "bin"
    bins.mkdir()
    command = f'#!/bin/sh\nexec "{sys.executable}" -m scorekit.cli.ks "$@"\n'
    (bins / "ks").write_text(command)
    (bins / "ks").chmod(0o755)
    environment = {
        "PATH": f"{bins}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "PYTHONPATH": str(Path(__file__).parents[3] / "src"),
        # Whoever asks the network gets no answer.
        **dict.fromkeys(("http_proxy", "https_proxy", "HTTPS_PROXY"), "http://127.0.0.1:9"),
        "KS_GITHUB_API": "http://127.0.0.1:9",
    }

    def run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    done = run(COMMANDS, tmp_path)
    app = tmp_path / "seldon-ksonnet-ml-score-app"
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert [line.split(" ", 1)[0] for line in done.stderr.splitlines()] == ["level=warning", *["level=info"] * 4]
    assert done.stderr.endswith(
        f"level=info msg=\"Writing component at '{app}/components/test-seldon-ml-score-api.jsonnet'\"\n"
    )

    found = files(app)
    assert found["app.yaml"] == APP_YAML
    vendored = {path for path in found if path.startswith("vendor/seldon-core/seldon-core@1.17.1/")}
    assert {"parts.yaml", "core.libsonnet", "prototypes/core.jsonnet"} <= {path.split("/", 3)[3] for path in vendored}
    assert set(found) - vendored == {
        ".gitignore",
        ".ksonnet/registries/seldon-core/registry.yaml",
        "app.yaml",
        "components/params.libsonnet",
        "components/seldon-core.jsonnet",
        "components/test-seldon-ml-score-api.jsonnet",
        "environments/base.libsonnet",
        *(f"environments/default/{name}" for name in ("globals.libsonnet", "main.jsonnet", "params.libsonnet")),
    }
    params = found["components/params.libsonnet"]
    for line in ('    "seldon-core": {\n', '      withApife: "false",\n', '      namespace: "seldon",\n'):
        assert line in params
    assert '    "test-seldon-ml-score-api": {\n' in params
    assert '      image: "alexioannides/seldon-ml-score-component",\n' in params

    shown = run("ks show default", app)
    assert shown.returncode == 0, shown.stderr
    kinds = {line.removeprefix("kind: ") for line in shown.stdout.splitlines() if line.startswith("kind: ")}
    assert {"CustomResourceDefinition", "Deployment", "SeldonDeployment", "ServiceAccount"} <= kinds


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes a test fail that looks up a name or connects."""

    def reached(*arguments: object, **named: object) -> None:
        raise AssertionError(f"the network was asked: {arguments} {named}")

    monkeypatch.setattr(socket, "getaddrinfo", reached)
    monkeypatch.setattr(socket.socket, "connect", reached)


@pytest.mark.usefixtures("no_network")
def test_the_tutorials_commands_ask_no_network(ks: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No name is looked up and no connection is made; the package comes from the wheel, byte for byte."""
    monkeypatch.chdir(tmp_path)
    for command in COMMANDS.replace("\\\n", " ").replace("&&", "\n").split("\n"):
        if command.strip():
            word, *arguments = shlex.split(command)
            if word == "cd":
                monkeypatch.chdir(arguments[0])
            else:
                assert ks(*arguments).status == 0
    assert files(Path("vendor/seldon-core/seldon-core@1.17.1")) == files(PACKAGE)
    shown = ks("show", "default")
    assert shown.out.split("\n").count("---") == 18
    model = ks("show", "default", "-c", "test-seldon-ml-score-api").out
    assert "---\napiVersion: machinelearning.seldon.io/v1alpha2\nkind: SeldonDeployment\n" in model


@pytest.mark.e2e
def test_our_app_is_what_its_script_makes(tmp_path: Path) -> None:
    """`script/regenerate-app` runs the tutorial's commands and gives the committed files, without a network."""
    script = (ROOT / "script/regenerate-app").read_text()
    assert all(f"\n{block}\n" in script for block in COMMANDS.strip().split("\n\n"))
    shut = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    made = tmp_path / "app"
    done = subprocess.run(
        [ROOT / "script/regenerate-app", made], env={**os.environ, **shut}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    committed = files(APP)
    assert committed.pop("images.yaml").startswith("# For `scorekit up`")
    ignored = (".ks_environment", "app.override.yaml", "lib/", ".ksonnet/registries/", "components/score-api/")
    assert {name: text for name, text in committed.items() if not name.startswith(ignored)} == files(made)


@pytest.mark.e2e
def test_the_script_does_not_write_over_a_folder(tmp_path: Path) -> None:
    """A folder that is named must not exist."""
    (tmp_path / "file").write_text("kept")
    done = subprocess.run([ROOT / "script/regenerate-app", tmp_path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        1,
        f"regenerate-app: {tmp_path} exists already; name a new folder\n",
    )
    assert (tmp_path / "file").read_text() == "kept"


def test_all_environments_of_our_app_render_alike(ks: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the destination of the environments differs; minikube and gke are contexts of kubectl."""
    monkeypatch.chdir(APP)
    shown = ks("show", "default")
    assert shown.status == 0
    assert ks("show", "minikube") == shown
    assert ks("show", "gke") == shown
    listed = ks("env", "list").out
    assert [line.split() for line in listed.splitlines()[2:]] == [
        ["default", "v1.8.0", "seldon", "https://localhost:6443"],
        ["gke", "v1.8.0", "seldon", "context:gke"],
        ["minikube", "v1.8.0", "seldon", "context:minikube"],
    ]
