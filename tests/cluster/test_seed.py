"""The seed's first half on a real node: py-flask-ml-score-api/README.md, whose Kubernetes commands run word for word.

``<!-- test: node … -->`` marks a block that runs on the node; the word behind it is its place in the walk. Only
`minikube service NAME --url` is answered by a stand-in, for the node is not Minikube's: it prints the same address.
"""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..test_readme import Block, read_blocks
from .conftest import load_image
from .node import ROOT, Node

pytestmark = [pytest.mark.e2e, pytest.mark.cluster]

README = ROOT / "py-flask-ml-score-api" / "README.md"
BLOCKS = read_blocks(README.read_text())
NAME = "alexioannides/test-ml-score-api:latest"
MINIKUBE = """#!/bin/sh
[ "$1 $3" = "service --url" ] || { echo "only minikube service NAME --url is known here" >&2; exit 2; }
port=$(kubectl get service "$2" -o jsonpath='{.spec.ports[0].nodePort}')
address=$(kubectl get nodes -o jsonpath='{.items[0].status.addresses[?(@.type=="InternalIP")].address}')
echo "http://$address:$port"
"""


def block(argument: str, how: str = "node") -> Block:
    (found,) = (each for each in BLOCKS if each.how == how and each.argument == argument)
    return found


class Terminal:
    """Types blocks of the README into bash on the node, as a reader would."""

    def __init__(self, node: Node, folder: Path) -> None:
        self._node = node
        (folder / "minikube").write_text(MINIKUBE)
        (folder / "minikube").chmod(0o755)
        self._path = f"PATH={folder}:$PATH"

    def types(self, code: str, cwd: Path = ROOT) -> str:
        """What the commands print; each must succeed."""
        return self._node.said("bash", "-euo", "pipefail", "-c", f"export {self._path}\n{code}", cwd=cwd)

    def leaves_running(self, code: str) -> "subprocess.Popen[bytes]":
        """A command of another terminal."""
        argv = self._node.command("bash", "-c", f"exec {code.strip()}")
        return subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def asks(self, code: str) -> object:
        """The answer of the README's curl, which may have to wait until the address answers."""
        for _ in range(100):
            told = self._node.ran("bash", "-euo", "pipefail", "-c", f"export {self._path}\n{quiet(code)}")
            if told.returncode == 0:
                return json.loads(told.stdout)
            time.sleep(0.2)
        raise AssertionError(told.stdout)


def quiet(code: str) -> str:
    return code.replace("curl ", "curl --silent --show-error ", 1)


@pytest.fixture(scope="module")
def score_api(node: Node, base: str, index_arguments: list[str]) -> Iterator[str]:
    """The README's image, built from our base instead of the official one, and loaded into the node."""
    official = "python:3.12-slim-bookworm"
    build = ["docker", "build", "--build-arg", f"BASE_IMAGE={base}", *index_arguments, "--tag", NAME]
    subprocess.run([*build, "py-flask-ml-score-api"], cwd=ROOT, check=True, capture_output=True)
    assert official in (ROOT / "py-flask-ml-score-api" / "Dockerfile").read_text()
    load_image(NAME)
    yield NAME
    subprocess.run(["docker", "image", "rm", NAME], capture_output=True, check=False)


@pytest.fixture
def terminal(node: Node, tmp_path: Path) -> Terminal:
    return Terminal(node, tmp_path)


@pytest.mark.usefixtures("score_api")
def test_the_manifests_walk(terminal: Terminal) -> None:
    """Applied, forwarded to, asked, asked through the Service's port of the node, scaled and deleted."""
    terminal.types(block("context").code)
    assert "test-ml-score-api" in terminal.types(block("").code)
    forward = terminal.leaves_running(block("forward").code)
    try:
        assert terminal.asks(block("", "ask").code) == {"score": [1, 2]}
    finally:
        forward.terminate()
        forward.wait(20)
    assert terminal.asks(block("expose").code) == {"score": [1, 2]}
    assert terminal.types(block("scale").code).count("Running") == 2
    terminal.types(without_minikube(block("delete").code))


@pytest.mark.usefixtures("score_api")
def test_the_two_commands_walk(terminal: Terminal) -> None:
    """What `kubectl create deployment` and `kubectl expose` make answers as well."""
    terminal.types(block("again").code)
    try:
        terminal.types("kubectl rollout status deployment/test-ml-score-api --timeout=120s")
        assert terminal.asks(block("expose").code) == {"score": [1, 2]}
    finally:
        terminal.types(without_minikube(block("delete").code))


@pytest.mark.usefixtures("score_api")
def test_the_ksonnet_module(terminal: Terminal, tmp_path: Path) -> None:
    """The module of the ksonnet app is applied with --wait, runs, and goes again."""
    app = shutil.copytree(ROOT / "ksonnet-app", tmp_path / "ksonnet-app")
    printed = terminal.types(block("ks").code, cwd=app)
    assert "Deployment seldon/test-ml-score-api created" in printed
    assert "1/1" in printed


def without_minikube(code: str) -> str:
    return "\n".join(line for line in code.splitlines() if not line.startswith("minikube "))


def test_every_block_runs_or_says_why_not() -> None:
    """A skipped block has a reason, and no command that a node of ours could answer."""
    for each in BLOCKS:
        assert each.how in ("node", "docker", "ask", "end", "skip"), f"{README.name} line {each.line}"
        assert each.how != "skip" or each.argument, f"{README.name} line {each.line}"
