"""Reading a ``SeldonDeployment`` (machinelearning.seldon.io v1, v1alpha2, v1alpha3: one schema)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import SetupError
from ..settings.names import ANNOTATION_GRPC_MAX_MESSAGE, ANNOTATION_GRPC_TIMEOUT, ANNOTATION_REST_TIMEOUT

KIND = "SeldonDeployment"
DEFAULT_TIMEOUT_MS = 3000
"""Ambassador's default, for deployments without the annotation ``seldon.io/rest-timeout``."""

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_MAX_NUMBER = 10**11  # three years in milliseconds; Envoy accepts somewhat more


@dataclass(frozen=True, slots=True)
class GraphNode:
    """A node of the graph, and the container that runs it."""

    name: str
    image: str
    environ: Mapping[str, str] = field(default_factory=dict)
    """The container's own variables, without those that refer to a Secret or ConfigMap."""
    parameters: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SeldonDeployment:
    """A SeldonDeployment of one predictor whose graph is one node."""

    name: str
    namespace: str
    predictor: str
    labels: Mapping[str, str]
    node: GraphNode
    rest_timeout_ms: int = DEFAULT_TIMEOUT_MS
    replicas: int = 1
    grpc_timeout_ms: int = DEFAULT_TIMEOUT_MS
    grpc_max_message_bytes: int | None = None


def read_deployment(manifest: Mapping[str, Any], default_namespace: str) -> SeldonDeployment:
    """Return the deployment in ``manifest``, in ``default_namespace`` if it names no other.

    Raises ``SetupError`` if it is malformed or cannot run here: several predictors, a graph of several nodes, a node
    without a container of its name (a prepackaged server), a node that is not a MODEL.
    """
    metadata, spec = _object(manifest, "metadata"), _object(manifest, "spec")
    name = metadata.get("name") or spec.get("name")
    if not isinstance(name, str) or not name:
        raise SetupError(f"a {KIND} without metadata.name cannot be routed to")
    if not _NAME.fullmatch(name):
        raise SetupError(f"{name!r} is not a valid name: use lower-case letters, digits and, between them, - or .")
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
    return SeldonDeployment(
        name=name,
        namespace=metadata.get("namespace") or default_namespace,
        predictor=predictor.get("name", name),
        # The operator's default labels have the predictor's name as the version.
        labels={"version": predictor.get("name", name), **_object(predictor, "labels")},
        node=_node(name, graph, predictor),
        rest_timeout_ms=_number(name, annotations, ANNOTATION_REST_TIMEOUT, "milliseconds") or DEFAULT_TIMEOUT_MS,
        replicas=_replicas(name, predictor.get("replicas")),
        grpc_timeout_ms=_number(name, annotations, ANNOTATION_GRPC_TIMEOUT, "milliseconds") or DEFAULT_TIMEOUT_MS,
        grpc_max_message_bytes=_number(name, annotations, ANNOTATION_GRPC_MAX_MESSAGE, "bytes"),
    )


def _node(deployment: str, graph: Mapping[str, Any], predictor: Mapping[str, Any]) -> GraphNode:
    containers = [
        container
        for component in _objects(predictor, "componentSpecs")
        for container in _objects(_object(component, "spec"), "containers")
    ]
    name = graph.get("name", "")
    container = next((each for each in containers if each.get("name") == name), None)
    if container is None:
        known = ", ".join(str(each.get("name")) for each in containers) or "none"
        raise SetupError(f"{deployment}: no container is called {name!r}, as the graph's node is; containers: {known}")
    if not container.get("image"):
        raise SetupError(f"{deployment}: the container {name!r} has no image")
    environ = {
        str(each.get("name")): str(each["value"])
        for each in _objects(container, "env")
        if each.get("value") is not None
    }
    return GraphNode(name, container["image"], environ, tuple(_objects(graph, "parameters")))


def _replicas(deployment: str, value: Any) -> int:
    if value is None:
        return 1
    if type(value) is not int or value < 0:
        raise SetupError(f"{deployment}: replicas is {value!r}; it must be a whole number")
    return value


def _check_endpoint(deployment: str, value: Any) -> None:
    # The value changes nothing else: every port answers both REST and gRPC.
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
    if not 0 < number <= _MAX_NUMBER:
        raise SetupError(f"{deployment}: the annotation {name} is {text!r}; it must be a number of {unit}")
    return number


def _object(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return ``parent[key]``; an empty object if it is absent or null."""
    value = parent.get(key) or {}
    if not isinstance(value, Mapping):
        raise SetupError(f"a {KIND}'s {key} must be an object, not {value!r:.80}")
    return value


def _objects(parent: Mapping[str, Any], key: str) -> Sequence[Mapping[str, Any]]:
    """Return ``parent[key]``, a list of objects; an empty list if it is absent or null."""
    value = parent.get(key) or []
    if not isinstance(value, Sequence) or not all(isinstance(each, Mapping) for each in value):
        raise SetupError(f"a {KIND}'s {key} must be a list of objects, not {value!r:.80}")
    return value
