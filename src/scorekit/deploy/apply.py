"""Applying: every object by server-side apply, in the order of dependency, and pruning afterwards.

Server-side apply means that the API server merges, not we: ``ks`` sends what the source says, and the server knows
which manager owns which field (``metadata.managedFields``; see ``manifests.ownership``). What the server does with a
field::

    in the source      we own it, or nobody does      it gets the source's value
    in the source      another manager owns it        same value: owned by both. Other value: a conflict (409)
    left the source    we own it alone                it is removed, or gets its default
    left the source    others own it too              it stays, and is theirs
    never in it        anybody                        it stays as it is

A conflict names fields that somebody has set since, by ``kubectl scale`` or an autoscaler for example. It is refused
and explained (:mod:`.conflict`), because either side may be right. ``force`` takes the fields and makes us their owner.

The run goes on after an object that the server refuses, and ends after one to which it does not answer any more. A
second run is always safe: it changes nothing about the objects that are done.
"""

from dataclasses import dataclass

from ..errors import ClusterError
from ..manifests import FieldChange, Object, changes, redacted, unserved
from .cluster import ApiResource, Clock, Cluster, LogFunction
from .conflict import explained
from .definition import POLL_S, SERVED_WITHIN_S, defined_kind, group_of, is_definition, wait_until_served
from .outcome import ObjectResult, Outcome, ResultFunction
from .plan import DeployPlan, PlannedObject
from .prune import Pruner
from .retry import is_transient
from .stamp import log_name, stamped, title, with_live_tag
from .takeover import Takeover, leaving_fields

_NOT_FOUND, _REFUSED = 404, 422


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyOptions:
    """The flags of ``ks apply``; their names are those of the command line."""

    create: bool = True
    dry_run: bool = False
    force_conflicts: bool = False
    gc_tag: str = ""
    skip_gc: bool = False


