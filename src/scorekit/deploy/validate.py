"""Rendered objects against what the API server says of their kinds, without writing anything."""

from collections.abc import Iterator, Sequence

from ..errors import ClusterError
from ..manifests.documents import Object
from ..manifests.removed import unserved
from ..manifests.schema import Schema, defined_schema, faults, find_schema
from .cluster import Cluster
from .stamp import resource, stamped

_OPENAPI = "/openapi/v3"


class Validation:
    """Checks objects; the server's documents are asked for once each."""

    def __init__(self, cluster: Cluster, objects: Sequence[Object], namespace: str) -> None:
        self._cluster = cluster
        self._objects = objects
        self._namespace = namespace
        self._index: Object | None = None
        self._documents: dict[str, Object | None] = {}

    def run(self) -> Iterator[tuple[str, list[str]]]:
        """Each object's name in ksonnet's log, and what is wrong with it (nothing, if it is fine)."""
        for value in self._objects:
            kind = self._cluster.kind(str(value.get("apiVersion", "")), value["kind"])
            try:
                called = resource(stamped(value, kind, self._namespace), kind)
            except ClusterError as error:
                yield value["kind"], [str(error)]
            else:
                yield called, list(self._faults(value, kind is not None))

    def _faults(self, value: Object, is_served: bool) -> Iterator[str]:
        api_version, kind = str(value.get("apiVersion", "")), value["kind"]
        defined = self._defined(api_version, kind)
        if not is_served and defined is None:
            yield unserved(api_version, kind, self._cluster.version())
            return
        # What the source defines is what will be there once it is applied.
        document = self._document(api_version) or {}
        schema = defined if defined is not None else find_schema(document, api_version, kind)
        if schema is None:
            raise ClusterError(
                f"the server publishes no schema of {kind} in {api_version} (OpenAPI v3: Kubernetes 1.27)"
            )
        yield from faults(value, schema, (document.get("components") or {}).get("schemas") or {})

    def _defined(self, api_version: str, kind: str) -> Schema | None:
        group, _, version = api_version.rpartition("/")
        for value in self._objects:
            spec = value.get("spec") or {}
            defines = spec.get("group"), (spec.get("names") or {}).get("kind")
            if value["kind"] == "CustomResourceDefinition" and defines == (group, kind):
                return defined_schema(value, version)
        return None

    def _document(self, api_version: str) -> Object | None:
        path = f"apis/{api_version}" if "/" in api_version else f"api/{api_version}"
        if path not in self._documents:
            if self._index is None:
                self._index = (self._cluster.document(_OPENAPI) or {}).get("paths") or {}
            where = (self._index.get(path) or {}).get("serverRelativeURL")
            self._documents[path] = self._cluster.document(where) if where else None
        return self._documents[path]
