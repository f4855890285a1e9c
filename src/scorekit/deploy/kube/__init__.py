"""Requests to a Kubernetes API server: kubeconfig, credentials, connections and the client.

This is the only part of ``deploy`` that opens sockets and starts processes. It imports ``errors``, ``manifests`` and
the interfaces in ``deploy.cluster`` and ``deploy.retry``, and nothing of ``ks``. Begin with :mod:`.config` (what
kubeconfig says), then :mod:`.target` (which cluster is meant) and :mod:`.client`, which is not re-exported here because
it needs urllib3 and ``ks env set`` does not.
"""

from .config import ClusterEntry, ContextEntry, ExecConfig, KubeConfig, PemSource, UserEntry, find_context, load
from .target import CONTEXT_PREFIX, ConfigOverrides, Target, find_target

__all__ = [
    "CONTEXT_PREFIX",
    "ClusterEntry",
    "ConfigOverrides",
    "ContextEntry",
    "ExecConfig",
    "KubeConfig",
    "PemSource",
    "Target",
    "UserEntry",
    "find_context",
    "find_target",
    "load",
]
