"""Objects that carry a gc tag and are no longer in the source, as far as ``ks`` itself made them.

The rule is ksonnet's: ksonnet-rules.md#garbage-collection.
"""

from collections.abc import Collection, Iterator

from ..errors import ClusterError
from ..manifests.documents import Object
from ..manifests.extract import COMPONENT_LABEL
from ..manifests.ownership import is_applied
from .cluster import MANAGER, Cluster, Kind, Tell
from .stamp import GC_STRATEGY, GC_TAG

_FORBIDDEN, _NOT_FOUND, _NOT_ALLOWED, _CONFLICT = 403, 404, 405, 409
_NEEDED = frozenset({"list", "delete"})


class Prune:
    """One collection of what ``tag`` is on; with ``components``, only of what those once rendered."""

    def __init__(self, cluster: Cluster, tag: str, components: Collection[str], tell: Tell) -> None:
        self._cluster = cluster
        self._tag = tag
        self._components = components
        self._tell = tell

    def found(self, keep: Collection[str]) -> Iterator[tuple[Object, Kind]]:
        """What is to go: everything prunable but for the uids in ``keep``; each once, whatever versions serve it."""
        seen = set(keep)
        for kind in self._cluster.kinds():
            if not kind.verbs >= _NEEDED:
                continue
            try:
                listed = list(self._cluster.listed(kind))
            except ClusterError as error:
                if error.status not in (_FORBIDDEN, _NOT_FOUND, _NOT_ALLOWED):
                    raise
                self._tell("warning", f"{kind.plural} are not looked through: {error}")
                continue
            for value in listed:
                uid = value["metadata"].get("uid", "")
                if uid not in seen and is_prunable(value, self._tag, self._components):
                    seen.add(uid)
                    yield value, kind

    def remove(self, value: Object, kind: Kind) -> bool:
        """Delete that very object; False where it is gone, or another one has its name by now."""
        metadata = value["metadata"]
        options = {"propagationPolicy": "Foreground", "preconditions": {"uid": metadata["uid"]}}
        try:
            return self._cluster.delete(kind, metadata.get("namespace", ""), metadata["name"], options)
        except ClusterError as error:
            if error.status == _CONFLICT:
                return False
            raise


def is_prunable(value: Object, tag: str, components: Collection[str]) -> bool:
    """Whether ``ks`` made the object under that tag and nobody asked to keep it.

    The tag alone does not say so: controllers copy annotations to what they make, and so do people.
    """
    metadata = value["metadata"]
    annotations = metadata.get("annotations") or {}
    labels = metadata.get("labels") or {}
    return (
        annotations.get(GC_TAG) == tag
        and annotations.get(GC_STRATEGY, "auto") == "auto"
        and not any(owner.get("controller") for owner in metadata.get("ownerReferences") or ())
        and is_applied(value, MANAGER)
        and not metadata.get("deletionTimestamp")
        and (not components or labels.get(COMPONENT_LABEL) in components)
    )
