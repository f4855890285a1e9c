"""Pruning: the removal of objects that have a gc tag and are no longer in the source.

Source: ksonnet-rules.md#garbage-collection and docs/design/0031.

Nobody records what an earlier run applied, so a prune lists every kind of the cluster and decides by the objects
themselves. A wrong decision deletes somebody's object, so all of these must hold (:func:`is_prunable`):

* its tag is this run's tag (annotation ``garbage-collect-tag``), and its strategy is ``auto`` or absent;
* ``ks`` or the original ksonnet owns fields of it. The tag alone does not say so: controllers copy annotations to the
  objects that they make, and people copy manifests;
* no controller owns it; an object that has one goes with its owner;
* with ``-c``, its component label is one of those components. ksonnet removed everything else that had the tag.

Then the object is deleted by uid, with foreground propagation: if somebody made another object of that name in between,
that one stays.
"""

from collections.abc import Collection, Iterator

from ..errors import ClusterError
from ..manifests import COMPONENT_LABEL, Object, is_applied
from .cluster import FIELD_MANAGER, ApiResource, Cluster, LogFunction
from .stamp import GC_STRATEGY, GC_TAG

_FORBIDDEN, _NOT_FOUND, _NOT_ALLOWED, _CONFLICT = 403, 404, 405, 409
_NEEDED_VERBS = frozenset({"list", "delete"})


class Pruner:
    """Finds and removes the objects with one tag; ``components`` limits it to those, if there are any."""

    def __init__(self, cluster: Cluster, tag: str, components: Collection[str], log: LogFunction) -> None:
        self._cluster = cluster
        self._tag = tag
        self._components = components
        self._log = log

    def prunable(self, keep: Collection[str]) -> Iterator[tuple[Object, ApiResource]]:
        """The metadata of every object to remove, and its kind; ``keep`` has the uids of what was just applied.

        An object comes once, even if several API versions serve it. Kinds that may not be listed are left out with a
        warning. Raises ``ClusterError`` for other failures.
        """
        known = set(keep)
        for resource in self._cluster.resources():
            if not resource.verbs >= _NEEDED_VERBS:
                continue
            try:
                listed = list(self._cluster.list_metadata(resource))
            except ClusterError as error:
                if error.status not in (_FORBIDDEN, _NOT_FOUND, _NOT_ALLOWED):
                    raise
                self._log("warning", f"{resource.plural} are not searched: {error}")
                continue
            for value in listed:
                uid = value["metadata"].get("uid", "")
                if uid not in known and is_prunable(value, self._tag, self._components):
                    known.add(uid)
                    yield value, resource

    def remove(self, value: Object, resource: ApiResource) -> bool:
        """Delete that very object. False if it is gone, or if another object has its name by now.

        Raises ``ClusterError``.
        """
        metadata = value["metadata"]
        options = {"propagationPolicy": "Foreground", "preconditions": {"uid": metadata["uid"]}}
        try:
            return self._cluster.delete(resource, metadata.get("namespace", ""), metadata["name"], options)
        except ClusterError as error:
            if error.status == _CONFLICT:  # the uid is another one
                return False
            raise


def is_prunable(value: Object, tag: str, components: Collection[str]) -> bool:
    """Whether the object was made by ``ks`` under that tag and may be removed."""
    metadata = value["metadata"]
    annotations = metadata.get("annotations") or {}
    labels = metadata.get("labels") or {}
    return (
        annotations.get(GC_TAG) == tag
        and annotations.get(GC_STRATEGY, "auto") == "auto"
        and not any(owner.get("controller") for owner in metadata.get("ownerReferences") or ())
        and is_applied(value, FIELD_MANAGER)
        and not metadata.get("deletionTimestamp")
        and (not components or labels.get(COMPONENT_LABEL) in components)
    )
