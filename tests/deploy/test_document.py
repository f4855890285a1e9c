"""The commands of docs/kubernetes.md work, in the order of the document, on a real API server.

``<!-- test: run -->`` runs in a copy of ``ksonnet-app``, with or without a word for the reader on which cluster it is
needed. Statuses are written where controllers and Seldon's operator would.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from scorekit.deploy.kube.client import MERGE_PATCH, Client
from scorekit.errors import ScorekitError

from ..test_readme import Block, read_blocks
from .cluster import ControlPlane, tool

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "kubernetes.md"
BLOCKS = read_blocks(DOCUMENT.read_text())
NAMESPACE = "seldon"
ACCOUNT = '"$(gcloud config get account)"'
# kubectl commands that only nodes or a load balancer can answer.
BEYOND = ("port-forward", "cluster-info", "rename-context", "loadBalancer")
WITHIN_S = 180


def test_every_block_runs_or_says_why_not() -> None:
    """Each shell block runs, or is skipped for a reason and has no command that an API server can answer."""
    assert len(BLOCKS) > 15
    for block in BLOCKS:
        assert block.how in ("run", "skip"), f"docs/kubernetes.md line {block.line}: run, run gke or skip REASON"
        if block.how == "skip":
            assert block.argument
            for line in block.code.replace("\\\n", " ").splitlines():
                asks = line.startswith(("ks ", "kubectl ")) or "$(kubectl" in line
                assert not asks or any(word in line for word in BEYOND), f"this can run: {line}"


@pytest.fixture
def folder(plane: ControlPlane, tmp_path: Path) -> Path:
    """A copy of the app, beside a kubeconfig with the contexts of both clusters."""
    config = json.loads(plane.kubeconfig.read_text())
    (context,) = config["contexts"]
    config["contexts"] = [context | {"name": name} for name in ("minikube", "gke")]
    config["current-context"] = "gke"  # as get-credentials leaves it
    (tmp_path / "kubeconfig").write_text(json.dumps(config))
    (tmp_path / "seldon-ml-score-component").symlink_to(ROOT / "seldon-ml-score-component")
    return shutil.copytree(ROOT / "ksonnet-app", tmp_path / "ksonnet-app")


@pytest.fixture
def controllers(client: Client) -> Iterator[None]:
    """Writes a good status to everything that is applied to the namespace, as controllers would."""
    done = threading.Event()

    def write(api_version: str, name: str) -> None:
        kind = client.resource(api_version, name)
        for listed in client.list_metadata(kind, NAMESPACE) if kind else ():
            assert kind
            live = client.get(kind, NAMESPACE, listed["metadata"]["name"])
            if live is None:
                continue
            replicas = live["spec"].get("replicas", 1)
            counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), replicas)
            status = {"state": "Available"} if name == "SeldonDeployment" else counts
            status = status | {"observedGeneration": live["metadata"]["generation"]}
            path = f"{kind.path(NAMESPACE, live['metadata']['name'])}/status"
            client.request("PATCH", path, body={"status": status}, content_type=MERGE_PATCH)

    def run() -> None:
        while not done.wait(0.3):
            for api_version, name in (("apps/v1", "Deployment"), ("machinelearning.seldon.io/v1", "SeldonDeployment")):
                try:
                    write(api_version, name)
                except ScorekitError:
                    continue  # it went while we looked

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield
    done.set()
    thread.join(WITHIN_S)


@pytest.mark.e2e
@pytest.mark.usefixtures("controllers")
def test_the_walk(folder: Path) -> None:
    """Every command succeeds, from an empty cluster to a canary and back to an empty cluster."""
    path = os.pathsep.join([str(Path(sys.executable).parent), str(tool("kubectl").parent), os.environ["PATH"]])
    environ = os.environ | {"KUBECONFIG": str(folder.parent / "kubeconfig"), "PATH": path}
    printed = {}
    for block in BLOCKS:
        if block.how == "run":
            printed[block.line] = run(block, folder, environ)
    everything = "\n".join(printed.values())
    assert "SeldonDeployment seldon/test-seldon-ml-score-api created" in everything
    assert '+ .spec.predictors[name="default"].replicas: 2' in everything
    assert "90 10" in everything


def run(block: Block, folder: Path, environ: dict[str, str]) -> str:
    code = block.code.replace(ACCOUNT, "ann@example.com")
    command = ["bash", "-euo", "pipefail", "-c", code]
    done = subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, text=True, timeout=WITHIN_S, check=False
    )
    assert done.returncode == 0, f"docs/kubernetes.md line {block.line}\n{code}\n{done.stdout}{done.stderr}"
    return done.stdout
