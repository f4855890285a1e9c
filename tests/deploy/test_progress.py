"""How far an object is, as its status says."""

from typing import Any

import pytest

from scorekit.deploy.progress import deletion_progress, rollout_progress

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
        (APPS, "Deployment", {}, {}, "its controller has not seen it yet", ""),
        (APPS, "Deployment", {}, COUNTS | {"observedGeneration": 1}, "its controller has not seen the change yet", ""),
        (APPS, "Deployment", {"replicas": 3}, COUNTS | {"updatedReplicas": 1}, "1 of 3 replicas updated", ""),
        (APPS, "Deployment", {"replicas": 3}, COUNTS | {"replicas": 4}, "1 old replicas still running", ""),
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
        (APPS, "DaemonSet", {}, {}, "its controller has not seen it yet", ""),
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
        (SELDON, "SeldonDeployment", {}, {}, "the operator has not seen it yet", ""),
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
    """Workloads are judged as `kubectl rollout status` judges them, a SeldonDeployment by its operator's state."""
    value = {"apiVersion": version, "kind": kind, "metadata": {"generation": 2}, "spec": spec, "status": status}
    progress = rollout_progress(value)
    assert progress is not None
    assert (progress.words, progress.is_done, progress.is_failed) == (words, state == "ready", state == "failed")


def test_other_kinds_have_nothing_to_wait_for() -> None:
    """Only the kinds that we know have a rollout: a Deployment of another group has none."""
    assert rollout_progress({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}}) is None
    assert rollout_progress({"apiVersion": "example.com/v1", "kind": "Deployment", "metadata": {}}) is None


def test_what_keeps_an_object_from_being_deleted_is_named() -> None:
    """Known finalizers are explained, others named, and a namespace adds what its conditions say."""

    def words(**value: Any) -> str:
        return deletion_progress({"kind": "K", **value}).words

    going = {"deletionTimestamp": "now"}
    assert words(metadata={}) == "the server has not begun to delete it"
    assert words(metadata=going) == "its grace period has not ended"
    assert "blocked by the objects that it owns" in words(metadata=going | {"finalizers": ["foregroundDeletion"]})
    assert "the finalizer x/y, which" in words(metadata=going | {"finalizers": ["x/y"]})
    condition = {"type": "NamespaceContentRemaining", "status": "True", "message": "pods has 1 resource instances"}
    assert (
        words(
            kind="Namespace",
            metadata=going,
            spec={"finalizers": ["kubernetes"]},
            status={"conditions": [condition]},
        )
        == "blocked by the objects in it; pods has 1 resource instances"
    )
