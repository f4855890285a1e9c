"""The image of a component, made by s2i, run as in the tutorial and with all restrictions of a careful cluster."""

import concurrent.futures
import json
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ..test_readme import BLOCKS
from .engine import HARDENED, Container, ask, beside, component, get, in_place_of, inspected, output_of, until, writable
from .fixtures import HIDDEN, document_commands

pytestmark = pytest.mark.e2e

CONTRACT = "contract.json"
ECHO = "class Mine:\n    def predict(self, X, names): return X\n"

Run = Callable[..., Container]


@pytest.fixture(scope="module")
def hardened(example: str) -> Iterator[Container]:
    container = Container(example, *HARDENED)
    yield container.serving()
    container.remove()


def test_the_documented_commands_end_in_the_tester_passing(example: str, run: Run) -> None:
    """The third command of docs/image.md starts the image, and the stock tester gets its answer."""
    command = shlex.split(document_commands()[2])
    assert command[:2] == ["docker", "run"]
    assert command[-3:] == ["5000:5000", "-d", "alexioannides/seldon-ml-score-component"]
    container = run(example).serving()
    (block,) = (each for each in BLOCKS["docs/image.md"] if "seldon-core-tester" in each.code and " 5000 " in each.code)
    tester = shlex.split(block.code.replace(" 5000 ", f" {container.port(5000)} "))
    tester[0] = str(beside("seldon-core-tester"))
    if not beside("seldon-core-tester").exists():
        pytest.skip("seldon-core 1.17.1 needs numpy<2, which has no wheels for this Python")
    for output in (output_of(*tester), output_of(*tester, "--grpc")):
        assert "RECEIVED RESPONSE" in output
        assert '"setosa"' in output
        assert "code: " not in output


def test_it_keeps_its_contract_under_all_restrictions(hardened: Container) -> None:
    """Read-only, without rights, as an unknown user: all laws hold on ports 5000 and 9000, over REST and gRPC."""
    for port in (5000, 9000):
        url = f"http://127.0.0.1:{hardened.port(port)}"
        judged = output_of(
            beside("scorekit"), "test", CONTRACT, url, "--grpc-port", str(hardened.port(port)), "-n", "5"
        )
        assert "all held" in judged
        assert "REST = gRPC" in judged


def test_it_is_found_healthy_and_has_metrics(hardened: Container) -> None:
    """Docker's health check becomes healthy, and port 6000 has the metrics for Prometheus."""
    assert "seldon_api" in get(hardened.port(6000), "/metrics")
    assert hardened.inside("/s2i/bin/health").returncode == 0
    until(lambda: hardened.state["Health"]["Status"] == "healthy", lambda: json.dumps(hardened.state["Health"]))


def test_nobody_can_write_in_it(example: str) -> None:
    """Even if the root filesystem is not read-only, neither the sources nor the packages can be changed."""
    for user in ("8888:0", "12345:0"):
        assert writable(example, user) == []


def test_its_ports_are_those_that_the_operator_sets(example: str, run: Run) -> None:
    """The operator's variables set the ports and the path of the metrics."""
    variables = {"HTTP_SERVICE_PORT": "9001", "GRPC_SERVICE_PORT": "9501", "METRICS_SERVICE_PORT": "6001"}
    variables["METRICS_ENDPOINT"] = "/prometheus"
    flags = [flag for name, value in variables.items() for flag in ("-e", f"PREDICTIVE_UNIT_{name}={value}")]
    container = run(
        example, *flags, "-p", "127.0.0.1::9001", "-p", "127.0.0.1::9501", "-p", "127.0.0.1::6001"
    ).serving()
    for port in (9001, 9501):
        assert ask("127.0.0.1", container.port(port), [[1, 1]])["data"]["names"][0] == "setosa"
    assert "seldon_api" in get(container.port(6001), "/prometheus")
    assert container.inside("/s2i/bin/health").returncode == 0


def test_it_adds_little_to_its_base_and_its_packages(example: str, base: str) -> None:
    """The image is at most 60 MB larger than its base and the component's own requirements."""
    packages = int(output_of("docker", "run", "--rm", example, "du", "-sb", "/opt/component").split()[0])
    assert inspected(example)["Size"] - inspected(base)["Size"] - packages <= 60_000_000


def test_its_build_leaves_no_trace_of_the_index(example: str) -> None:
    """The pip.conf that was mounted for the build is in no file, no variable and no step of the image's history."""
    assert HIDDEN not in json.dumps(inspected(example)) + output_of("docker", "history", "--no-trunc", example)
    looked = f"grep -rlsF {HIDDEN} /opt /microservice /tmp /run /etc /s2i; cat /run/secrets/* 2>/dev/null; true"
    assert output_of("docker", "run", "--rm", "--user", "0", example, "sh", "-c", looked) == ""


