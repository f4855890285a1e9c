"""What runs for a deployment: the folder behind its image, and the environment that the operator would set."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from ..errors import SetupError
from ..settings import names
from .spec import SeldonDeployment


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePlan:
    """One process to start: it serves ``folder`` with ``environ``, on ``http_port`` and ``grpc_port``."""

    deployment: SeldonDeployment
    folder: PurePath
    environ: Mapping[str, str]
    http_port: int
    grpc_port: int


def plan_node(deployment: SeldonDeployment, folder: PurePath, host: str, ports: Iterator[int]) -> NodePlan:
    """Return the process of the deployment's node, which listens on ``host``.

    Its variables are those that the operator of seldon-core 1.17.1 sets in a component's container. Three numbers are
    taken from ``ports``: for HTTP, gRPC and metrics.
    """
    node = deployment.node
    http, grpc, metrics = (next(ports) for _ in range(3))
    environ = {
        **node.environ,
        names.ENV_SERVICE_PORT: str(http),
        names.ENV_HTTP_PORT: str(http),
        names.ENV_GRPC_PORT: str(grpc),
        names.ENV_METRICS_PORT: str(metrics),
        names.ENV_METRICS_ENDPOINT: "/prometheus",
        names.ENV_UNIT_ID: node.name,
        names.ENV_UNIT_IMAGE: node.image,
        names.ENV_PREDICTOR_ID: deployment.predictor,
        names.ENV_PREDICTOR_LABELS: json.dumps(dict(deployment.labels)),
        names.ENV_DEPLOYMENT_ID: deployment.name,
        names.ENV_EXECUTOR_ENABLED: "true",
        names.ENV_HOST: host,
    }
    if node.parameters:
        environ[names.ENV_PARAMETERS] = json.dumps([dict(parameter) for parameter in node.parameters])
    if deployment.grpc_max_message_bytes is not None:
        # In a cluster, the server reads this from the annotations of its pod; here there is no pod.
        environ.setdefault(names.ENV_GRPC_MAX_MESSAGE, str(deployment.grpc_max_message_bytes))
    return NodePlan(deployment=deployment, folder=folder, environ=environ, http_port=http, grpc_port=grpc)


def folder_of(image: str, folders: Mapping[str, str], where: str) -> str:
    """Return the folder that stands for ``image``: by the whole reference, or else without its tag and digest.

    Raises ``SetupError`` with the line to add to the file ``where`` if there is none.
    """
    bare = image.split("@")[0]
    if ":" in bare.rsplit("/", 1)[-1]:
        bare = bare.rsplit(":", 1)[0]
    folder = folders.get(image) or folders.get(bare)
    if not folder:
        raise SetupError(
            f"which folder is the source of the image {image}? Add the line `{bare}: ../FOLDER` to {where}"
        )
    return folder
