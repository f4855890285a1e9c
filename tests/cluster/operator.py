"""A stand-in for Seldon's operator 1.17.1: `python -m tests.cluster.operator NAMESPACE`, inside the node's network.

It does to SeldonDeployments of one predictor what the original was seen to do, its faults included: it acts some time
after a change, writes no observedGeneration, and says Available if the Deployment's status counts a ready replica and
none that is unavailable, whether or not that is about the new template. Ends with its standard input.
"""

import os
import select
import sys
from typing import Any

from scorekit.deploy import RetryPolicy
from scorekit.deploy.kube import ConfigOverrides, find_target, load
from scorekit.deploy.kube.client import Client, SystemClock
from scorekit.errors import ClusterError

ACTS_AFTER_S = 3.0
POLL_S = 0.2
API = "machinelearning.seldon.io/v1"


class Operator:
    """Reconciles every SeldonDeployment of a namespace, one look after the other."""

    def __init__(self, client: Client, namespace: str) -> None:
        self._client = client
        self._namespace = namespace
        self._clock = SystemClock()
        self._due: dict[str, tuple[int, float]] = {}

    def look(self) -> None:
        """One look at everything. Objects that disappear meanwhile are left to the next one."""
        resource = self._client.resource(API, "SeldonDeployment")
        assert resource is not None
        for seldon in self._client.list_objects(resource, self._namespace):
            name, generation = seldon["metadata"]["name"], seldon["metadata"]["generation"]
            known, since = self._due.get(name, (0, 0.0))
            if known != generation:
                since = self._clock.now()
                self._due[name] = generation, since
            if self._clock.now() - since >= ACTS_AFTER_S:
                self._write("apps/v1", "Deployment", self._deployment(seldon))
            self._write_status(seldon)

    def _write(self, api_version: str, kind: str, value: Any) -> None:
        resource = self._client.resource(api_version, kind)
        assert resource is not None
        self._client.apply(value, resource, dry_run=False, force=True)

    def _deployment(self, seldon: Any) -> Any:
        (predictor,) = seldon["spec"]["predictors"]
        (component,) = predictor["componentSpecs"]
        name = f"{seldon['metadata']['name']}-{predictor['name']}-0-{component['spec']['containers'][0]['name']}"
        labels = {"seldon-deployment-id": seldon["metadata"]["name"]}
        owner = {"apiVersion": API, "kind": "SeldonDeployment", "controller": True}
        owner |= {"name": seldon["metadata"]["name"], "uid": seldon["metadata"]["uid"]}
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name, "namespace": self._namespace, "labels": labels, "ownerReferences": [owner]},
            "spec": {
                "replicas": predictor["replicas"],
                "selector": {"matchLabels": labels},
                "strategy": {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
                "template": {"metadata": {"labels": labels}, "spec": component["spec"]},
            },
        }

    def _write_status(self, seldon: Any) -> None:
        deployments = self._client.resource("apps/v1", "Deployment")
        assert deployments is not None
        found = self._client.get(deployments, self._namespace, self._deployment(seldon)["metadata"]["name"])
        status = (found or {}).get("status") or {}
        ready = status.get("readyReplicas", 0) > 0 and not status.get("unavailableReplicas")
        resource = self._client.resource(API, "SeldonDeployment")
        assert resource is not None
        path = f"{resource.path(self._namespace, seldon['metadata']['name'])}/status"
        body = {"status": {"state": "Available" if ready else "Creating"}}
        self._client.request("PATCH", path, body=body, content_type="application/merge-patch+json")


def main(namespace: str) -> None:
    target = find_target(load("", os.environ), ConfigOverrides(context="minikube"), "", "")
    operator = Operator(Client(target, lambda level, message: None, RetryPolicy(limit_s=10)), namespace)
    while not select.select([sys.stdin], [], [], POLL_S)[0]:
        try:
            operator.look()
        except ClusterError as error:
            print(error, file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1])
