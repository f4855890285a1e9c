"""One node for the whole run, with the images of the README's commands in it."""

import contextlib
import json
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..image.fixtures import missing
from .node import SCRIPT, Node

HOME = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "scorekit" / "cluster"
EXAMPLE = "alexioannides/seldon-ml-score-component:latest"


def script(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*SCRIPT, *arguments], capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def node() -> Iterator[Node]:
    """The node that runs already; else one that is started and, in the end, taken down without a trace."""
    if script("status").returncode == 0:
        yield Node()
        return
    can = script("status").stderr
    if "but could" not in can:
        missing(f"no Kubernetes node can run here: {can.strip()}")
    started = script("up")
    assert started.returncode == 0, started.stderr
    # A node that is killed must not keep the next one from starting, nor leave it anything.
    first = json.loads((HOME / "node.json").read_text())["pid"]
    os.kill(first, signal.SIGKILL)
    while Path(f"/proc/{first}").exists():
        time.sleep(0.05)
    started = script("up")
    assert started.returncode == 0, started.stderr
    try:
        yield Node()
    finally:
        ended = script("down")
        assert ended.returncode == 0, ended.stderr
        assert traces() == []


def traces() -> list[str]:
    """What a node has left behind: mounts, control groups, processes, files at fixed places."""
    found = [line for line in Path("/proc/mounts").read_text().splitlines() if f"{HOME}/" in line]
    found += [str(path) for path in Path("/sys/fs/cgroup").glob("**/kubepods")]
    found += [path for path in ("/var/lib/kubelet", "/var/lib/cni", "/var/log/containers") if Path(path).exists()]
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if str(HOME).encode() in (process / "cmdline").read_bytes():
                found.append((process / "cmdline").read_text())
    return found


def load_image(name: str) -> None:
    """Have the node hold an image of Docker's."""
    loaded = script("images", name)
    assert loaded.returncode == 0, loaded.stderr


@pytest.fixture(scope="session")
def component(node: Node, example: str) -> Iterator[str]:
    """The example's image, in the node under the name that its manifests have."""
    subprocess.run(["docker", "tag", example, EXAMPLE], check=True)
    try:
        load_image(EXAMPLE)
        yield EXAMPLE
    finally:
        subprocess.run(["docker", "image", "rm", EXAMPLE], capture_output=True, check=False)


@pytest.fixture
def namespace(node: Node) -> Iterator[str]:
    """A namespace that enforces the Pod Security standard `restricted`; it goes with all that is in it."""
    name = f"t-{secrets.token_hex(4)}"
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
    node.kubectl("apply", "-f", "-", text=json.dumps(manifest))
    try:
        yield name
    finally:
        node.kubectl("delete", "namespace", name, "--wait=false")
