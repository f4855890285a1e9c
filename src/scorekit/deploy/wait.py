"""Waiting until what was applied runs, or until what was deleted is gone.

Both waits are one loop: look at every object twice a second, report what is still pending, and end when nothing is,
when something has failed for good, or when the time is over. Objects are read again and not watched, because there is
only a handful of them and a watch would have to be resumed whenever a connection drops (docs/design/0014).

A look (``Look``) is a function that reads what it needs and returns a :class:`~.progress.Progress`. Those of workloads
stand in :mod:`.rollouts`: they read more than the object itself, for its pods know the reasons.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType

from ..manifests import Object
from .cluster import ApiResource, Clock, Cluster
from .progress import Progress, deletion_progress, rollout_progress
from .rollouts import SeldonRollout, SeldonState, WorkloadRollout
from .stamp import title

_POLL_S = 0.5

Look = Callable[[], Progress]
"""Reads an object and whatever else tells how far it is."""
PendingFunction = Callable[[Sequence[tuple[str, str]]], None]
"""Called after each round with what is still pending: the title of each object, and how far it is in words."""


@dataclass(slots=True)
class WaitResult:
    """The objects that did not come to their end, by title: those that failed, and those that took too long."""

    failed: Mapping[str, str] = field(default_factory=dict)
    late: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiter:
    """The loop: ``clock`` to wait on, ``limit_s`` for all objects together, and where to report what is pending."""

    clock: Clock
    limit_s: float
    pending: PendingFunction

    def until_done(self, looks: Mapping[str, Look], done: Callable[[str], None] = lambda title: None) -> WaitResult:
        """Look until all objects are done, one has failed, or the time is over.

        ``looks`` are by title, and ``done`` is called with the title of each object that is done. Raises
        ``ClusterError`` if a look does.
        """
        waiting = dict(looks)
        deadline = self.clock.now() + self.limit_s
        while waiting:
            progress: dict[str, Progress] = {}
            for called, look in list(waiting.items()):
                progress[called] = look()
                if progress[called].is_done:
                    del waiting[called]
                    done(called)
            failed = {called: state.words for called, state in progress.items() if state.is_failed}
            pending = {called: progress[called].words for called in waiting}
            self.pending(list(pending.items()))
            if failed or (pending and self.clock.now() >= deadline):
                return WaitResult(failed, {called: words for called, words in pending.items() if called not in failed})
            if pending:
                self.clock.sleep(_POLL_S)
        return WaitResult()


def until_ready(
    cluster: Cluster,
    objects: Iterable[Object],
    waiter: Waiter,
    ready: Callable[[str], None],
    states: Mapping[str, SeldonState] = MappingProxyType({}),
) -> WaitResult:
    """Wait until every workload of ``objects`` runs; ``ready`` is called with the title of each that does.

    ``states`` are those of SeldonDeployments before the apply, by title.

    Ends early if one of them fails for good. Raises ``ClusterError`` if the server does not answer.
    """
    looks: dict[str, Look] = {}
    for value in objects:
        if value["kind"] == "SeldonDeployment":
            looks[title(value)] = SeldonRollout(cluster, value, waiter.clock, states.get(title(value)))
        elif rollout_progress(value) is not None:
            looks[title(value)] = WorkloadRollout(cluster, value)
    return waiter.until_done(looks, ready)


def until_gone(cluster: Cluster, objects: Iterable[tuple[ApiResource, Object]], waiter: Waiter) -> WaitResult:
    """Wait until none of ``objects`` exists. Another object of the same name, by its uid, does not count.

    Raises ``ClusterError`` if the server does not answer.
    """
    looks = {title(value): partial(_deletion, cluster, resource, value) for resource, value in objects}
    return waiter.until_done(looks)


def _deletion(cluster: Cluster, resource: ApiResource, value: Object) -> Progress:
    """The look at an object that is being deleted."""
    metadata = value["metadata"]
    now = cluster.get(resource, metadata.get("namespace", ""), metadata["name"])
    if now is None or now["metadata"].get("uid") != metadata.get("uid"):
        return Progress("", is_done=True)
    return deletion_progress(now)
