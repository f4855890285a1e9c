"""A ``SeldonDeployment`` as a machine without a cluster can run it: its node, and the node's environment."""

from .plan import NodePlan, folder_of, plan
from .spec import Deployment, Node, read_deployment

__all__ = ["Deployment", "Node", "NodePlan", "folder_of", "plan", "read_deployment"]