class Applier:
    """One run of ``ks apply``; ``outcome`` is current at every moment, also after an interruption."""

    def __init__(
        self, cluster: Cluster, options: ApplyOptions, *, clock: Clock, log: LogFunction, done: ResultFunction
    ) -> None:
        self._cluster = cluster
        self._options = options
        self._clock = clock
        self._log = log
        self._done = done
        self._takeover = Takeover(cluster, clock, log)
        self._new_kinds: set[tuple[str, str]] = set()
        self._refused_kinds: dict[tuple[str, str], str] = {}  # with the title of the definition that was refused
        self._new_namespaces: set[str] = set()
        self._suffix = " (dry run)" if options.dry_run else ""
        self.outcome = Outcome()

    def run(self, plan: DeployPlan) -> Outcome:
        """Apply all objects of ``plan``, then prune if there is a gc tag.

        Refused objects are in the outcome. Raises ``ClusterError`` only where pruning cannot list a kind.
        """
        todo = plan.in_apply_order()
        self._new_kinds = {defined_kind(planned.value) for planned in todo if is_definition(planned.value)}
        self._new_namespaces = {
            planned.value["metadata"].get("name", "")
            for planned in todo
            if (planned.api_version, planned.kind) == ("v1", "Namespace")
        }
        self.outcome.remaining = [planned.title for planned in todo]
        for planned in todo:
            error = self._try(planned, plan)
            self.outcome.remaining.pop(0)
            # No answer, or still the same trouble after all retries: the next object would fare no better.
            if error is not None and (error.status == 0 or is_transient(error)):
                return self.outcome
        if self._options.gc_tag and not self._options.skip_gc:
            self._prune(plan)
        return self.outcome

    def _try(self, planned: PlannedObject, plan: DeployPlan) -> ClusterError | None:
        called = self.outcome.remaining[0]
        try:
            self._apply(planned, plan)
        except ClusterError as error:
            self.outcome.refused.append((called, error))
            self._log("error", f"{called}: {error}")
            if is_definition(planned.value):
                # Nothing will serve what it would have defined: objects of the kind need not wait for that.
                kind = defined_kind(planned.value)
                self._refused_kinds[kind] = called
                self._new_kinds.discard(kind)
            return error
        return None

    def _apply(self, planned: PlannedObject, plan: DeployPlan) -> None:
        planned = self._with_resource(planned, plan)
        sent = stamped(planned.value, self._options.gc_tag)
        name = log_name(sent, planned.resource)
        self._log("info", f"Applying {name}{self._suffix}")
        if planned.resource is None:
            self._add(ObjectResult(title(sent), "created", note="not checked: the server does not serve this kind yet"))
            return
        live = self._settled(planned.resource, sent)
        sent = with_live_tag(sent, live)
        if live is None:
            if not self._options.create:
                raise ClusterError(f"not creating non-existent object {name}", _NOT_FOUND)
            self._log("info", f"Creating non-existent {name}{self._suffix}")
        leaving = leaving_fields(live, sent) if live is not None else []
        now = self._send(planned.resource, live, sent)
        if now is None:
            self._add(ObjectResult(title(sent), "created", note="not checked: its namespace does not exist yet"))
            return
        self.outcome.applied.append(now)
        self._add(_compared(live, now, leaving))
        if is_definition(now) and not self._options.dry_run:
            wait_until_served(now, planned.resource, self._cluster, self._clock, self._log)

    def _add(self, result: ObjectResult) -> None:
        self.outcome.done.append(result)
        self._done(result)

    def _with_resource(self, planned: PlannedObject, plan: DeployPlan) -> PlannedObject:
        """``planned`` with its kind, which this run may have defined meanwhile.

        A dry run defines nothing, so there an object of a kind that the run would define stays without. Raises
        ``ClusterError`` for a kind that the server does not serve.
        """
        if planned.resource is not None:
            return planned
        refused = self._refused_kinds.get((group_of(planned.api_version), planned.kind))
        if refused is not None:
            raise ClusterError(f"the server does not serve this kind: {refused} was refused, see above", _NOT_FOUND)
        resource = self._cluster.resource(planned.api_version, planned.kind)
        if resource is not None:
            return plan.resolved(planned, resource)
        if not (self._options.dry_run and (group_of(planned.api_version), planned.kind) in self._new_kinds):
            raise ClusterError(unserved(planned.api_version, planned.kind, self._cluster.version()), _NOT_FOUND)
        return planned

    def _settled(self, resource: ApiResource, sent: Object) -> Object | None:
        """The object on the cluster; None if there is none.

        An object that is being deleted is waited for: what is applied to it would disappear with it. Raises
        ``ClusterError`` if that takes longer than :data:`SERVED_WITHIN_S`.
        """
        metadata = sent["metadata"]
        deadline, is_logged = self._clock.now() + SERVED_WITHIN_S, False
        while True:
            live = self._cluster.get(resource, metadata.get("namespace", ""), metadata["name"])
            if live is None or not live["metadata"].get("deletionTimestamp") or self._options.dry_run:
                return live
            if not is_logged:
                self._log("info", f"waiting until {title(live)} is deleted, before it is created again")
                is_logged = True
            if self._clock.now() > deadline:
                why = ", ".join(live["metadata"].get("finalizers") or ()) or "its grace period"
                raise ClusterError(
                    f"it is still being deleted after {SERVED_WITHIN_S:.0f} s, because of {why}", _REFUSED
                )
            self._clock.sleep(POLL_S)

    def _send(self, resource: ApiResource, live: Object | None, sent: Object) -> Object | None:
        """The object after the apply, with ksonnet's taken over; None in a dry run whose namespace is not there yet.

        The server's dry run knows nothing of what this run would make before it.
        """
        if self._options.dry_run:
            try:
                return self._send_until_served(resource, sent)
            except ClusterError as error:
                if error.status == _NOT_FOUND and sent["metadata"].get("namespace") in self._new_namespaces:
                    return None
                raise explained(error, sent, live) from error
        if live is not None:
            self._takeover.begin(resource, live, sent)
        try:
            now = self._send_until_served(resource, sent)
        except ClusterError as error:
            raise explained(error, sent, live) from error
        return self._takeover.end(resource, now, sent)

    def _send_until_served(self, resource: ApiResource, sent: Object) -> Object:
        """The object after the apply. A kind that this run has defined may not be usable yet, so its 404 is retried."""
        options, deadline = self._options, self._clock.now() + SERVED_WITHIN_S
        is_new = (group_of(resource.api_version), resource.kind) in self._new_kinds
        while True:
            try:
                return self._cluster.apply(sent, resource, dry_run=options.dry_run, force=options.force_conflicts)
            except ClusterError as error:
                is_about_namespace = "namespaces" in str(error)
                if error.status != _NOT_FOUND or not is_new or is_about_namespace or self._clock.now() > deadline:
                    raise
            self._clock.sleep(POLL_S)

    def _prune(self, plan: DeployPlan) -> None:
        if self.outcome.refused:
            # An object that was refused may be on the cluster, and its uid is not among those to keep.
            self._log("warning", "garbage collection is skipped, because not everything was applied")
            return
        pruner = Pruner(self._cluster, self._options.gc_tag, plan.components, self._log)
        keep = {value["metadata"].get("uid", "") for value in self.outcome.applied}
        for value, resource in pruner.prunable(keep):
            called = title(value)
            self._log("info", f"Garbage collecting {log_name(value, resource)}{self._suffix}")
            try:
                if self._options.dry_run or pruner.remove(value, resource):
                    self._add(ObjectResult(called, "removed"))
            except ClusterError as error:
                self.outcome.refused.append((called, error))
                self._log("error", f"{called}: {error}")


def _compared(live: Object | None, now: Object, leaving: list[FieldChange]) -> ObjectResult:
    """The result of an apply; ``leaving`` are the fields that the takeover removes, which a dry run does not show."""
    if live is None:
        return ObjectResult(title(now), "created")
    changed = changes(live, now)
    known = {change.path for change in changed}
    changed = redacted([*changed, *(change for change in leaving if change.path not in known)], now["kind"])
    return ObjectResult(title(now), "changed" if changed else "unchanged", changed)
