"""The testers of seldon-core 1.17.1 against our server. They exit 0 whatever comes: what they print is the verdict."""

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import APP, COMPONENT, Command

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        importlib.util.find_spec("seldon_core") is None,
        reason="seldon-core 1.17.1 needs numpy<2, which has no wheels for this Python",
    ),
]

NAME = "test-seldon-ml-score-api"
WAYS = [
    pytest.param(endpoint, [*transport, *form], id="-".join([endpoint, *transport, *form]))
    for endpoint in ("predict", "send-feedback")
    for transport in ([], ["--grpc"])
    for form in ([], ["-t"], ["-b", "5", "-n", "3"])
]


def printed(command: str, port: int, *arguments: str) -> str:
    """What a stock tester prints."""
    tester = Path(sys.executable).parent / command
    line = [str(tester), str(COMPONENT / "contract.json"), "localhost", str(port), *arguments, "-p"]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def judge(output: str, endpoint: str, arguments: list[str]) -> None:
    """Every request was answered: a prediction by class probabilities, feedback by an empty array."""
    answers = output.split("RECEIVED RESPONSE:")[1:]
    assert len(answers) == (3 if "-n" in arguments else 1)
    for answer in answers:
        assert "FAILURE" not in answer
        assert "'status'" not in answer
        assert "Success:False" not in answer
        assert "virginica" in output if endpoint == "predict" else "data" in answer


@pytest.fixture(scope="module")
def served() -> Iterator[int]:
    """The port of our server with the example component."""
    command = Command("serve", str(COMPONENT), "--host", "127.0.0.1", "--http-port", "0")
    command.wait_for("serve.ready")
    yield int(command.output.split("address=http://127.0.0.1:")[1].split()[0])
    command.close()


@pytest.mark.parametrize(("endpoint", "arguments"), WAYS)
def test_the_component_tester_is_content(served: int, endpoint: str, arguments: list[str]) -> None:
    """seldon-core-tester against the component itself: REST and gRPC, on one port."""
    judge(printed("seldon-core-tester", served, "--endpoint", endpoint, *arguments), endpoint, arguments)


@pytest.fixture(scope="module")
def gateway() -> Iterator[int]:
    """The port of the gateway of a running app."""
    from ..ports import free_ports

    (port,) = free_ports("127.0.0.1", 1)
    command = Command("up", str(APP), "--port", str(port))
    command.wait_for("Ctrl-C stops everything")
    yield port
    command.close()


@pytest.mark.parametrize(("endpoint", "arguments"), WAYS)
@pytest.mark.parametrize("namespace", [[], ["--namespace", "seldon"]], ids=["bare", "namespaced"])
def test_the_api_tester_is_content(gateway: int, endpoint: str, arguments: list[str], namespace: list[str]) -> None:
    """seldon-core-api-tester through `scorekit up`, by both of Ambassador's ways, REST and gRPC."""
    output = printed("seldon-core-api-tester", gateway, NAME, "--endpoint", endpoint, *namespace, *arguments)
    judge(output, endpoint, arguments)


def test_the_api_tester_needs_no_gateway(served: int) -> None:
    """Directly it asks Seldon.Predict over gRPC; its REST path has a prefix that only a gateway takes away."""
    judge(printed("seldon-core-api-tester", served, "--grpc"), "predict", [])
