"""Whether what was applied runs, and when to try again."""

from typing import Any

import pytest

from scorekit.deploy.backoff import Backoff, is_passing, retry_after_s
from scorekit.deploy.rollout import progress
from scorekit.deploy.wait import held
from scorekit.errors import Cause, ClusterError

APPS, BATCH, SELDON = "apps/v1", "batch/v1", "machinelearning.seldon.io/v1"
COUNTS = {"observedGeneration": 2, "replicas": 3, "updatedReplicas": 3, "readyReplicas": 3, "availableReplicas": 3}
DAEMONS = {
    "observedGeneration": 2,
    "desiredNumberScheduled": 2,
    "updatedNumberScheduled": 2,
    "numberAvailable": 2,
    "numberReady": 2,
}
GAVE_UP = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "no image"}


@pytest.mark.parametrize(
    ("version", "kind", "spec", "status", "words", "state"),
    [
        (APPS, "Deployment", {"replicas": 3}, COUNTS, "3 of 3 available", "ready"),
        (APPS, "Deployment", {"replicas": 0}, {"observedGeneration": 2}, "0 of 0 available", "ready"),
        (APPS, "Deployment", {}, {}, "not seen by its controller yet", ""),
        (APPS, "Deployment", {}, COUNTS | {"observedGeneration": 1}, "the change has not been seen yet", ""),
        (APPS, "Deployment", {"replicas": 3}, COUNTS | {"updatedReplicas": 1}, "1 of 3 replicas updated", ""),
        (APPS, "Deployment", {"replicas": 3}, COUNTS | {"replicas": 4}, "1 old replicas still to end", ""),
        (APPS, "Deployment", {"replicas": 3}, COUNTS | {"availableReplicas": 2}, "2 of 3 available", ""),
        (APPS, "Deployment", {}, COUNTS | {"conditions": [GAVE_UP]}, "no image", "failed"),
        (APPS, "StatefulSet", {"replicas": 3}, COUNTS, "3 of 3 ready", "ready"),
        (APPS, "StatefulSet", {"replicas": 3}, COUNTS | {"readyReplicas": 1}, "1 of 3 ready", ""),
        (APPS, "StatefulSet", {"replicas": 3}, COUNTS | {"updatedReplicas": 1}, "1 of 3 replicas updated", ""),
        (
            APPS,
            "StatefulSet",
            {"replicas": 3, "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}},
            COUNTS | {"updatedReplicas": 1},
            "3 of 3 ready",
            "ready",
        ),
        (APPS, "StatefulSet", {"replicas": 3, "updateStrategy": {"type": "OnDelete"}}, COUNTS, "3 of 3 ready", "ready"),
        (APPS, "DaemonSet", {}, DAEMONS, "2 of 2 available", "ready"),
        (APPS, "DaemonSet", {}, DAEMONS | {"updatedNumberScheduled": 1}, "1 of 2 pods updated", ""),
        (APPS, "DaemonSet", {}, DAEMONS | {"numberAvailable": 1}, "1 of 2 available", ""),
        (APPS, "DaemonSet", {}, {}, "not seen by its controller yet", ""),
        (BATCH, "Job", {"completions": 2}, {"succeeded": 1}, "1 of 2 completions", ""),
        (BATCH, "Job", {}, {"conditions": [{"type": "Complete", "status": "True"}]}, "complete", "ready"),
        (BATCH, "Job", {"suspend": True}, {}, "suspended", "ready"),
        (
            BATCH,
            "Job",
            {},
            {"conditions": [{"type": "Failed", "status": "True", "message": "BackoffLimitExceeded"}]},
            "it failed: BackoffLimitExceeded",
            "failed",
        ),
        (SELDON, "SeldonDeployment", {}, {"state": "Available"}, "Available", "ready"),
        (SELDON, "SeldonDeployment", {}, {}, "not seen by the operator yet", ""),
        (SELDON, "SeldonDeployment", {}, {"state": "Failed", "description": "no graph"}, "Failed, no graph", "failed"),
        (
            SELDON,
            "SeldonDeployment",
            {},
            {"state": "Creating", "deploymentStatus": {"m": {"replicas": 2, "availableReplicas": 1}}},
            "Creating, m 1 of 2",
            "",
        ),
    ],
)
def test_progress_is_read_from_the_status(
    version: str, kind: str, spec: dict[str, Any], status: dict[str, Any], words: str, state: str
) -> None:
    """As `kubectl rollout status` reads it; a SeldonDeployment by its operator's word."""
    value = {"apiVersion": version, "kind": kind, "metadata": {"generation": 2}, "spec": spec, "status": status}
    found = progress(value)
    assert found is not None
    assert (found.words, found.is_ready, found.is_failed) == (words, state == "ready", state == "failed")


def test_other_kinds_have_nothing_to_wait_for() -> None:
    """A ConfigMap, and a Deployment of somebody else's group."""
    assert progress({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}}) is None
    assert progress({"apiVersion": "example.com/v1", "kind": "Deployment", "metadata": {}}) is None


