"""One node for the whole run, with the images of the README's commands in it."""

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..image.conftest import (  # noqa: F401  fixtures: the images are built as those tests build them
    base,
    builder,
    engine,
    example,
    image_script,
    index_arguments,
    missing,
    pip_volume,
    s2i,
    s2i_build,
)
from .node import SCRIPT, Node

EXAMPLE = "alexioannides/seldon-ml-score-component:latest"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here is marked: it starts real processes, and needs the node."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.cluster)


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
    try:
        yield Node()
    finally:
        ended = script("down")
        assert ended.returncode == 0, ended.stderr
        assert traces() == []


def traces() -> list[str]:
    """What a node has left behind: mounts, control groups, processes, files at fixed places."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "scorekit" / "cluster"
    found = [line for line in Path("/proc/mounts").read_text().splitlines() if f"{cache}/" in line]
    found += [str(path) for path in Path("/sys/fs/cgroup").glob("**/kubepods")]
    found += [path for path in ("/var/lib/kubelet", "/var/lib/cni", "/var/log/containers") if Path(path).exists()]
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if str(cache).encode() in (process / "cmdline").read_bytes():
                found.append((process / "cmdline").read_text())
    return found


def load_image(name: str) -> None:
    """Have the node hold an image of Docker's."""
    loaded = script("images", name)
    assert loaded.returncode == 0, loaded.stderr


@pytest.fixture(scope="session")
def component(node: Node, example: str) -> Iterator[str]:  # noqa: F811
    """The example's image, in the node under the name that its manifests have."""
    subprocess.run(["docker", "tag", example, EXAMPLE], check=True)
    try:
        load_image(EXAMPLE)
        yield EXAMPLE
    finally:
        subprocess.run(["docker", "image", "rm", EXAMPLE], capture_output=True, check=False)


@pytest.fixture
def namespace(node: Node, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace that enforces the Pod Security standard `restricted`; it goes with all that is in it."""
    name = f"t-{abs(hash(request.node.nodeid)) % 10**8}"
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
    node.kubectl("apply", "-f", "-", text=json.dumps(manifest))
    try:
        yield name
    finally:
        node.kubectl("delete", "namespace", name, "--wait=false")
