"""The plan that every verb works from: an environment's objects, each in its namespace and with its kind looked up.

The way from an app to a cluster has three steps, which ``cli/ks/cluster.py`` joins::

    ks.render      objects of an environment           knows the app and no cluster
    deploy.plan    the same objects for one cluster    knows a cluster and no app
    a verb         apply, delete, diff, validate

Objects come in the order of ``ks show`` and keep it. :meth:`DeployPlan.in_apply_order` sorts them for applying.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..errors import RenderError
from ..manifests import COMPONENT_LABEL, Object, apply_order_key
from .cluster import ApiResource, Cluster
from .definition import definition_of, group_of
from .stamp import title


@dataclass(frozen=True, slots=True)
class PlannedObject:
    """An object in the namespace that it gets, and how the server serves its kind; None if it does not (yet)."""

    value: Object
    resource: ApiResource | None

    @property
    def api_version(self) -> str:
        """The object's ``apiVersion``."""
        return str(self.value.get("apiVersion", ""))

    @property
    def kind(self) -> str:
        """The object's ``kind``."""
        return str(self.value["kind"])

    @property
    def title(self) -> str:
        """The object's name in messages, such as ``Deployment seldon/web``."""
        return title(self.value)


@dataclass(frozen=True, slots=True)
class DeployPlan:
    """The objects of an environment for one cluster.

    ``namespace`` is for objects that name none. ``components`` limits what may be removed or reported as left over to
    objects of these components; empty means no limit.
    """

    objects: Sequence[PlannedObject]
    namespace: str
    components: frozenset[str] = frozenset()

    def in_apply_order(self) -> list[PlannedObject]:
        """The objects sorted by dependency: what others need comes first. Deletion goes the other way."""
        return sorted(self.objects, key=lambda planned: apply_order_key(planned.value))

    def resolved(self, planned: PlannedObject, resource: ApiResource) -> PlannedObject:
        """``planned`` with a kind that the server has come to serve since the plan was made."""
        value = in_namespace(planned.value, resource.is_namespaced, self.namespace)
        return replace(planned, value=value, resource=resource)


def plan(
    objects: Iterable[Object], cluster: Cluster, *, namespace: str, components: frozenset[str] = frozenset()
) -> DeployPlan:
    """The plan for ``objects`` (in the order of ``ks show``) on ``cluster``.

    An object that names no namespace gets ``namespace``, and one of a kind that has none loses its own. A kind that the
    server does not serve yet is taken as its definition among ``objects`` says, or as namespaced without one. Raises
    ``RenderError`` if two objects are the same one on a cluster, and ``ClusterError`` if the server does not answer.
    """
    values = list(objects)
    check_distinct(values, namespace)
    planned = []
    for value in values:
        api_version, kind = str(value.get("apiVersion", "")), str(value["kind"])
        resource = cluster.resource(api_version, kind)
        if resource is not None:
            is_namespaced = resource.is_namespaced
        else:
            definition = definition_of(values, group_of(api_version), kind)
            is_namespaced = definition is None or (definition.get("spec") or {}).get("scope") != "Cluster"
        planned.append(PlannedObject(in_namespace(value, is_namespaced, namespace), resource))
    return DeployPlan(planned, namespace, components)


def check_distinct(objects: Iterable[Object], namespace: str) -> None:
    """Refuse objects that are the same one on a cluster: each apply of one would undo the other.

    Raises ``RenderError``, which names the components that the two come from.
    """
    first_of: dict[tuple[str, ...], Object] = {}
    for value in objects:
        metadata = value.get("metadata") or {}
        group = group_of(str(value.get("apiVersion", "")))
        key = group, value["kind"], str(metadata.get("namespace") or namespace), str(metadata.get("name"))
        if metadata.get("name") and (other := first_of.setdefault(key, value)) is not value:
            components = dict.fromkeys(f'"{_component(each)}"' for each in (other, value))
            raise RenderError(
                f"{title(value)} is rendered twice, by component {' and '.join(components)}: "
                "remove or rename one of them"
            )


def in_namespace(value: Object, is_namespaced: bool, namespace: str) -> Object:
    """A copy of ``value`` with its own namespace, else with ``namespace``; without any if the kind has none."""
    metadata: dict[str, Any] = dict(value.get("metadata") or {})
    own = metadata.pop("namespace", None)
    if is_namespaced:
        metadata["namespace"] = own or namespace
    return {**value, "metadata": metadata}


def components_of(objects: Iterable[Object]) -> frozenset[str]:
    """The names of the components that ``objects`` come from, by their labels."""
    labels = ((value.get("metadata") or {}).get("labels") or {} for value in objects)
    return frozenset(each[COMPONENT_LABEL] for each in labels if COMPONENT_LABEL in each)


def _component(value: Object) -> str:
    return str((value["metadata"].get("labels") or {}).get(COMPONENT_LABEL, ""))
