"""When a request is worth another try, and after how long."""

from dataclasses import dataclass

from ..errors import ClusterError

FIELD_CONFLICT = "FieldManagerConflict"

_PASSING = frozenset({408, 429, 500, 502, 503, 504})
_MISFITS = ("failed to create typed patch object", "failed to convert new object")


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits that double from ``first_s`` to ``longest_s``, until ``limit_s`` have gone by since the first try."""

    first_s: float = 0.25
    longest_s: float = 8.0
    limit_s: float = 60.0

    def wait_s(self, tries: int, spent_s: float, retry_after_s: float | None = None) -> float | None:
        """How long to wait after ``tries`` that failed and ``spent_s``; None: give up.

        What the server asks for (``Retry-After``) counts where it is longer, and is never cut short.
        """
        wait = min(self.first_s * 2.0 ** min(tries - 1, 30), self.longest_s)
        wait = max(wait, retry_after_s or 0.0)
        return wait if spent_s + wait <= self.limit_s else None


def is_passing(error: ClusterError) -> bool:
    """Whether the answer may be another one soon; all that ``ks`` sends can be sent twice.

    A 409 says that another writer's request went before ours, unless it names fields that belong to somebody else. A
    500 is a server's trouble, unless it says that our object does not fit its schema, or has what is no base64 (it
    should be a 400).
    """
    if error.status == 409:
        return not any(cause.reason == FIELD_CONFLICT for cause in error.causes)
    is_ours = error.status == 500 and any(misfit in str(error) for misfit in _MISFITS)
    return error.status in _PASSING and not is_ours


def retry_after_s(header: str | None) -> float | None:
    """What ``Retry-After`` asks for, where it does so in seconds (as Kubernetes does)."""
    try:
        seconds = float(header or "")
    except ValueError:
        return None
    return seconds if 0 <= seconds < 3600 else None
