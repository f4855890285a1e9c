"""Objects that the original ksonnet applied become ours, in place (docs/design/0017)."""

from collections.abc import Callable, Mapping
from typing import Any

from ..errors import ClusterError
from ..manifests.documents import Object
from ..manifests.fields import MISSING, FieldChange, changes
from ..manifests.ownership import abandoned, owned, taken_over
from .cluster import MANAGER, Cluster, Kind, Patience, Tell
from .stamp import title

_CONFLICT = 409
_POLL_S = 0.25
_WRITERS = 10  # how often another writer may come between our reading an object and our writing it

Patch = list[Mapping[str, Any]]


class Takeover:
    """What is done before and after an object is applied. Either does nothing where there is nothing of ksonnet's."""

    def __init__(self, cluster: Cluster, clock: Patience, tell: Tell) -> None:
        self._cluster = cluster
        self._clock = clock
        self._tell = tell

    def begin(self, kind: Kind, live: Object, sent: Object) -> None:
        """What ksonnet owns becomes ours: what of it the source has no longer goes with the apply that comes next."""
        self._patch(kind, live, lambda now: _rebooked(now, sent))

    def end(self, kind: Kind, now: Object, sent: Object) -> Object:
        """What was ksonnet's and nobody owns goes; what is ours is booked under nobody's name any more."""

        def patch(found: Object) -> Patch:
            removed: Patch = [{"op": "remove", "path": pointer} for pointer, _ in abandoned(found, sent, MANAGER)]
            return [*_rebooked(found, sent), *removed]

        return self._patch(kind, now, patch)

    def _patch(self, kind: Kind, live: Object, patch: Callable[[Object], Patch]) -> Object:
        """``patch`` of the object as it is, made anew when another writer has come between."""
        for attempt in range(_WRITERS):
            wanted = patch(live)
            if not wanted:
                return live
            metadata = live["metadata"]
            if attempt == 0:
                self._tell("info", f"taking {title(live)} over from ksonnet")
            as_read = {"op": "replace", "path": "/metadata/resourceVersion", "value": metadata["resourceVersion"]}
            try:
                return self._cluster.patch([*wanted, as_read], kind, metadata.get("namespace", ""), metadata["name"])
            except ClusterError as error:
                if error.status != _CONFLICT:
                    raise
                refused = error
            self._clock.sleep(_POLL_S)
            live = self._cluster.get(kind, metadata.get("namespace", ""), metadata["name"]) or live
        raise refused


def to_go(live: Object, sent: Object) -> list[FieldChange]:
    """What goes with ksonnet's fields when ``sent`` takes them over: what it has no longer."""
    gone = [change for _, change in abandoned(live, sent, MANAGER)]
    if taken_over(live, MANAGER, sent["apiVersion"]) is not None:
        gone += [change for change in changes(owned(live, MANAGER), sent) if change.new is MISSING]
    return list({change.path: change for change in gone}.values())


def _rebooked(live: Object, sent: Object) -> Patch:
    entries = taken_over(live, MANAGER, sent["apiVersion"])
    return [{"op": "replace", "path": "/metadata/managedFields", "value": entries}] if entries is not None else []
