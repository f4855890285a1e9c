"""`scorekit test` against real servers, each of a component with one planted fault."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from ..ports import free_ports
from .conftest import COMPONENT, Command

pytestmark = pytest.mark.e2e

CONTRACT = {
    "features": [
        {"name": "size", "ftype": "continuous", "dtype": "FLOAT", "range": [0, 10]},
        {"name": "colour", "ftype": "categorical", "values": [0, 1, 2]},
    ],
    "targets": [
        {"name": "low", "ftype": "continuous", "dtype": "FLOAT", "range": [0, 1]},
        {"name": "high", "ftype": "continuous", "dtype": "FLOAT", "range": [0, 1]},
    ],
}
HEALTHY = """
import numpy as np
class Planted:
    seen = 0.0
    def predict(self, X, names, meta=None):
        X = np.asarray(X, dtype=float).reshape(-1, 2)
        p = X[:, 0] / 10
        out = np.column_stack([1 - p, p])
        {fault}
        return out
"""
FAULTS = {
    "target count": "out = out[:, :1]",
    "finite numbers": "out[X[:, 1] == 2] = np.nan",
    "batch = single rows": "out = out[:, ::-1] if len(X) > 1 else out",
    "empty batch": "assert len(X), 'no rows'",
    "no memory": "last, self.seen = self.seen, float(p.sum()); out = out * (1 - 1e-3 * min(last, 10))",
    "target range": "out = out + (X[:, [0]] > 9.5)",
}
ALSO = {"no memory": ("determinism",)}
"""The laws that a fault breaks besides its own."""


def served(start: Callable[..., Command], port: int, folder: Path, fault: str) -> None:
    (folder / "contract.json").write_text(json.dumps(CONTRACT, indent=1))
    (folder / "Planted.py").write_text(HEALTHY.replace("{fault}", fault))
    start("serve", "Planted", "--host", "127.0.0.1", "--http-port", str(port), cwd=folder).wait_for("serve.ready")


def verdicts_of(start: Callable[..., Command], port: int, folder: Path, *more: str) -> tuple[int, dict[str, str]]:
    """The exit status, and the verdict of each law."""
    url = f"http://127.0.0.1:{port}"
    command = start("test", "contract.json", url, "--json", "out.json", "--max-examples", "20", *more, cwd=folder)
    status = command.ended()
    (server,) = json.loads((folder / "out.json").read_text())["servers"]
    return status, {law["law"]: law["verdict"] for law in server["laws"]}


@pytest.mark.parametrize("law", FAULTS)
def test_a_planted_fault_is_found_by_its_law(
    start: Callable[..., Command], port: int, tmp_path: Path, law: str
) -> None:
    """The status is 1, only the law that the fault breaks is broken, and its saved case breaks it again."""
    served(start, port, tmp_path, FAULTS[law])
    status, verdicts = verdicts_of(start, port, tmp_path)
    assert status == 1
    assert {name for name, verdict in verdicts.items() if verdict == "broken"} == {law, *ALSO.get(law, ())}, verdicts
    saved = f"scorekit-cases/{law.replace(' ', '-').replace('=', 'is')}.json"
    assert start("test", "contract.json", f"127.0.0.1:{port}", "--replay", saved, cwd=tmp_path).ended() == 1


def test_a_planted_fault_is_found_over_grpc(start: Callable[..., Command], port: int, tmp_path: Path) -> None:
    """A NaN, which gRPC can carry and JSON cannot, is found over gRPC too."""
    served(start, port, tmp_path, FAULTS["finite numbers"])
    status, verdicts = verdicts_of(start, port, tmp_path, "--grpc", "--phases", "examples")
    assert (status, verdicts["finite numbers"], verdicts["answered"]) == (1, "broken", "held")


def test_a_component_without_faults_passes(start: Callable[..., Command], port: int, tmp_path: Path) -> None:
    """Without a fault every law holds, but for that about the contract, which may not be judged."""
    served(start, port, tmp_path, "")
    status, verdicts = verdicts_of(start, port, tmp_path)
    assert status == 0, verdicts
    assert verdicts.pop("contract refused").startswith(("held", "not judged"))
    assert set(verdicts.values()) == {"held"}


@pytest.mark.parametrize("flags", [[], ["--grpc"]])
def test_the_example_component_keeps_its_contract(
    start: Callable[..., Command], port: int, tmp_path: Path, flags: list[str]
) -> None:
    """The example component keeps every law in every phase, over either protocol."""
    start("serve", str(COMPONENT), "--host", "127.0.0.1", "--http-port", str(port)).wait_for("serve.ready")
    (tmp_path / "contract.json").write_text((COMPONENT / "contract.json").read_text())
    status, verdicts = verdicts_of(start, port, tmp_path, *flags)
    assert status == 0, verdicts
    assert verdicts.pop("contract refused").startswith(("held", "not judged"))
    assert set(verdicts.values()) == {"held"}


@pytest.mark.parametrize("flags", [[], ["--grpc"], ["-t"], ["--grpc", "-t"]])
@pytest.mark.parametrize("endpoint", ["predict", "send-feedback", "transform-input"])
def test_the_stock_form_tests_our_server(serving: int, tmp_path: Path, flags: list[str], endpoint: str) -> None:
    """The arguments of seldon-core-tester work for every endpoint, over both protocols and in both forms."""
    assert stock_form(tmp_path, serving, endpoint, *flags)


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a server that several tests share."""
    (port,) = free_ports("127.0.0.1", 1)
    server = Command("serve", str(COMPONENT), "--host", "127.0.0.1", "--http-port", str(port))
    try:
        server.wait_for("serve.ready")
        yield port
    finally:
        server.stop()
        assert server.process.stdout is not None
        server.process.stdout.close()


