"""A SeldonDeployment becomes a process with the environment that the operator would set, or an error says why not."""

import json
from pathlib import PurePath
from typing import Any

import pytest

from scorekit.errors import SetupError
from scorekit.graph import folder_of, plan_node, read_deployment


def manifest(graph: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    container = {
        "name": "node",
        "image": "repo/model:1",
        "env": [{"name": "A", "value": 1}, {"name": "SECRET", "valueFrom": {"secretKeyRef": {}}}],
    }
    predictor = {
        "name": "main",
        "labels": {"team": "x"},
        "componentSpecs": [{"spec": {"containers": [container]}}],
        "graph": graph or {"name": "node", "type": "MODEL", "children": []},
    }
    return {
        "apiVersion": "machinelearning.seldon.io/v1",
        "kind": "SeldonDeployment",
        "metadata": {"name": "dep"},
        "spec": {"predictors": [predictor], **spec},
    }


def test_the_environment_is_that_of_the_operator() -> None:
    """A node gets the variables that the operator of seldon-core 1.17.1 sets, and those of its container."""
    graph = {"name": "node", "parameters": [{"name": "k", "value": "1", "type": "INT"}]}
    planned = plan_node(read_deployment(manifest(graph), "ns"), PurePath("folder"), "127.0.0.1", iter([1, 2, 3]))
    assert planned.http_port == 1
    assert {**planned.environ, "PREDICTOR_LABELS": json.loads(planned.environ["PREDICTOR_LABELS"])} == {
        "A": "1",
        "PREDICTIVE_UNIT_SERVICE_PORT": "1",
        "PREDICTIVE_UNIT_HTTP_SERVICE_PORT": "1",
        "PREDICTIVE_UNIT_GRPC_SERVICE_PORT": "2",
        "PREDICTIVE_UNIT_METRICS_SERVICE_PORT": "3",
        "PREDICTIVE_UNIT_METRICS_ENDPOINT": "/prometheus",
        "PREDICTIVE_UNIT_PARAMETERS": '[{"name": "k", "value": "1", "type": "INT"}]',
        "PREDICTIVE_UNIT_ID": "node",
        "PREDICTIVE_UNIT_IMAGE": "repo/model:1",
        "PREDICTOR_ID": "main",
        "PREDICTOR_LABELS": {"team": "x", "version": "main"},
        "SELDON_DEPLOYMENT_ID": "dep",
        "SELDON_EXECUTOR_ENABLED": "true",
        "SCOREKIT_HOST": "127.0.0.1",
    }


def test_without_parameters_there_is_no_parameters_variable() -> None:
    """The operator sets PREDICTIVE_UNIT_PARAMETERS only if the node has parameters."""
    planned = plan_node(read_deployment(manifest(), "ns"), PurePath("folder"), "127.0.0.1", iter([1, 2, 3]))
    assert "PREDICTIVE_UNIT_PARAMETERS" not in planned.environ


@pytest.mark.parametrize(("annotations", "timeout_ms"), [({}, 3000), ({"seldon.io/rest-timeout": "90000"}, 90000)])
def test_the_timeout_is_an_annotation(annotations: dict[str, str], timeout_ms: int) -> None:
    """The timeout is seldon.io/rest-timeout in milliseconds, by default the three seconds of Ambassador."""
    assert read_deployment(manifest(annotations=annotations), "ns").rest_timeout_ms == timeout_ms


def test_a_deployment_has_its_own_namespace_or_the_default() -> None:
    """A deployment without a namespace gets that of the environment."""
    named = manifest()
    named["metadata"]["namespace"] = "own"
    assert read_deployment(manifest(), "ns").namespace == "ns"
    assert read_deployment(named, "ns").namespace == "own"


def without_name() -> dict[str, Any]:
    nameless = manifest()
    nameless["metadata"] = {}
    return nameless


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (without_name(), "without metadata.name"),
        (manifest(predictors=[]), "this one has 0"),
        (manifest(predictors=[{}, {}]), "runs deployments of one predictor; this one has 2"),
        (manifest({"name": "node", "children": [{"name": "x"}]}), "runs graphs of one MODEL node for now; node has 1"),
        (manifest({"name": "node", "type": "ROUTER"}), "node is a ROUTER"),
        (manifest({"name": "other"}), "no container is called 'other', as the graph's node is; containers: node"),
        (manifest(annotations={"seldon.io/rest-timeout": "soon"}), "it must be a number of milliseconds"),
        (manifest(annotations={"seldon.io/rest-timeout": "9" * 30}), "it must be a number of milliseconds"),
        (manifest(annotations=[1]), "annotations must be an object"),
        (manifest({"name": "node", "endpoint": {"type": "RST"}}), "endpoint.type is 'RST'; it must be REST or GRPC"),
        ({"metadata": {"name": "My_Model"}, "spec": {}}, "'My_Model' is not a valid name"),
        (manifest(predictors=[None]), "predictors must be a list of objects"),
        ({"metadata": {"name": "x"}, "spec": None}, "this one has 0"),
    ],
)
def test_a_deployment_that_cannot_run_here_is_an_error(value: dict[str, Any], message: str) -> None:
    """The error for several predictors, larger graphs, other node types and missing containers names the deployment."""
    with pytest.raises(SetupError) as caught:
        read_deployment(value, "ns")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("image", "folder"),
    [
        ("repo/model", "plain"),
        ("repo/model:1", "one"),
        ("repo/model:2", "plain"),
        ("repo/model@sha256:abc", "plain"),
        ("host:5000/model", "ported"),
        ("host:5000/model:3", "ported"),
    ],
)
def test_an_image_is_found_with_and_without_its_tag(image: str, folder: str) -> None:
    """The whole reference is looked up first, then the one without tag and digest; the port of a registry is no tag."""
    folders = {"repo/model": "plain", "repo/model:1": "one", "host:5000/model": "ported"}
    assert folder_of(image, folders, "images.yaml") == folder


def test_an_unknown_image_comes_with_the_line_to_add() -> None:
    """The error for an image without a folder says which line to add to which file."""
    with pytest.raises(SetupError, match=r"Add the line `repo/model: \.\./FOLDER` to app/images.yaml"):
        folder_of("repo/model:1", {}, "app/images.yaml")
