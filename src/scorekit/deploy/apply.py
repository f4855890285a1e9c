"""Objects onto a cluster: what others need first, each by server-side apply; what is no more is removed."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from ..errors import ClusterError
from ..manifests.documents import Object
from ..manifests.extract import COMPONENT_LABEL
from ..manifests.fields import FieldChange, changes, one_line, redacted, value_at
from ..manifests.order import in_apply_order
from ..manifests.removed import unserved
from .backoff import FIELD_CONFLICT, is_passing
from .cluster import Cluster, Kind, Patience, Tell
from .prune import Prune
from .stamp import in_namespace, resource, stamped, title, with_its_tag
from .takeover import Takeover, to_go

READY_WITHIN_S = 60.0  # a namespace, a kind: the API server's own affairs, done in seconds
_POLL_S = 0.25
_NOT_FOUND, _REFUSED = 404, 422


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line asks for. ``components`` narrows what pruning may touch; empty: everything tagged."""

    namespace: str
    create: bool = True
    dry_run: bool = False
    force: bool = False
    gc_tag: str = ""
    skip_gc: bool = False
    components: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Done:
    """One object that was sent (or, in a dry run, would be). ``verb`` is created, changed, unchanged or removed."""

    title: str
    verb: str
    changes: Sequence[FieldChange] = ()
    note: str = ""


@dataclass(slots=True)
class Outcome:
    """How far it got. ``left`` was not tried; a rerun does that, and does nothing to what is done."""

    done: list[Done] = field(default_factory=list)
    refused: list[tuple[str, ClusterError]] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    applied: list[Object] = field(default_factory=list)
    """As the cluster has them now."""

    @property
    def has_begun(self) -> bool:
        """Whether there is anything to tell besides what ended it."""
        return bool(self.done or self.refused)

    @property
    def is_complete(self) -> bool:
        return not self.refused and not self.left


class Applying:
    """One run of ``ks apply``; ``outcome`` is true at every moment, also after an interruption."""

    def __init__(
        self, cluster: Cluster, wishes: Wishes, clock: Patience, tell: Tell, did: Callable[[Done], None]
    ) -> None:
        self._cluster = cluster
        self._wishes = wishes
        self._clock = clock
        self._tell = tell
        self._did = did
        self._takeover = Takeover(cluster, clock, tell)
        self._coming: set[tuple[str, str]] = set()  # kinds and namespaces that this run makes, by group or "Namespace"
        self.outcome = Outcome()

    def run(self, objects: Iterable[Object]) -> Outcome:
        """Send all ``objects``. One that is refused keeps none of the others back; a server that is gone does."""
        todo = in_apply_order(objects)
        self._coming = {what for value in todo if (what := _made(value)) is not None}
        self.outcome.left = self._titles(todo)
        for value in todo:
            called = self.outcome.left[0]
            try:
                self._one(value)
            except ClusterError as error:
                self.outcome.refused.append((called, error))
                self._tell("error", f"{called}: {error}")
                if error.status == 0 or is_passing(error):  # and it has been tried often enough
                    self.outcome.left.pop(0)
                    return self.outcome
            self.outcome.left.pop(0)
        if self._wishes.gc_tag and not self._wishes.skip_gc:
            self._prune()
        return self.outcome

    def _titles(self, todo: Iterable[Object]) -> list[str]:
        found = []
        for value in todo:
            kind = self._cluster.kind(str(value.get("apiVersion", "")), value["kind"])
            found.append(title(in_namespace(value, kind, self._wishes.namespace)))
        return found

    def _one(self, value: Object) -> None:
        kind = self._kind(value)
        sent = stamped(value, kind, self._wishes.namespace, self._wishes.gc_tag)
        name = resource(sent, kind)
        mark = " (dry run)" if self._wishes.dry_run else ""
        self._tell("info", f"Applying {name}{mark}")
        if kind is None:  # dry run: its definition is among what would be applied
            self._note(
                Done(title(sent), "created", note="not checked by the server: its kind does not exist there yet")
            )
            return
        live = self._settled(kind, sent)
        sent = with_its_tag(sent, live)
        if live is None:
            if not self._wishes.create:
                raise ClusterError(f"not creating non-existent object {name}", _NOT_FOUND)
            self._tell("info", f"Creating non-existent {name}{mark}")
        gone = to_go(live, sent) if live is not None else []
        if live is not None and not self._wishes.dry_run:
            self._takeover.begin(kind, live, sent)
        try:
            now = self._send(kind, sent)
        except ClusterError as error:
            is_coming = ("Namespace", sent["metadata"].get("namespace", "")) in self._coming
            if self._wishes.dry_run and error.status == _NOT_FOUND and is_coming:
                self._note(
                    Done(title(sent), "created", note="not checked by the server: its namespace does not exist yet")
                )
                return
            raise _explained(error, sent, live, self._wishes.namespace) from error
        if not self._wishes.dry_run:
            now = self._takeover.end(kind, now, sent)
        self.outcome.applied.append(now)
        self._note(_compared(live, now, gone))
        if not self._wishes.dry_run and now["kind"] == "CustomResourceDefinition":
            self._await_served(kind, now)

    def _note(self, done: Done) -> None:
        self.outcome.done.append(done)
        self._did(done)

    def _kind(self, value: Object) -> Kind | None:
        """The server's word for the object's kind; None in a dry run where it is only about to be defined."""
        api_version, name = str(value.get("apiVersion", "")), value["kind"]
        found = self._cluster.kind(api_version, name)
        if found is None and not (self._wishes.dry_run and (_group(api_version), name) in self._coming):
            raise ClusterError(unserved(api_version, name, self._cluster.version()), _NOT_FOUND)
        return found

    def _settled(self, kind: Kind, sent: Object) -> Object | None:
        """The object as it is on the cluster, once it is not on its way out: what is applied to that goes with it."""
        metadata = sent["metadata"]
        deadline, has_told = self._clock.now() + READY_WITHIN_S, False
        while True:
            live = self._cluster.get(kind, metadata.get("namespace", ""), metadata["name"])
            if live is None or not live["metadata"].get("deletionTimestamp") or self._wishes.dry_run:
                return live
            if not has_told:
                self._tell("info", f"{title(live)} is being deleted; waiting for its end")
                has_told = True
            if self._clock.now() > deadline:
                why = ", ".join(live["metadata"].get("finalizers") or ()) or "its grace period"
                raise ClusterError(
                    f"it is still being deleted after {READY_WITHIN_S:.0f} s; it waits for {why}", _REFUSED
                )
            self._clock.sleep(_POLL_S)

    def _send(self, kind: Kind, sent: Object) -> Object:
        wishes, deadline = self._wishes, self._clock.now() + READY_WITHIN_S
        while True:
            try:
                return self._cluster.apply(
                    sent, kind, sent["metadata"].get("namespace", ""), dry_run=wishes.dry_run, force=wishes.force
                )
            except ClusterError as error:
                # A kind that this run has defined is known a moment before it can be used.
                is_new = (_group(kind.api_version), kind.name) in self._coming
                is_about_namespace = "namespaces" in str(error)
                if error.status != _NOT_FOUND or not is_new or is_about_namespace or self._clock.now() > deadline:
                    raise
            self._clock.sleep(_POLL_S)

    def _await_served(self, kind: Kind, now: Object) -> None:
        """Until the objects of a kind that was defined just now can be applied."""
        spec = now["spec"]
        served = [f"{spec['group']}/{version['name']}" for version in spec["versions"] if version.get("served")]
        deadline, has_told = self._clock.now() + READY_WITHIN_S, False
        while True:
            conditions = _conditions(now)
            established = conditions.get("Established", {}).get("status") == "True"
            if established and all(self._cluster.kind(version, spec["names"]["kind"]) for version in served):
                return
            refused = conditions.get("NamesAccepted", {})
            if refused.get("status") == "False":
                raise ClusterError(f"its names are not accepted: {refused.get('message')}", _REFUSED)
            if not has_told:
                self._tell("info", f"waiting for {spec['names']['kind']} to be served")
                has_told = True
            if self._clock.now() > deadline:
                raise ClusterError(
                    f"{spec['names']['kind']} is not served {READY_WITHIN_S:.0f} s after its definition", _NOT_FOUND
                )
            self._clock.sleep(_POLL_S)
            now = self._cluster.get(kind, "", now["metadata"]["name"]) or now

    def _prune(self) -> None:
        if self.outcome.refused:
            self._tell("warning", "nothing is garbage-collected, for not everything could be applied")
            return
        prune = Prune(self._cluster, self._wishes.gc_tag, self._wishes.components, self._tell)
        keep = {value["metadata"].get("uid", "") for value in self.outcome.applied}
        for found, kind in prune.found(keep):
            called = title(found)
            self._tell("info", f"Garbage collecting {resource(found, kind)}" + (" (dry run)" * self._wishes.dry_run))
            try:
                if self._wishes.dry_run or prune.remove(found, kind):
                    self._note(Done(called, "removed"))
            except ClusterError as error:
                self.outcome.refused.append((called, error))
                self._tell("error", f"{called}: {error}")


