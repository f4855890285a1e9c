"""Kubernetes objects as plain dictionaries: read from YAML, taken out of components, sorted, compared and printed.

This room does no I/O and imports nothing of ours but ``errors``; PyYAML is its only dependency.
Begin with :mod:`.documents`, which defines ``Object``, then :mod:`.extract` (from components to objects) and
:mod:`.ownership` (who owns which field of an object on a cluster).
"""

from .documents import Object, documents
from .extract import COMPONENT_LABEL, flattened, labelled, wrap
from .fields import MISSING, FieldChange, changes, one_line, redacted, value_at, without_bookkeeping
from .order import apply_order_key, in_show_order
from .ownership import PRISTINE, abandoned, is_applied, owned, taken_over
from .patch import merge_patch
from .printing import as_json, as_yaml, compact_json, in_order
from .removed import RemovedVersion, removed, unserved
from .schema import Schema, defined_schema, faults, find_schema

__all__ = [
    "COMPONENT_LABEL",
    "MISSING",
    "PRISTINE",
    "FieldChange",
    "Object",
    "RemovedVersion",
    "Schema",
    "abandoned",
    "apply_order_key",
    "as_json",
    "as_yaml",
    "changes",
    "compact_json",
    "defined_schema",
    "documents",
    "faults",
    "find_schema",
    "flattened",
    "in_order",
    "in_show_order",
    "is_applied",
    "labelled",
    "merge_patch",
    "one_line",
    "owned",
    "redacted",
    "removed",
    "taken_over",
    "unserved",
    "value_at",
    "without_bookkeeping",
    "wrap",
]
