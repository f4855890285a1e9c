"""A ``SeldonDeployment`` and its inference graph; today graphs of one node, and what a machine needs to run it.

May import ``errors`` and ``settings``, and does no I/O, so that serving, deploying and tests can all use it.
Begin with :func:`~scorekit.graph.spec.read_deployment`.
"""

from .plan import NodePlan, folder_of, plan_node
from .spec import KIND, GraphNode, SeldonDeployment, read_deployment

__all__ = ["KIND", "GraphNode", "NodePlan", "SeldonDeployment", "folder_of", "plan_node", "read_deployment"]