def _made(value: Object) -> tuple[str, str] | None:
    """What an object lets others exist: a kind (by group and name), or a namespace."""
    if value["kind"] == "CustomResourceDefinition":
        spec = value.get("spec") or {}
        return str(spec.get("group", "")), str((spec.get("names") or {}).get("kind", ""))
    if value["kind"] == "Namespace" and value.get("apiVersion") == "v1":
        return "Namespace", str((value.get("metadata") or {}).get("name", ""))
    return None


def _group(api_version: str) -> str:
    return api_version.rpartition("/")[0]


def _conditions(value: Object) -> dict[str, Object]:
    return {each["type"]: each for each in (value.get("status") or {}).get("conditions") or ()}


def _compared(live: Object | None, now: Object, gone: Sequence[FieldChange]) -> Done:
    if live is None:
        return Done(title(now), "created")
    found = changes(live, now)
    known = {change.path for change in found}
    found = redacted([*found, *(change for change in gone if change.path not in known)], now["kind"])
    return Done(title(now), "changed" if found else "unchanged", found)


def _explained(error: ClusterError, sent: Object, live: Object | None, namespace: str) -> ClusterError:
    conflicts = [cause for cause in error.causes if cause.reason == FIELD_CONFLICT]
    if conflicts:
        is_secret = sent["kind"] == "Secret"
        lines = [f"{len(conflicts)} of its fields are somebody else's:"]
        for cause in conflicts:
            ours, theirs = value_at(sent, cause.field), value_at(live, cause.field)
            said = "" if is_secret else f" {one_line(ours)} here, {one_line(theirs)} on the cluster;"
            lines.append(f"  {cause.field}:{said} {cause.message}")
        lines.append("take them with --force-conflicts, or leave them out of the source")
        return ClusterError("\n".join(lines), error.status, error.reason, error.causes)
    if error.status == _NOT_FOUND and "namespaces" in str(error):
        name = sent["metadata"].get("namespace", namespace)
        return ClusterError(f"{error}; make it first: kubectl create namespace {name}", error.status, error.reason)
    return error


def of_components(objects: Iterable[Object]) -> frozenset[str]:
    """The names of the components that ``objects`` come from."""
    labels = ((value.get("metadata") or {}).get("labels") or {} for value in objects)
    return frozenset(found[COMPONENT_LABEL] for found in labels if COMPONENT_LABEL in found)
