"""Taking over objects that the original ksonnet applied, in place and without making them anew (docs/design/0030).

ksonnet kept what it applied in an annotation and merged by itself, with a merge patch. For such an object one apply of
ours has three steps, and any of them may be the last one that a run gets to::

    begin    ksonnet's entries in managedFields become ours        one JSON patch
    apply    the server removes what of those the source lacks     one server-side apply
    end      fields that only ksonnet's annotation remembers go,   one JSON patch
             and the annotation goes with them, last

After ``begin`` the object looks as if we had applied it with ksonnet's source, so the server's own rules remove fields
that have left the source. ``end`` is for fields whose entry the server no longer has. As long as the annotation is
there, a rerun finds what is left to do; once it is gone, there is nothing left. Both steps do nothing to objects that
ksonnet never applied.
"""

from collections.abc import Callable, Mapping
from typing import Any

from ..errors import ClusterError
from ..manifests import MISSING, FieldChange, Object, abandoned, changes, owned, taken_over
from .cluster import FIELD_MANAGER, ApiResource, Clock, Cluster, LogFunction
from .stamp import title

_CONFLICT = 409
_POLL_S = 0.25
_TRIES = 10  # of reading an object and patching it before another writer changes it

JsonPatch = list[Mapping[str, Any]]
"""The operations of a JSON patch (RFC 6902)."""


class Takeover:
    """The steps before and after the apply of an object."""

    def __init__(self, cluster: Cluster, clock: Clock, log: LogFunction) -> None:
        self._cluster = cluster
        self._clock = clock
        self._log = log

    def begin(self, resource: ApiResource, live: Object, sent: Object) -> None:
        """Make ksonnet's entries ours; ``sent`` is what will be applied to ``live`` next. Raises ``ClusterError``."""
        self._patch(resource, live, lambda now: _ownership_patch(now, sent))

    def end(self, resource: ApiResource, now: Object, sent: Object) -> Object:
        """Remove what only ksonnet's annotation remembers, and the annotation. Raises ``ClusterError``.

        ``now`` is the object as the apply of ``sent`` left it; returns it as it is afterwards.
        """

        def patch(live: Object) -> JsonPatch:
            removed: JsonPatch = [
                {"op": "remove", "path": pointer} for pointer, _ in abandoned(live, sent, FIELD_MANAGER)
            ]
            return [*_ownership_patch(live, sent), *removed]

        return self._patch(resource, now, patch)

    def _patch(self, resource: ApiResource, live: Object, patch: Callable[[Object], JsonPatch]) -> Object:
        """Apply ``patch`` of the object, computed again each time that another writer was faster."""
        for attempt in range(_TRIES):
            operations = patch(live)
            if not operations:
                return live
            metadata = live["metadata"]
            if attempt == 0:
                self._log("info", f"taking {title(live)} over from ksonnet")
            # The patch names list items by their place, so it is right for this version of the object alone.
            as_read = {"op": "replace", "path": "/metadata/resourceVersion", "value": metadata["resourceVersion"]}
            try:
                return self._cluster.patch(
                    [*operations, as_read], resource, metadata.get("namespace", ""), metadata["name"]
                )
            except ClusterError as error:
                if error.status != _CONFLICT:
                    raise
                refused = error
            self._clock.sleep(_POLL_S)
            live = self._cluster.get(resource, metadata.get("namespace", ""), metadata["name"]) or live
        raise refused


def leaving_fields(live: Object, sent: Object) -> list[FieldChange]:
    """The fields of ``live`` that disappear when ``sent`` takes the object over from ksonnet.

    The server's dry run does not show them, because it runs without the steps before and after.
    """
    leaving = [change for _, change in abandoned(live, sent, FIELD_MANAGER)]
    if taken_over(live, FIELD_MANAGER, sent["apiVersion"]) is not None:
        leaving += [change for change in changes(owned(live, FIELD_MANAGER), sent) if change.new is MISSING]
    return list({change.path: change for change in leaving}.values())


def _ownership_patch(live: Object, sent: Object) -> JsonPatch:
    entries = taken_over(live, FIELD_MANAGER, sent["apiVersion"])
    return [{"op": "replace", "path": "/metadata/managedFields", "value": entries}] if entries is not None else []
