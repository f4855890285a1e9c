"""Objects as ksonnet 0.13 left them, with its annotation, label and managed fields (ksonnet-rules.md#apply)."""

import base64
import gzip
import json
from typing import Any

from scorekit.deploy.kube.client import Client
from scorekit.manifests.ownership import PRISTINE

Object = dict[str, Any]


def by_ksonnet(client: Client, namespace: str, value: Object, manager: str = "ks", version: str = "") -> Object:
    """Create ``value`` as ksonnet did, with fields owned by ``manager`` in the API version ``version``."""
    text = json.dumps(value) + "\n"
    pristine = base64.b64encode(gzip.compress(text.encode())).decode()
    metadata = {
        **value["metadata"],
        "annotations": {PRISTINE: json.dumps({"pristine": pristine})},
        "labels": {"app.kubernetes.io/deploy-manager": "ksonnet", "ksonnet.io/component": "web"},
    }
    kind = client.resource(value["apiVersion"], value["kind"])
    assert kind
    made = client.request(
        "POST", kind.path(namespace), query={"fieldManager": manager}, body={**value, "metadata": metadata}
    )
    if not version:
        return made
    entries = [{**entry, "apiVersion": version} for entry in made["metadata"]["managedFields"]]
    patch = [{"op": "replace", "path": "/metadata/managedFields", "value": entries}]
    return client.patch(patch, kind, namespace, value["metadata"]["name"])