def test_what_holds_an_object_is_told() -> None:
    """Known finalizers by what they wait for, others by name, a namespace by its conditions."""
    gone = {"deletionTimestamp": "now"}
    assert held({"kind": "K", "metadata": {}}) == "it is not being deleted"
    assert held({"kind": "K", "metadata": gone}) == "its grace period is not over"
    assert "what it owns to go first" in held({"kind": "K", "metadata": gone | {"finalizers": ["foregroundDeletion"]}})
    assert "the finalizer x/y, which" in held({"kind": "K", "metadata": gone | {"finalizers": ["x/y"]}})
    said = {"type": "NamespaceContentRemaining", "status": "True", "message": "pods has 1 resource instances"}
    namespace = {"kind": "Namespace", "metadata": gone, "spec": {"finalizers": ["kubernetes"]}}
    told = held(namespace | {"status": {"conditions": [said]}})
    assert told == "it waits for its contents to go first; pods has 1 resource instances"


def test_waits_double_up_to_a_limit() -> None:
    """From the first to the longest; what the server asks for is kept; at the limit it is given up."""
    backoff = Backoff(first_s=1, longest_s=8, limit_s=20)
    assert [backoff.wait_s(tries, 0) for tries in range(1, 7)] == [1, 2, 4, 8, 8, 8]
    assert backoff.wait_s(1, 0, 12) == 12
    assert backoff.wait_s(5, 0, 2) == 8
    assert backoff.wait_s(1, 15, 12) is None
    assert backoff.wait_s(10**6, 0) == 8


@pytest.mark.parametrize(
    ("error", "passing"),
    [
        *((ClusterError("x", status), True) for status in (409, 429, 500, 502, 503, 504)),
        *((ClusterError("x", status), False) for status in (400, 401, 403, 404, 422)),
        (ClusterError("x", 409, causes=(Cause("FieldManagerConflict", ".a", ""),)), False),
        (ClusterError("failed to create typed patch object (a/b): .x: field not declared in schema", 500), False),
        (ClusterError("failed to convert new object (a/b; /v1, Kind=Secret): illegal base64 data", 500), False),
    ],
)
def test_only_what_passes_is_tried_again(error: ClusterError, passing: bool) -> None:
    """Not what is wrong with the request, nor fields that are somebody else's, nor a 500 that means our object."""
    assert is_passing(error) is passing


@pytest.mark.parametrize(
    ("header", "seconds"), [("3", 3), ("0", 0), (None, None), ("Wed, 21 Oct 2026", None), ("-1", None), ("1e9", None)]
)
def test_retry_after(header: str | None, seconds: float | None) -> None:
    """Seconds, as Kubernetes sends it, within reason."""
    assert retry_after_s(header) == seconds