def test_sigterm_lets_what_is_asked_be_answered(example: str, run: Run, tmp_path: Path) -> None:
    """After SIGTERM under load, the container answers every accepted request and ends with status 0."""
    source = (
        "import time\nclass Mine:\n    def predict(self, X, names):\n        print('asked', flush=True)\n"
        "        time.sleep(0.4)\n        return X\n"
    )
    container = run(example, *HARDENED, *in_place_of(component(tmp_path / "slow", source))).serving()
    address = container.address
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(ask, address, 5000, [[at]]) for at in range(8)]
        container.wait_for("asked")
        until(lambda: container.logs().count("asked") >= 2, container.logs)
        assert container.stop() == 0
        assert [each.result()["data"]["ndarray"] for each in asked] == [[[at]] for at in range(8)]
    assert "Traceback" not in container.logs()


def test_sigterm_ends_a_model_that_still_loads(example: str, run: Run, tmp_path: Path) -> None:
    """SIGTERM while the model loads ends the server at once, without a kill after the grace period."""
    source = (
        "import time\nclass Mine:\n    def __init__(self):\n        print('loading', flush=True); time.sleep(600)\n"
    )
    container = run(example, *in_place_of(component(tmp_path / "long", source))).wait_for("loading")
    assert container.stop() == 0


def test_its_first_process_takes_in_orphans(example: str, run: Run, tmp_path: Path) -> None:
    """Processes that a model's children leave behind do not stay as zombies."""
    source = (
        "import os, subprocess\nclass Mine:\n    def predict(self, X, names):\n"
        "        subprocess.run(['sh', '-c', 'sleep 0.1 & sleep 0.1 & exit 0'])\n        return X\n"
    )
    container = run(example, *HARDENED, *in_place_of(component(tmp_path / "parent", source))).serving()
    for _ in range(5):
        ask("127.0.0.1", container.port(5000), [[1]])
    states = "cat /proc/[0-9]*/stat 2>/dev/null"

    def zombies() -> list[str]:
        rows = container.inside("sh", "-c", states).stdout.splitlines()
        return [row for row in rows if row.rpartition(")")[2].split()[0] == "Z"]

    def sleeping() -> list[str]:
        return [row for row in container.inside("sh", "-c", states).stdout.splitlines() if "(sleep)" in row]

    until(lambda: not sleeping() and not zombies(), lambda: str(zombies() or sleeping()))
    first = container.inside("cat", "/proc/1/cmdline").stdout
    assert "/s2i/bin/run" in first


def test_running_out_of_memory_is_reported(example: str, run: Run, tmp_path: Path) -> None:
    """If the model needs more memory than the container has, it ends with a sentence that names the limit."""
    source = "class Mine:\n    def __init__(self):\n        self.weights = [bytearray(1 << 20) for _ in range(4000)]\n"
    flags = ["--memory", "160m", "--memory-swap", "160m"]
    container = run(example, *flags, *in_place_of(component(tmp_path / "large", source)))
    assert container.ended() == 1
    last = container.logs().splitlines()[-1]
    ended = "the worker ended by SIGKILL (perhaps out of memory; the limit is 160 MiB)"
    assert last == f"scorekit: {ended} while it imported and constructed the model"


@pytest.mark.parametrize(
    ("flags", "status", "sentence"),
    [
        (["-e", "MODEL_NAME=mlmodel"], 1, "there is no module mlmodel for MODEL_NAME=mlmodel"),
        (["-e", "SERVER=stock"], 1, "SERVER is 'stock'; it must be scorekit or seldon-core"),
        (["-e", "PREDICTIVE_UNIT_HTTP_SERVICE_PORT=$(id)"], 1, "must be a whole number from 0 to 65535"),
        (["-e", "SERVER=seldon-core"], 1, "No module named"),
    ],
)
def test_what_cannot_be_served_is_a_sentence(
    example: str, run: Run, flags: list[str], status: int, sentence: str
) -> None:
    """A container that cannot serve ends at once, and its last line says why."""
    container = run(example, *flags)
    assert container.ended() == status
    assert sentence in container.logs().splitlines()[-1]


def test_before_run_is_run_before(example: str, run: Run, tmp_path: Path) -> None:
    """An executable `before-run` runs first, as with the stock builder; if it fails, nothing is served."""
    folder = component(tmp_path / "hook", ECHO, before_run="#!/bin/sh\necho hooked\nexit $HOOK\n")
    (folder / "before_run").rename(folder / "before-run").chmod(0o755)
    container = run(example, "-e", "HOOK=0", *in_place_of(folder)).serving()
    assert container.logs().startswith("hooked\n")
    failed = run(example, "-e", "HOOK=3", *in_place_of(folder))
    assert failed.ended() == 1
    assert failed.logs().splitlines()[-1] == "run: before-run ended with status 3"


def test_a_started_container_answers_soon(example: str, run: Run) -> None:
    """A start compiles and downloads nothing: packages and sources are compiled in the image."""
    container = run(example, "--network", "none", *HARDENED).serving()
    looked = "find /opt/component /microservice -name '*.py' | wc -l; find /opt /microservice -name '*.pyc' | wc -l"
    sources, compiled = map(int, container.inside("sh", "-c", looked).stdout.split())
    assert compiled >= 0.95 * sources
