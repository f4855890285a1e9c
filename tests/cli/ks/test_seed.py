"""The tutorial's commands, word for word (docs of the seed), on a machine without kubeconfig and network."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import files

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
    """Files, app.yaml and parameters; and the app renders."""
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
