"""Validation of rendered objects against the API server's schemas, without writing anything.

The schemas are the server's own OpenAPI v3 documents (Kubernetes 1.27 and newer), one for each group and version. For a
kind that the source defines, the definition in the source counts, because that is the one that the server will have
once it is applied. It needs no right to write. What a schema cannot say, such as a selector that does not match, only a
dry run of the apply finds.
"""

from collections.abc import Iterator

from ..errors import ClusterError
from ..manifests import Object, Schema, defined_schema, faults, find_schema, unserved
from .cluster import Cluster
from .definition import definition_of, group_of
from .plan import DeployPlan, PlannedObject
from .stamp import log_name, stamped

_OPENAPI = "/openapi/v3"


class Validator:
    """Checks the objects of a plan. Each of the server's documents is requested once."""

    def __init__(self, cluster: Cluster, plan: DeployPlan) -> None:
        self._cluster = cluster
        self._plan = plan
        self._index: Object | None = None
        self._documents: dict[str, Object | None] = {}

    def run(self) -> Iterator[tuple[str, list[str]]]:
        """The name of each object in ksonnet's log, and its errors, none of which means that it is valid.

        Raises ``ClusterError`` for a server that does not answer or publishes no schema of a kind.
        """
        for planned in self._plan.objects:
            try:
                called = log_name(stamped(planned.value), planned.resource)
            except ClusterError as error:
                yield planned.kind, [str(error)]
            else:
                yield called, list(self._faults(planned))

    def _faults(self, planned: PlannedObject) -> Iterator[str]:
        api_version, kind = planned.api_version, planned.kind
        defined = self._defined(api_version, kind)
        if planned.resource is None and defined is None:
            yield unserved(api_version, kind, self._cluster.version())
            return
        document = self._document(api_version) or {}
        schema = defined if defined is not None else find_schema(document, api_version, kind)
        if schema is None:
            raise ClusterError(
                f"the server publishes no schema for {kind} in {api_version}; "
                "that needs OpenAPI v3 (Kubernetes 1.27 or newer)"
            )
        yield from faults(planned.value, schema, (document.get("components") or {}).get("schemas") or {})

    def _defined(self, api_version: str, kind: str) -> Schema | None:
        """The schema of a kind that the plan itself defines."""
        definition = definition_of((each.value for each in self._plan.objects), group_of(api_version), kind)
        return defined_schema(definition, api_version.rpartition("/")[2]) if definition is not None else None

    def _document(self, api_version: str) -> Object | None:
        path = f"apis/{api_version}" if "/" in api_version else f"api/{api_version}"
        if path not in self._documents:
            if self._index is None:
                self._index = (self._cluster.document(_OPENAPI) or {}).get("paths") or {}
            where = (self._index.get(path) or {}).get("serverRelativeURL")
            self._documents[path] = self._cluster.document(where) if where else None
        return self._documents[path]
