"""Deploying: the objects of an environment onto a cluster, and off it again, one module for each verb.

The verbs know the cluster by the interface in :mod:`.cluster` alone; only :mod:`.kube` may open sockets and start
processes, and nothing here imports ``ks``, which renders the objects.
Begin with :mod:`.plan` (what a verb gets) and :mod:`.apply` (how server-side apply, takeover and pruning work
together), then :mod:`.wait`.
"""

from .apply import Applier, ApplyOptions
from .cluster import FIELD_MANAGER, ApiResource, Clock, Cluster
from .delete import Deleter
from .difference import against_cluster, between, diff_lines, diff_sides, field_lines, flipped, on_cluster
from .outcome import ObjectResult, Outcome
from .plan import DeployPlan, PlannedObject, check_distinct, components_of, plan
from .progress import Progress
from .retry import RetryPolicy
from .rollouts import SeldonState, seldon_states
from .validate import Validator
from .wait import Waiter, WaitResult, until_gone, until_ready

__all__ = [
    "FIELD_MANAGER",
    "ApiResource",
    "Applier",
    "ApplyOptions",
    "Clock",
    "Cluster",
    "Deleter",
    "DeployPlan",
    "ObjectResult",
    "Outcome",
    "PlannedObject",
    "Progress",
    "RetryPolicy",
    "SeldonState",
    "Validator",
    "WaitResult",
    "Waiter",
    "against_cluster",
    "between",
    "check_distinct",
    "components_of",
    "diff_lines",
    "diff_sides",
    "field_lines",
    "flipped",
    "on_cluster",
    "plan",
    "seldon_states",
    "until_gone",
    "until_ready",
]
