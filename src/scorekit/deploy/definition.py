"""CustomResourceDefinitions: which kinds they define, and how long it takes until the server serves those.

A definition that was applied is not usable at once. The server accepts its names (condition ``NamesAccepted``), sets up
the kind (``Established``), and only then lists it in its discovery documents, which can lag behind by some seconds.
Objects of the kind that are sent earlier get a 404.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import ClusterError
from ..manifests import Object
from .cluster import ApiResource, Clock, Cluster, LogFunction

SERVED_WITHIN_S = 60.0
"""How long the server may take for its own affairs: serving a new kind, or ending the deletion of an object."""
POLL_S = 0.25
_NOT_FOUND, _REFUSED = 404, 422


def group_of(api_version: str) -> str:
    """The group of an ``apiVersion``; empty for the core group."""
    return api_version.rpartition("/")[0]


def is_definition(value: Object) -> bool:
    """Whether the object defines a kind."""
    return bool(value["kind"] == "CustomResourceDefinition")


def defined_kind(definition: Object) -> tuple[str, str]:
    """The group and the kind that a definition defines; empty texts for what it lacks."""
    spec = definition.get("spec") or {}
    return str(spec.get("group", "")), str((spec.get("names") or {}).get("kind", ""))


def definition_of(objects: Iterable[Object], group: str, kind: str) -> Object | None:
    """The definition of a kind among ``objects``; None if there is none."""
    return next((each for each in objects if is_definition(each) and defined_kind(each) == (group, kind)), None)


def conditions_of(value: Object) -> dict[str, Mapping[str, Any]]:
    """The conditions in an object's status, by type."""
    return {each["type"]: each for each in (value.get("status") or {}).get("conditions") or ()}


def wait_until_served(
    definition: Object, resource: ApiResource, cluster: Cluster, clock: Clock, log: LogFunction
) -> None:
    """Wait until objects of the kind that ``definition`` (just applied) defines can be applied.

    ``resource`` is that of the definition itself. Raises ``ClusterError`` if the server does not accept the names, and
    if it takes longer than :data:`SERVED_WITHIN_S`.
    """
    spec = definition["spec"]
    kind = spec["names"]["kind"]
    served = [f"{spec['group']}/{version['name']}" for version in spec["versions"] if version.get("served")]
    deadline, is_logged = clock.now() + SERVED_WITHIN_S, False
    while True:
        conditions = conditions_of(definition)
        is_established = conditions.get("Established", {}).get("status") == "True"
        if is_established and all(cluster.resource(version, kind) for version in served):
            return
        names = conditions.get("NamesAccepted", {})
        if names.get("status") == "False":
            raise ClusterError(f"the server does not accept its names: {names.get('message')}", _REFUSED)
        if not is_logged:
            log("info", f"waiting until the server serves {kind}")
            is_logged = True
        if clock.now() > deadline:
            raise ClusterError(
                f"the server does not serve {kind} {SERVED_WITHIN_S:.0f} s after its definition was applied", _NOT_FOUND
            )
        clock.sleep(POLL_S)
        definition = cluster.get(resource, "", definition["metadata"]["name"]) or definition
