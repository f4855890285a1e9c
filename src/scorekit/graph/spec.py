"""Reading a ``SeldonDeployment`` (machinelearning.seldon.io v1, v1alpha2, v1alpha3: one schema)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import SetupError
from ..settings.names import ANNOTATION_GRPC_MAX_MESSAGE, ANNOTATION_GRPC_TIMEOUT, ANNOTATION_REST_TIMEOUT

KIND = "SeldonDeployment"
DEFAULT_TIMEOUT_MS = 3000
"""Ambassador's, where the deployment has no ``seldon.io/rest-timeout``."""


_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_MOST = 10**11  # three years in milliseconds; Envoy takes somewhat more


@dataclass(frozen=True, slots=True)
class Node:
    """The graph's node and the container that runs it."""

    name: str
    image: str
    environ: Mapping[str, str] = field(default_factory=dict)
    """The container's own variables with literal values."""
    parameters: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Deployment:
    """One SeldonDeployment of one predictor whose graph is one node."""

    name: str
    namespace: str
    predictor: str
    labels: Mapping[str, str]
    node: Node
    rest_timeout_ms: int = DEFAULT_TIMEOUT_MS
    replicas: int = 1
    grpc_timeout_ms: int = DEFAULT_TIMEOUT_MS
    grpc_max_message_bytes: int | None = None


def read_deployment(manifest: Mapping[str, Any], default_namespace: str) -> Deployment:
    """The deployment in ``manifest``.

    Raises ``SetupError`` for what cannot run here: several predictors, a graph of several nodes, a node without a
    container of its name (prepackaged servers), a node that is no MODEL.
    """
    metadata, spec = _object(manifest, "metadata"), _object(manifest, "spec")
    name = metadata.get("name") or spec.get("name")
    if not isinstance(name, str) or not name:
        raise SetupError(f"a {KIND} without metadata.name cannot be routed to")
    if not _NAME.fullmatch(name):
        raise SetupError(f"{name!r} is no name for a Kubernetes object: lower-case letters, digits and - between them")
    predictors = _objects(spec, "predictors")
    if len(predictors) != 1:
        raise SetupError(f"{name}: `scorekit up` runs deployments of one predictor; this one has {len(predictors)}")
    predictor = predictors[0]
    graph = _object(predictor, "graph")
    if children := _objects(graph, "children"):
        raise SetupError(
            f"{name}: `scorekit up` runs graphs of one MODEL node for now; {graph.get('name')} has "
            f"{len(children)} children. `ks show` renders it and a cluster runs it"
        )
    if (graph.get("type") or "MODEL") != "MODEL":
        raise SetupError(f"{name}: `scorekit up` runs a MODEL node for now; {graph.get('name')} is a {graph['type']}")
    _check_endpoint(name, _object(graph, "endpoint").get("type"))
    annotations = _object(spec, "annotations")
    return Deployment(
        name,
        metadata.get("namespace") or default_namespace,
        predictor.get("name", name),
        {"version": predictor.get("name", name), **_object(predictor, "labels")},
        _node(name, graph, predictor),
        _number(name, annotations, ANNOTATION_REST_TIMEOUT, "milliseconds") or DEFAULT_TIMEOUT_MS,
        _replicas(name, predictor.get("replicas")),
        _number(name, annotations, ANNOTATION_GRPC_TIMEOUT, "milliseconds") or DEFAULT_TIMEOUT_MS,
        _number(name, annotations, ANNOTATION_GRPC_MAX_MESSAGE, "bytes"),
    )


def _node(deployment: str, graph: Mapping[str, Any], predictor: Mapping[str, Any]) -> Node:
    containers = [
        container
        for component in _objects(predictor, "componentSpecs")
        for container in _objects(_object(component, "spec"), "containers")
    ]
    name = graph.get("name", "")
    found = next((container for container in containers if container.get("name") == name), None)
    if found is None:
        known = ", ".join(str(container.get("name")) for container in containers) or "none"
        raise SetupError(f"{deployment}: the graph's node {name!r} has no container of its name; containers: {known}")
    if not found.get("image"):
        raise SetupError(f"{deployment}: the container {name!r} names no image")
    environ = {
        str(each.get("name")): str(each["value"]) for each in _objects(found, "env") if each.get("value") is not None
    }
    return Node(name, found["image"], environ, tuple(_objects(graph, "parameters")))


def _replicas(deployment: str, value: Any) -> int:
    if value is None:
        return 1
    if type(value) is not int or value < 0:
        raise SetupError(f"{deployment}: replicas is {value!r}; it must be a whole number")
    return value


def _check_endpoint(deployment: str, value: Any) -> None:
    # Every port answers both, so that there is nothing to choose.
    if value not in (None, "REST", "GRPC"):
        raise SetupError(f"{deployment}: the graph's endpoint.type is {value!r}; it must be REST or GRPC")


def _number(deployment: str, annotations: Mapping[str, Any], name: str, unit: str) -> int | None:
    text = annotations.get(name)
    if text is None:
        return None
    try:
        number = int(text)
    except (TypeError, ValueError):
        number = 0
    if not 0 < number <= _MOST:
        raise SetupError(f"{deployment}: the annotation {name} is {text!r}; it must be {unit}")
    return number


def _object(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """``parent[key]``; an absent or null one is empty."""
    value = parent.get(key) or {}
    if not isinstance(value, Mapping):
        raise SetupError(f"a {KIND}'s {key} must be an object, not {value!r:.80}")
    return value


def _objects(parent: Mapping[str, Any], key: str) -> Sequence[Mapping[str, Any]]:
    """``parent[key]``, a list of objects; an absent or null one is empty."""
    value = parent.get(key) or []
    if not isinstance(value, Sequence) or not all(isinstance(each, Mapping) for each in value):
        raise SetupError(f"a {KIND}'s {key} must be a list of objects, not {value!r:.80}")
    return value