def stock_form(folder: Path, port: int, endpoint: str, *flags: str) -> bool:
    """Whether -n 2 -b 2 -p prints two requests with their answers; fails unless the status is 0."""
    (folder / "contract.json").write_text((COMPONENT / "contract.json").read_text())
    command = [
        sys.executable,
        "-m",
        "scorekit",
        "test",
        "contract.json",
        "127.0.0.1",
        str(port),
        "--endpoint",
        endpoint,
    ]
    done = subprocess.run(
        [*command, "-n", "2", "-b", "2", "-p", *flags],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.count(f"{'-' * 40}\nSENDING NEW REQUEST:\n\n[[") == done.stdout.count("RECEIVED RESPONSE:") == 2


@pytest.mark.skipif(find_spec("seldon_core") is None, reason="needs seldon-core 1.17.1; no wheels for this Python")
def test_the_stock_server_can_be_tested(tmp_path: Path) -> None:
    """seldon-core-microservice passes, over both protocols, at every endpoint, in all phases but the negative one."""
    from ..differential.record import stock

    contract = json.loads((COMPONENT / "contract.json").read_text())
    echo = {**contract, "targets": contract["features"]}
    (tmp_path / "echo.json").write_text(json.dumps(echo))
    with stock("Plain", ()) as (http_port, grpc_port):
        for endpoint in ("send-feedback", "transform-input"):
            assert stock_form(tmp_path, http_port, endpoint)
            assert stock_form(tmp_path, grpc_port, endpoint, "--grpc")
        phases = ["--phases", "examples,boundaries,random,feedback", "-n", "10"]
        test = [sys.executable, "-m", "scorekit", "test", "echo.json"]
        for more in (
            [f"127.0.0.1:{http_port}", "--grpc-port", str(grpc_port), *phases],
            [f"grpc://127.0.0.1:{grpc_port}", *phases],
            ["127.0.0.1", str(http_port), "-n", "3"],
            ["127.0.0.1", str(grpc_port), "-n", "3", "--grpc", "-t"],
        ):
            done = subprocess.run([*test, *more], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
            assert done.returncode == 0, done.stdout + done.stderr


def test_a_missing_server_is_an_error_of_one_sentence(start: Callable[..., Command], port: int, tmp_path: Path) -> None:
    """The status is 2, without a traceback, in the form of the stock tester too."""
    (tmp_path / "contract.json").write_text(json.dumps(CONTRACT))
    command = start("test", "contract.json", "127.0.0.1", str(port), "-b", "2", "-n", "3", "-p", "-t", cwd=tmp_path)
    assert command.ended() == 2
    assert "cannot be reached" in command.output
    assert "Traceback" not in command.output


def test_a_server_that_requires_a_key_gets_one(start: Callable[..., Command], tmp_path: Path, port: int) -> None:
    """--api-key-file reads the server's own file, for REST and gRPC; without the flag the laws are broken."""
    (tmp_path / "keys").write_text("# ours\nblue\n")
    files = {"contract.json": json.dumps(CONTRACT), "Planted.py": HEALTHY.replace("{fault}", "")}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    argv = ("serve", "Planted", "--host", "127.0.0.1", "--http-port", str(port), "--api-key-file", "keys")
    start(*argv, cwd=tmp_path).wait_for("serve.ready")
    status, verdicts = verdicts_of(start, port, tmp_path, "--api-key-file", "keys")
    assert status == 0
    assert verdicts["REST = gRPC"] == "held"
    assert verdicts_of(start, port, tmp_path)[0] == 1
    command = start("test", "contract.json", f"http://127.0.0.1:{port}", "--api-key-file", "nowhere", cwd=tmp_path)
    assert command.ended() == 2
    assert "--api-key-file: nowhere cannot be read" in command.output
