"""Explanations of refused applies: which fields are in conflict, with both values, and what to do about it."""

from ..errors import ClusterError
from ..manifests import Object, one_line, value_at
from .retry import FIELD_CONFLICT

_NOT_FOUND = 404


def explained(error: ClusterError, sent: Object, live: Object | None) -> ClusterError:
    """``error`` in words that say what to do, if it is a conflict or about a missing namespace; else as it is.

    A conflict lists each field with the value of the source (``sent``) and the one on the cluster (``live``). The
    values of a Secret are left out.
    """
    conflicts = [cause for cause in error.causes if cause.reason == FIELD_CONFLICT]
    if conflicts:
        is_secret = sent["kind"] == "Secret"
        lines = [f"{len(conflicts)} of its fields are owned by others:"]
        for cause in conflicts:
            ours, theirs = value_at(sent, cause.field), value_at(live, cause.field)
            values = "" if is_secret else f" {one_line(ours)} here, {one_line(theirs)} on the cluster;"
            lines.append(f"  {cause.field}:{values} {cause.message}")
        lines.append("use --force-conflicts to overwrite them, or remove them from the source")
        return ClusterError("\n".join(lines), error.status, error.reason, error.causes)
    if error.status == _NOT_FOUND and "namespaces" in str(error):
        name = sent["metadata"].get("namespace", "")
        return ClusterError(f"{error}; create it first: kubectl create namespace {name}", error.status, error.reason)
    return error
