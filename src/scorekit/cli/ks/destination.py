"""The cluster of a new environment: the flags of ``ks init`` and ``ks env add``, and kubeconfig."""

import argparse
import os
from dataclasses import dataclass

from .cluster_flags import add_context_flags
from .logrus import log


@dataclass(frozen=True, slots=True)
class Destination:
    """``destination`` of an environment; ``server`` is an address, or ``context:NAME``."""

    server: str
    namespace: str


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that :func:`destination` reads, and ``--api-spec``."""
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
    """The cluster and the namespace that the flags name, else those of kubectl's current context.

    A context that is named keeps its name, so that one app fits everybody's kubeconfig, and it need not exist yet. None
    without a kubeconfig. Raises ``SetupError`` for a kubeconfig that cannot be read and a context without a cluster.
    """
    if arguments.server:
        return Destination(arguments.server, arguments.namespace or "default")
    from ...deploy.kube.config import find_context
    from ...deploy.kube.target import CONTEXT_PREFIX

    named = find_context(arguments.kubeconfig, os.environ, arguments.context)
    if named is None and not arguments.context:
        return None
    if named is None:
        log(
            "warning",
            f"context '{arguments.context}' does not exist in the kubeconfig file; the environment keeps its name",
        )
        return Destination(CONTEXT_PREFIX + arguments.context, arguments.namespace or "default")
    name, context, cluster = named
    log("info", f'Using context "{name}" from kubeconfig file "{context.file}"')
    server = CONTEXT_PREFIX + arguments.context if arguments.context else cluster.server
    return Destination(server, arguments.namespace or context.namespace or "default")
