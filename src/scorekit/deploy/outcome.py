"""What became of the objects of a run: the result of each, and how far the run got."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ..errors import ClusterError
from ..manifests import FieldChange, Object


@dataclass(frozen=True, slots=True)
class ObjectResult:
    """One object that was sent or, in a dry run, would be.

    ``verb`` is created, changed, unchanged, removed (by pruning) or deleted.
    """

    title: str
    verb: str
    changes: Sequence[FieldChange] = ()
    note: str = ""


ResultFunction = Callable[[ObjectResult], None]
"""Called with the result of each object as soon as it is known."""


@dataclass(slots=True, kw_only=True)
class Outcome:
    """How far a run got. It is kept current, so that it is right after an interruption as well.

    ``remaining`` has the titles of objects that were not tried. A rerun tries them, and changes nothing about the
    objects that are done. ``applied`` has the objects as they are on the cluster now.
    """

    done: list[ObjectResult] = field(default_factory=list)
    refused: list[tuple[str, ClusterError]] = field(default_factory=list)
    remaining: list[str] = field(default_factory=list)
    applied: list[Object] = field(default_factory=list)

    @property
    def has_begun(self) -> bool:
        """Whether any object was sent, so that a report says more than the error that ended the run."""
        return bool(self.done or self.refused)

    @property
    def is_complete(self) -> bool:
        """Whether every object was sent and none was refused."""
        return not self.refused and not self.remaining
