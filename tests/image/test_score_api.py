"""The Flask image, built, started and called by the commands of its README, which are the tutorial's."""

import json
import re
import shlex
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ..test_readme import Block, read_blocks
from .engine import HARDENED, ROOT, Container, inspected, listens, output_of, ran, until

pytestmark = pytest.mark.e2e

OFFICIAL = "python:3.12-slim-bookworm"
NAME = "alexioannides/test-ml-score-api"
BLOCKS = read_blocks((ROOT / "py-flask-ml-score-api" / "README.md").read_text())


def block(how: str) -> Block:
    (block,) = (each for each in BLOCKS if each.how == how)
    return block


@pytest.fixture(scope="module")
def image(base: str, index_arguments: list[str]) -> Iterator[str]:
    """Builds the image by the README's command, from our base under the official base's name if that one is missing."""
    ours = ran("docker", "image", "inspect", OFFICIAL).returncode != 0
    if ours:
        output_of("docker", "tag", base, OFFICIAL)
    command = shlex.split(block("docker").code.splitlines()[0])
    assert " ".join(command) == f"docker build --tag {NAME} py-flask-ml-score-api"
    try:
        output_of(*command, *(index_arguments if len(index_arguments) > 2 else []))
        yield NAME
    finally:
        ran("docker", "image", "rm", NAME)
        if ours:
            ran("docker", "image", "rm", OFFICIAL)


def asked(port: int) -> Any:
    code = block("ask").code.replace("localhost:5000", f"127.0.0.1:{port}")
    return json.loads(output_of("bash", "-c", code.replace("curl ", "curl --silent --show-error ", 1)))


def test_the_readmes_steps_end_in_the_seeds_answer(image: str) -> None:
    """The README's commands run, list, call, stop and remove the container; only name and port are the test's own."""
    _, run, listed = block("docker").code.splitlines()
    started = run.replace("test-api ", "scorekit-test-api ").replace("5000:5000", "127.0.0.1::5000")
    ran("docker", "rm", "--force", "scorekit-test-api")
    output_of(*shlex.split(started))
    try:
        port = int(output_of("docker", "port", "scorekit-test-api", "5000").split(":")[-1])
        until(lambda: listens(port) and "Listening at" in ran("docker", "logs", "scorekit-test-api").stdout, lambda: "")
        assert "scorekit-test-api" in output_of(*shlex.split(listed))
        answer = block("ask").answer
        assert answer is not None
        assert asked(port) == json.loads(answer)
    finally:
        for line in block("end").code.splitlines():
            output_of(*shlex.split(line.replace("test-api", "scorekit-test-api")))


def test_it_runs_under_all_restrictions(image: str, base: str, run: Callable[..., Container]) -> None:
    """Read-only, without rights, as an unknown user, it answers and refuses; it is small and ends on SIGTERM."""
    container = run(image, *HARDENED).wait_for("Listening at")
    until(lambda: "Booting worker" in container.logs(), container.logs)
    assert asked(container.port(5000)) == {"score": [1, 2]}
    refused = output_of(
        *("curl", "--silent", "--data", "{}", "--write-out", "%{http_code}"),
        f"http://127.0.0.1:{container.port(5000)}/score",
    )
    assert re.fullmatch(r'\{"error":".*X.* is missing; there is nothing"\}\s*400', refused)
    until(lambda: container.state["Health"]["Status"] == "healthy", lambda: json.dumps(container.state["Health"]))
    assert inspected(image)["Config"]["User"] == "8888:0"
    assert container.inside("sh", "-c", "ls /opt/api/lib/*/site-packages | grep -c ^pip").stdout.strip() == "0"
    assert inspected(image)["Size"] - inspected(base)["Size"] < 20_000_000
    assert container.stop() == 0
