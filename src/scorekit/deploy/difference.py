"""What differs between the source of an environment and a cluster, or between two of either (``ks diff``)."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..errors import ClusterError, SetupError
from ..manifests.documents import Object
from ..manifests.extract import COMPONENT_LABEL
from ..manifests.fields import MISSING, FieldChange, changes, one_line, redacted
from ..manifests.order import in_show_order
from ..manifests.ownership import is_applied, owned
from .cluster import MANAGER, Cluster
from .stamp import DEPLOY_MANAGER, DEPLOYED_BY, GC_STRATEGY, stamped, title, with_its_tag
from .takeover import to_go

_FORBIDDEN, _NOT_FOUND, _NOT_ALLOWED = 403, 404, 405
Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Location:
    """One side: the source (``local``) or the cluster (``remote``) of an environment."""

    is_remote: bool
    environment: str

    def __str__(self) -> str:
        return f"{'remote' if self.is_remote else 'local'}:{self.environment}"


@dataclass(frozen=True, slots=True)
class Difference:
    """An object that is on one side only (``changes`` is empty, ``only`` is that side), or differs."""

    title: str
    changes: Sequence[FieldChange] = ()
    only: str = ""


def locations(first: str, second: str | None) -> tuple[Location, Location]:
    """The two sides that the arguments name; one argument is what its cluster has against its source."""
    if second is None:
        name = _location(first).environment
        return Location(True, name), Location(False, name)
    return _location(first), _location(second)


def _location(text: str) -> Location:
    side, colon, name = text.rpartition(":")
    if side not in ("", "local", "remote") or not name or (colon and not side):
        raise SetupError("invalid location. format is destination:environment or environment")
    return Location(side == "remote", name)


def to_apply(
    cluster: Cluster, objects: Iterable[Object], namespace: str, components: Collection[str]
) -> Iterator[Difference]:
    """What ``ks apply`` of ``objects`` would change, by the server's own word, from the cluster's side to the source's.

    And what is on the cluster alone: what ``ks`` applied to the namespace and the source has no longer, of
    ``components`` if there are any.
    """
    keys = set()
    for value in in_show_order(objects):
        kind = cluster.kind(str(value.get("apiVersion", "")), value["kind"])
        sent = stamped(value, kind, namespace)
        within = sent["metadata"].get("namespace", "")
        keys.add((value["kind"], within, sent["metadata"]["name"]))
        live = cluster.get(kind, within, sent["metadata"]["name"]) if kind else None
        if kind is None or live is None:
            yield Difference(title(sent), only="+")
            continue
        sent = with_its_tag(sent, live)
        now = cluster.apply(sent, kind, within, dry_run=True, force=True)
        found = changes(live, now)
        known = {change.path for change in found}
        found += [change for change in to_go(live, sent) if change.path not in known]
        if found:
            yield Difference(title(now), redacted(found, now["kind"]))
    for value in left_behind(cluster, namespace, components):
        if _key(value) not in keys:
            yield Difference(title(value), only="-")


def left_behind(cluster: Cluster, namespace: str, components: Collection[str]) -> Iterator[Object]:
    """The metadata of what ``ks`` applied to a namespace; kinds that may not be listed are passed over."""
    seen = set()
    for kind in cluster.kinds():
        if not kind.is_namespaced or "list" not in kind.verbs:
            continue
        try:
            found = list(cluster.listed(kind, namespace, f"{DEPLOY_MANAGER}={DEPLOYED_BY}"))
        except ClusterError as error:
            if error.status not in (_FORBIDDEN, _NOT_FOUND, _NOT_ALLOWED):
                raise
            continue
        for value in found:
            metadata = value["metadata"]
            component = (metadata.get("labels") or {}).get(COMPONENT_LABEL)
            # A Service's labels are copied to its endpoints: the label alone does not tell.
            mine = component is not None and is_applied(value, MANAGER) and metadata.get("uid") not in seen
            mine = mine and (metadata.get("annotations") or {}).get(GC_STRATEGY, "auto") == "auto"
            if mine and (not components or component in components):
                seen.add(metadata.get("uid"))
                yield value


def on_cluster(
    cluster: Cluster, objects: Iterable[Object], namespace: str, components: Collection[str]
) -> list[Object]:
    """What ``ks`` applied of an environment, as it is now, and only its own fields."""
    found: dict[Key, Object] = {}
    for value in [*objects, *left_behind(cluster, namespace, components)]:
        kind = cluster.kind(str(value.get("apiVersion", "")), value["kind"])
        if kind is None:
            continue
        metadata = stamped(value, kind, namespace)["metadata"]
        live = cluster.get(kind, metadata.get("namespace", ""), metadata["name"])
        if live is not None and is_applied(live, MANAGER):
            found[_key(live)] = owned(live, MANAGER)
    return list(found.values())


def between(first: Sequence[Object], second: Sequence[Object], namespaces: tuple[str, str]) -> Iterator[Difference]:
    """What differs between two sets of objects; each's own namespace is no difference."""
    before, after = (
        {_key(moved): moved for value in in_show_order(each) for moved in [_moved(value, namespace)]}
        for each, namespace in zip((first, second), namespaces, strict=True)
    )
    for key in [*before, *(key for key in after if key not in before)]:
        if key not in after:
            yield Difference(title(before[key]), only="-")
        elif key not in before:
            yield Difference(title(after[key]), only="+")
        elif found := changes(before[key], after[key]):
            yield Difference(title(after[key]), redacted(found, after[key]["kind"]))


def flipped(found: Iterable[Difference]) -> Iterator[Difference]:
    """The same, seen from the other side."""
    for each in found:
        turned = [FieldChange(change.path, change.new, change.old) for change in each.changes]
        yield Difference(each.title, turned, {"+": "-", "-": "+"}.get(each.only, ""))


def printed(found: Iterable[Difference], sides: tuple[str, str], paint: Callable[[str, str], str]) -> Iterator[str]:
    """Lines, a block for each object: ``-`` is what the first side has, ``+`` what the second has.

    ``paint(text, sign)`` colours a line.
    """
    is_first = True
    for each in found:
        if is_first:
            yield from (paint(f"--- {sides[0]}", "-"), paint(f"+++ {sides[1]}", "+"))
            is_first = False
        yield from ("", each.title)
        if each.only:
            yield paint(f"{each.only} only in {sides[each.only == '+']}", each.only)
        yield from field_lines(each.changes, paint)


def field_lines(found: Iterable[FieldChange], paint: Callable[[str, str], str]) -> Iterator[str]:
    """Two lines for each field, or one where a side does not have it."""
    for change in found:
        for sign, value in (("-", change.old), ("+", change.new)):
            if value is not MISSING:
                yield paint(f"{sign} {change.path}: {one_line(value)}", sign)


def _moved(value: Object, namespace: str) -> Object:
    metadata: Mapping[str, object] = value.get("metadata") or {}
    kept = {key: child for key, child in metadata.items() if key != "namespace" or child != namespace}
    return {**value, "metadata": kept}


def _key(value: Object) -> Key:
    metadata = value.get("metadata") or {}
    return value["kind"], metadata.get("namespace", ""), metadata.get("name", "")
