"""`scorekit up`: the path from a ksonnet app to an answered curl, and everything that can go wrong on it."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import json_format

from scorekit.proto import message_class

from .conftest import APP, COMPONENT, Command

pytestmark = pytest.mark.e2e

NAME = "test-seldon-ml-score-api"
SeldonMessage: Any = message_class("seldon.protos.SeldonMessage")
SEED_BODY = '{"data":{"names":["a","b"],"tensor":{"shape":[2,2],"values":[0,0,1,1]}}}'


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A copy of the app and its component, to be broken."""
    shutil.copytree(COMPONENT, tmp_path / COMPONENT.name)
    return Path(shutil.copytree(APP, tmp_path / APP.name))


def running(start: Callable[..., Command], port: int, app: Path = APP) -> Command:
    command = start("up", str(app), "--port", str(port))
    command.wait_for("Ctrl-C stops everything")
    return command


def ask(port: int, path: str = f"/seldon/{NAME}/api/v0.1/predictions", body: str = SEED_BODY) -> Any:
    request = urllib.request.Request(
        f"http://localhost:{port}{path}", body.encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)


def node(command: Command) -> int:
    """The process id of the model's server."""
    return next(pid for pid, args in command.descendants() if "scorekit serve" in args)


def alive(pid: int) -> bool:
    return subprocess.run(["ps", "-p", str(pid), "-o", "stat="], capture_output=True, text=True, check=False).stdout[
        :1
    ] not in ("", "Z")


def test_the_seeds_curl_is_answered(start: Callable[..., Command], port: int) -> None:
    """A tensor in, a tensor out, by both prefixes: class probabilities for each row, under the class names."""
    command = running(start, port)
    for prefix in (f"/seldon/{NAME}", f"/seldon/seldon/{NAME}"):
        for version in ("v0.1", "v1.0"):
            answer = ask(port, f"{prefix}/api/{version}/predictions")
            assert answer["data"]["names"] == ["setosa", "versicolor", "virginica"]
            tensor = answer["data"]["tensor"]
            assert tensor["shape"] == [2, 3]
            assert sum(tensor["values"][:3]) == pytest.approx(1)
            assert answer["meta"]["requestPath"] == {NAME: "alexioannides/seldon-ml-score-component"}
    assert command.stop() == 0


def test_calls_are_routed_by_their_headers(start: Callable[..., Command], port: int) -> None:
    """gRPC through the gateway, by the headers seldon and namespace; without them there is no such service."""
    running(start, port)
    tensor = {"shape": [2, 2], "values": [0, 0, 1, 1]}
    request = json_format.ParseDict({"data": {"tensor": tensor}}, SeldonMessage()).SerializeToString()
    with grpc.insecure_channel(f"localhost:{port}") as channel:
        for service in ("Seldon", "Model"):
            predict = channel.unary_unary(f"/seldon.protos.{service}/Predict")
            for headers in ({"seldon": NAME}, {"seldon": NAME, "namespace": "seldon"}):
                answer = SeldonMessage.FromString(predict(request, metadata=[*headers.items()], timeout=10))
                assert list(answer.data.tensor.shape) == [2, 3]
                assert list(answer.data.names) == ["setosa", "versicolor", "virginica"]
        for headers in ({}, {"seldon": "other"}):
            with pytest.raises(grpc.RpcError) as caught:
                predict(request, metadata=[*headers.items()], timeout=10)
            assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_the_curl_it_prints_works(start: Callable[..., Command], port: int) -> None:
    """The printed command is answered word for word."""
    command = running(start, port)
    lines = command.output[command.output.index("  curl ") :].split("\n\n")[0]
    done = subprocess.run(
        [*shlex.split(lines.replace("\\\n", " ")), "-sf"], capture_output=True, text=True, check=True, timeout=10
    )
    assert json.loads(done.stdout)["data"]["tensor"]["shape"] == [1, 3]


def test_a_path_that_is_no_deployment_is_404(start: Callable[..., Command], port: int) -> None:
    """The gateway routes what it was told, and nothing else."""
    running(start, port)
    for path in ("/", "/predict", "/seldon/other/api/v0.1/predictions"):
        with pytest.raises(urllib.error.HTTPError) as caught:
            ask(port, path)
        assert caught.value.code == 404
        caught.value.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stopping_leaves_nothing_behind(start: Callable[..., Command], port: int, number: signal.Signals) -> None:
    """SIGTERM or Ctrl-C: exit status 0, and no process of ours is left."""
    command = running(start, port)
    family = command.descendants()
    assert len(family) == 3  # Envoy, the node's supervisor and its worker
    assert command.stop(number) == 0
    assert not [pid for pid, _ in family if alive(pid)]


def test_a_killed_runner_leaves_nothing_behind(start: Callable[..., Command], port: int) -> None:
    """Even SIGKILL of `scorekit up` ends the model and the gateway."""
    command = running(start, port)
    family = command.descendants()
    command.process.kill()
    deadline = time.monotonic() + 20
    while any(alive(pid) for pid, _ in family) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [pid for pid, _ in family if alive(pid)]


@pytest.mark.parametrize("victim", ["node", "gateway"])
def test_what_dies_is_started_again(start: Callable[..., Command], port: int, victim: str) -> None:
    """kill -9 of the model's process or of Envoy is said, and the curl is answered again."""
    command = running(start, port)
    pid = next(pid for pid, args in command.descendants() if ("scorekit serve" in args) == (victim == "node"))
    os.kill(pid, signal.SIGKILL)
    command.wait_for("was killed by signal 9; restarting in 0.1 s")
    deadline = time.monotonic() + 20
    answer = None
    while answer is None and time.monotonic() < deadline:
        try:
            answer = ask(port)
        except urllib.error.HTTPError as error:
            error.close()
        except OSError:
            time.sleep(0.05)
    assert answer is not None, command.output
    assert answer["data"]["tensor"]["shape"] == [2, 3]


