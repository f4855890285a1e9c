"""The plain Flask API: its answers, its errors, and its two equal descriptions for Kubernetes."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from scorekit.cli import ks

ROOT = Path(__file__).parents[2]
API = ROOT / "py-flask-ml-score-api"


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(API)
    import api

    return api.app.test_client()


def test_it_scores_as_the_seed_tells(client: Any) -> None:
    """The tutorial's request gets the tutorial's answer, byte for byte."""
    answer = client.post("/score", json={"X": [1, 2]})
    assert (answer.status_code, answer.get_data(as_text=True)) == (200, '{"score":[1,2]}\n')


@pytest.mark.parametrize("numbers", [[], [0], [1.5, -2e300], [10**400]])
def test_any_finite_numbers_are_scored(client: Any, numbers: list[float]) -> None:
    """Whole numbers of any length stay whole, and an empty list has no scores."""
    answer = client.post("/score", data=json.dumps({"X": numbers}), content_type="application/json")
    assert json.loads(answer.get_data()) == {"score": numbers}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("", 'the body must be a JSON object such as {"X": [1, 2]}'),
        ("{", 'the body must be a JSON object such as {"X": [1, 2]}'),
        ("[1, 2]", 'the body must be a JSON object such as {"X": [1, 2]}'),
        ("{}", '"X" is missing; there is nothing'),
        ('{"x": [1]}', "\"X\" is missing; there is 'x'"),
        ('{"X": 1}', '"X" must be a list of numbers, got a number'),
        ('{"X": "12"}', '"X" must be a list of numbers, got a text'),
        ('{"X": [1, "2"]}', '"X"[1] must be a number, got a text'),
        ('{"X": [[1]]}', '"X"[0] must be a number, got a list'),
        ('{"X": [true]}', '"X"[0] must be a number, got a boolean'),
        ('{"X": [null]}', '"X"[0] must be a number, got null'),
        ('{"X": [1e999]}', '"X"[0] must be a finite number, got inf'),
        ('{"X": [NaN]}', '"X"[0] must be a finite number, got nan'),
        ('{"X": ' + "[" * 100_000 + "]" * 100_000 + "}", "the body must be a JSON object"),
    ],
)
def test_bad_input_gets_a_400_that_says_why(client: Any, body: str, why: str) -> None:
    """Input that cannot be scored gets a 400 with the place of the fault, what was expected and what came."""
    answer = client.post("/score", data=body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.get_json()["error"].startswith(why)


def test_other_requests_are_refused_in_json(client: Any) -> None:
    """An unknown path, a wrong method and a body too large get their own status and a sentence."""
    assert client.get("/health").get_json() == {"status": "ok"}
    assert client.post("/predict").status_code == 404
    assert client.get("/score").status_code == 405
    large = client.post("/score", data=b"[" + b"1," * 1_000_000, content_type="application/json")
    assert large.status_code == 413
    assert all("error" in answer.get_json() for answer in (client.post("/x"), client.get("/score"), large))


def test_a_fault_of_the_code_stays_in_the_log(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception of the model is a 500 without its text."""
    import api

    def broken(X: list[float]) -> list[float]:  # noqa: N803
        raise RuntimeError("the password is 1234")

    monkeypatch.setattr(api, "score", broken)
    answer = client.post("/score", json={"X": [1]})
    assert answer.status_code == 500
    assert "1234" not in answer.get_data(as_text=True)
    assert answer.get_json()["error"].startswith("Internal Server Error")


def test_kubernetes_is_told_the_same_twice(tmp_path: Path) -> None:
    """kubernetes.yaml and the app's module score-api describe the same objects, except for ksonnet's labels."""
    written = list(yaml.safe_load_all((API / "kubernetes.yaml").read_text()))
    app = shutil.copytree(ROOT / "ksonnet-app", tmp_path / "app")
    assert ks.main(["env", "targets", "default", "--module", "score-api", "--dir", str(app)]) == 0
    rendered = ks.render_app(app, "default")
    for each in rendered:
        del each["metadata"]["labels"]["ksonnet.io/component"]
    assert sorted(rendered, key=lambda each: str(each["kind"])) == sorted(written, key=lambda each: str(each["kind"]))


def test_the_pod_may_run_where_policy_is_strict() -> None:
    """The deployment meets Kubernetes' restricted profile, and its root filesystem is read-only."""
    deployment, service = yaml.safe_load_all((API / "kubernetes.yaml").read_text())
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert service["spec"]["type"] == "LoadBalancer"
    assert service["spec"]["selector"].items() <= deployment["spec"]["template"]["metadata"]["labels"].items()
