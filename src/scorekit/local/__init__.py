"""An app on this machine, without a cluster: one process for each node of a graph, and a real Envoy in front.

May import both halves of the package, and sockets and processes. Begin with :mod:`~scorekit.local.app`, which starts an
app and keeps it running; ``processes`` is one child process, ``envoy`` the command that runs the gateway.
"""

from .app import NODE_HOST, LocalRun, ReadinessProbe
from .envoy import envoy_command, find_envoy
from .processes import ChildProcess, Command

__all__ = [
    "NODE_HOST",
    "ChildProcess",
    "Command",
    "LocalRun",
    "ReadinessProbe",
    "envoy_command",
    "find_envoy",
]
