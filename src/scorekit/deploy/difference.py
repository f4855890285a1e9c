"""The differences between the source of an environment and a cluster, or between two of either (``ks diff``).

Source against cluster is not compared here but by the server: a dry run of the apply (forced, so that conflicts show up
as differences) returns the object as it would be, and that is compared with the object as it is. So whatever the server
fills in or writes in another way (defaults, ``1`` for ``1000m``) is no difference, and drift is one. It needs the right
to patch. Two clusters cannot be compared in that way; there only the fields that ``ks`` owns are compared.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..errors import ClusterError, SetupError
from ..manifests import (
    COMPONENT_LABEL,
    MISSING,
    FieldChange,
    Object,
    changes,
    in_show_order,
    is_applied,
    one_line,
    owned,
    redacted,
)
from .cluster import FIELD_MANAGER, ApiResource, Cluster
from .plan import DeployPlan
from .stamp import DEPLOY_MANAGER, DEPLOYED_BY, GC_STRATEGY, stamped, title, with_live_tag
from .takeover import leaving_fields

_FORBIDDEN, _NOT_FOUND, _NOT_ALLOWED = 403, 404, 405
ObjectKey = tuple[str, str, str]
"""Kind, namespace and name of an object, which match across API versions."""
PaintFunction = Callable[[str, str], str]
"""Gives a line the colour of its sign, ``+`` or ``-``."""


@dataclass(frozen=True, slots=True)
class DiffSide:
    """One side of a diff: the source (``local``) or the cluster (``remote``) of an environment."""

    is_remote: bool
    environment: str

    def __str__(self) -> str:
        return f"{'remote' if self.is_remote else 'local'}:{self.environment}"


@dataclass(frozen=True, slots=True)
class ObjectDifference:
    """An object that differs by ``changes``, or that is only on one side, whose sign (``+`` or ``-``) is ``only``."""

    title: str
    changes: Sequence[FieldChange] = ()
    only: str = ""


def diff_sides(first: str, second: str | None) -> tuple[DiffSide, DiffSide]:
    """The two sides that the arguments of ``ks diff`` name; one argument means its cluster against its source.

    Raises ``SetupError`` for an argument of another form than ``[local:|remote:]ENV``.
    """
    if second is None:
        name = _side(first).environment
        return DiffSide(True, name), DiffSide(False, name)
    return _side(first), _side(second)


def _side(text: str) -> DiffSide:
    side, colon, name = text.rpartition(":")
    if side not in ("", "local", "remote") or not name or (colon and not side):
        raise SetupError("invalid location. format is destination:environment or environment")
    return DiffSide(side == "remote", name)


def against_cluster(cluster: Cluster, plan: DeployPlan) -> Iterator[ObjectDifference]:
    """What ``ks apply`` of the plan would change, from the cluster's side to the source's, and what is only on the
    cluster.

    The latter is what ``ks`` applied to the namespace and the source no longer has, limited to the plan's components.
    Raises ``ClusterError`` for what the server refuses.
    """
    keys = set()
    for planned in plan.objects:
        resource, sent = planned.resource, stamped(planned.value)
        metadata = sent["metadata"]
        keys.add(_key(sent))
        live = cluster.get(resource, metadata.get("namespace", ""), metadata["name"]) if resource else None
        if resource is None or live is None:
            yield ObjectDifference(title(sent), only="+")
            continue
        sent = with_live_tag(sent, live)
        now = cluster.apply(sent, resource, dry_run=True, force=True)
        changed = changes(live, now)
        known = {change.path for change in changed}
        changed += [change for change in leaving_fields(live, sent) if change.path not in known]
        if changed:
            yield ObjectDifference(title(now), redacted(changed, now["kind"]))
    for _, value in left_over(cluster, plan):
        if _key(value) not in keys:
            yield ObjectDifference(title(value), only="-")


def left_over(cluster: Cluster, plan: DeployPlan) -> Iterator[tuple[ApiResource, Object]]:
    """The metadata of everything that ``ks`` applied to the plan's namespace, limited to the plan's components.

    Kinds that the user may not list are left out. Raises ``ClusterError`` for other failures.
    """
    known = set()
    for resource in cluster.resources():
        if not resource.is_namespaced or "list" not in resource.verbs:
            continue
        try:
            listed = list(cluster.list_metadata(resource, plan.namespace, f"{DEPLOY_MANAGER}={DEPLOYED_BY}"))
        except ClusterError as error:
            if error.status not in (_FORBIDDEN, _NOT_FOUND, _NOT_ALLOWED):
                raise
            continue
        for value in listed:
            metadata = value["metadata"]
            component = (metadata.get("labels") or {}).get(COMPONENT_LABEL)
            # The label alone does not say who made an object: a Service's labels are copied to its endpoints.
            is_ours = component is not None and is_applied(value, FIELD_MANAGER) and metadata.get("uid") not in known
            is_ours = is_ours and (metadata.get("annotations") or {}).get(GC_STRATEGY, "auto") == "auto"
            if is_ours and (not plan.components or component in plan.components):
                known.add(metadata.get("uid"))
                yield resource, value


def on_cluster(cluster: Cluster, plan: DeployPlan) -> list[Object]:
    """What ``ks`` applied of the plan's environment, as it is now, reduced to the fields that ``ks`` owns.

    Raises ``ClusterError`` for what the server refuses.
    """
    objects: dict[ObjectKey, Object] = {}
    planned = [(each.resource, stamped(each.value)) for each in plan.objects]
    for resource, value in [*planned, *left_over(cluster, plan)]:
        if resource is None:
            continue
        metadata = value["metadata"]
        live = cluster.get(resource, metadata.get("namespace", ""), metadata["name"])
        if live is not None and is_applied(live, FIELD_MANAGER):
            objects[_key(live)] = owned(live, FIELD_MANAGER)
    return in_show_order(objects.values())


def between(
    first: Iterable[Object], second: Iterable[Object], namespaces: tuple[str, str]
) -> Iterator[ObjectDifference]:
    """The differences between two sets of objects; that each is in its own namespace of ``namespaces`` is none."""
    before, after = (
        {_key(moved): moved for value in each for moved in [_without_namespace(value, namespace)]}
        for each, namespace in zip((first, second), namespaces, strict=True)
    )
    for key in [*before, *(key for key in after if key not in before)]:
        if key not in after:
            yield ObjectDifference(title(before[key]), only="-")
        elif key not in before:
            yield ObjectDifference(title(after[key]), only="+")
        elif changed := changes(before[key], after[key]):
            yield ObjectDifference(title(after[key]), redacted(changed, after[key]["kind"]))


def flipped(differences: Iterable[ObjectDifference]) -> Iterator[ObjectDifference]:
    """The same differences, seen from the other side."""
    for each in differences:
        turned = [FieldChange(change.path, change.new, change.old) for change in each.changes]
        yield ObjectDifference(each.title, turned, {"+": "-", "-": "+"}.get(each.only, ""))


def diff_lines(differences: Iterable[ObjectDifference], sides: tuple[str, str], paint: PaintFunction) -> Iterator[str]:
    """The lines of ``ks diff``, a block for each object; ``-`` marks the first side and ``+`` the second."""
    is_first = True
    for each in differences:
        if is_first:
            yield from (paint(f"--- {sides[0]}", "-"), paint(f"+++ {sides[1]}", "+"))
            is_first = False
        yield from ("", each.title)
        if each.only:
            yield paint(f"{each.only} only in {sides[each.only == '+']}", each.only)
        yield from field_lines(each.changes, paint)


def field_lines(changed: Iterable[FieldChange], paint: PaintFunction) -> Iterator[str]:
    """Two lines for each field, or one if a side does not have it."""
    for change in changed:
        for sign, value in (("-", change.old), ("+", change.new)):
            if value is not MISSING:
                yield paint(f"{sign} {change.path}: {one_line(value)}", sign)


def _without_namespace(value: Object, namespace: str) -> Object:
    metadata: Mapping[str, object] = value.get("metadata") or {}
    kept = {key: child for key, child in metadata.items() if key != "namespace" or child != namespace}
    return {**value, "metadata": kept}


def _key(value: Object) -> ObjectKey:
    metadata = value.get("metadata") or {}
    return value["kind"], metadata.get("namespace", ""), metadata.get("name", "")
