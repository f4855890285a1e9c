"""Where a new environment points to: the flags of ``ks init`` and ``ks env add``."""

import argparse
import os
from dataclasses import dataclass

from .cluster_flags import add_context_flags
from .logrus import log


@dataclass(frozen=True, slots=True)
class Destination:
    server: str
    namespace: str


def add_flags(parser: argparse.ArgumentParser) -> None:
    add_context_flags(
        parser,
        server="the address of the cluster's API server",
        context="a context of kubeconfig, to which the environment refers by name",
        namespace="the namespace of its objects (default: the context's, else default)",
    )
    parser.add_argument(
        "--api-spec", default="", metavar="SPEC", help="version:vX.Y.Z or file:PATH (default: version:v1.8.0)"
    )


def destination(arguments: argparse.Namespace) -> Destination | None:
    """What the flags say, else the current context of kubectl; None where there is no context at all."""
    if arguments.server:
        return Destination(arguments.server, arguments.namespace or "default")
    from ...deploy.kube.config import find_context
    from ...deploy.kube.target import CONTEXT_PREFIX

    found = find_context(arguments.kubeconfig, os.environ, arguments.context)
    if found is None and not arguments.context:
        return None
    if found is None:
        log(
            "warning",
            f"context '{arguments.context}' does not exist in the kubeconfig file; the environment keeps its name",
        )
        return Destination(CONTEXT_PREFIX + arguments.context, arguments.namespace or "default")
    name, context, cluster = found
    log("info", f'Using context "{name}" from kubeconfig file "{context.file}"')
    server = CONTEXT_PREFIX + arguments.context if arguments.context else cluster.server
    return Destination(server, arguments.namespace or context.namespace or "default")