def test_one_dying_again_and_again_is_restarted_ever_more_slowly(
    start: Callable[..., Command], port: int, app: Path
) -> None:
    """A model that breaks while it runs is told with its reason at each try; the gateway tries a while and says so."""
    command = running(start, port, app)
    (app.parent / COMPONENT.name / "model.npz").unlink()
    os.kill(node(command), signal.SIGKILL)
    command.wait_for("restarting in 0.4 s")
    assert "model.npz" in command.output
    with pytest.raises(urllib.error.HTTPError) as caught:
        ask(port)
    assert caught.value.code in (503, 504)  # whichever ends first: the tries, or the route's time
    caught.value.close()
    assert command.stop() == 0


def fails(start: Callable[..., Command], port: int, app: Path, *more: str) -> str:
    """The sentence with which `scorekit up` ends, with exit status 1 and nothing left running."""
    command = start("up", str(app), "--port", str(port), *more)
    status = command.ended()
    assert status == 1, command.output
    last = command.lines[-1]
    assert last.startswith("scorekit: "), command.output
    assert "\nTraceback" not in command.output
    rows = subprocess.run(["ps", "-eo", "args="], capture_output=True, text=True, check=True).stdout
    assert str(app.parent) not in rows
    assert f'"port_value": {port}' not in rows
    return last.removeprefix("scorekit: ").rstrip()


def test_a_taken_port(start: Callable[..., Command], port: int) -> None:
    """A second gateway on the port says who is in the way, and the first goes on answering."""
    running(start, port)
    second = start("up", str(APP), "--port", str(port))
    assert second.ended() == 1
    assert f"cannot listen on 127.0.0.1:{port}: another process listens there" in second.lines[-1]
    assert ask(port)


def test_an_image_nobody_mapped(start: Callable[..., Command], port: int, app: Path) -> None:
    """The sentence has the line to add and the file to add it to."""
    (app / "images.yaml").unlink()
    told = fails(start, port, app)
    assert told.startswith("which folder is the source of the image alexioannides/seldon-ml-score-component?")
    assert str(app / "images.yaml") in told


def test_a_mapping_to_nowhere(start: Callable[..., Command], port: int, app: Path) -> None:
    """A folder that is not there is named."""
    shutil.rmtree(app.parent / COMPONENT.name)
    assert "there is no such folder" in fails(start, port, app)


def test_an_app_that_does_not_render(start: Callable[..., Command], port: int, app: Path) -> None:
    """Component, file and line."""
    with (app / "components" / f"{NAME}.jsonnet").open("a") as file:
        file.write("}")
    assert f"{NAME}.jsonnet" in fails(start, port, app)


def test_no_app_at_all(start: Callable[..., Command], port: int, tmp_path: Path) -> None:
    """A folder without an app.yaml is told as ksonnet tells it."""
    assert "unable to find ksonnet project" in fails(start, port, tmp_path / "nowhere")


def test_an_unknown_environment_or_component(start: Callable[..., Command], port: int, app: Path) -> None:
    """The sentence lists what there is."""
    assert "default" in fails(start, port, app, "--env", "production")
    assert NAME in fails(start, port, app, "-c", "typo")


def test_a_model_that_does_not_load(start: Callable[..., Command], port: int, app: Path) -> None:
    """The component's own sentence is the reason."""
    (app.parent / COMPONENT.name / "model.npz").write_bytes(b"altered")
    told = fails(start, port, app)
    assert told.startswith(f"{NAME} did not start: ")
    assert "model.npz" in told
    assert "train.py" in told


def test_a_model_that_fails_on_its_own_contract(start: Callable[..., Command], port: int, app: Path) -> None:
    """Starting is not enough: a model that cannot answer a row of its contract is never called ready."""
    contract = app.parent / COMPONENT.name / "contract.json"
    value = json.loads(contract.read_text())
    value["features"].append({**value["features"][0], "name": "third"})
    contract.write_text(json.dumps(value))
    assert fails(start, port, app).startswith(f"{NAME} answered 500 to a row of its own contract: ")


def test_a_graph_of_more_than_one_node(start: Callable[..., Command], port: int, app: Path) -> None:
    """What this version cannot run is refused by name."""
    component = app / "components" / f"{NAME}.jsonnet"
    source = component.read_text().replace("params.endpoint)", 'params.endpoint, [serve.node("x", "MODEL", "REST")])')
    component.write_text(source)
    assert "runs graphs of one MODEL node for now" in fails(start, port, app)


def test_what_only_a_cluster_needs_is_named(start: Callable[..., Command], port: int, app: Path) -> None:
    """Other objects and further replicas are left out aloud; a gRPC endpoint is no other than a REST one."""
    (app / "components" / "roles.yaml").write_text(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata:\n  name: operator\n"
    )
    params = app / "components" / "params.libsonnet"
    params.write_text(params.read_text().replace("replicas: 1", "replicas: 2").replace('"REST"', '"GRPC"'))
    command = running(start, port, app)
    [told] = [line for line in command.lines if line.startswith("not run on this machine: CustomResourceDefinition ")]
    assert "; Role operator, ambassador, seldon-leader, seldon-local; " in told.replace(
        "; ServiceAccount ambassador, seldon", ""
    )
    assert told.endswith("; Deployment seldon-controller-manager, seldon-core-ambassador\n")
    assert f"{NAME} has 2 replicas on a cluster; one runs here" in command.output
