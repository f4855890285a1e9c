"""Which failed requests are sent again, and when.

Every request of ``ks`` can be repeated safely, even if the server carried out the first try and only its answer was
lost:

* GET changes nothing.
* Server-side apply (PATCH) states what an object has; stating it twice gives the same object.
* A JSON patch (PATCH) of ours always names the ``resourceVersion`` that it was made for. If the first try got through,
  the second one conflicts, and the caller reads the object again.
* DELETE of an object that is already deleted is a 404, which counts as success. If the request names a uid, it cannot
  hit a new object of the same name.

So the only question is whether another try can succeed, and :func:`is_transient` answers it.
"""

from dataclasses import dataclass

from ..errors import ClusterError

FIELD_CONFLICT = "FieldManagerConflict"
"""The ``reason`` of a cause of a 409: another manager owns the field."""

_TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
# Errors of the object, for which the API server answers 500 where 400 would be right.
_UNREADABLE_OBJECT = ("failed to create typed patch object", "failed to convert new object")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Waits between tries, which double from ``first_s`` to ``longest_s`` until ``limit_s`` after the first try."""

    first_s: float = 0.25
    longest_s: float = 8.0
    limit_s: float = 60.0

    def wait_s(self, tries: int, spent_s: float, retry_after_s: float | None = None) -> float | None:
        """How long to wait after ``tries`` failed tries and ``spent_s`` seconds; None to give up.

        A longer wait that the server asks for (``Retry-After``) is respected in full: if it goes beyond the limit, the
        answer is to give up and not to try earlier.
        """
        wait = min(self.first_s * 2.0 ** min(tries - 1, 30), self.longest_s)
        wait = max(wait, retry_after_s or 0.0)
        return wait if spent_s + wait <= self.limit_s else None


def is_transient(error: ClusterError) -> bool:
    """Whether the same request may succeed a little later.

    * A 409 means that another writer was faster, and passes; but not if it names fields of other managers, which stay
      theirs until the user decides.
    * 408, 429 and 5xx are the server's troubles; but not a 500 that says that our object does not fit its schema or is
      not valid base64.
    """
    if error.status == 409:
        return not any(cause.reason == FIELD_CONFLICT for cause in error.causes)
    is_about_object = error.status == 500 and any(message in str(error) for message in _UNREADABLE_OBJECT)
    return error.status in _TRANSIENT and not is_about_object


def retry_after_s(header: str | None) -> float | None:
    """The seconds of a ``Retry-After`` header; None without one, and for a date, which Kubernetes does not send."""
    try:
        seconds = float(header or "")
    except ValueError:
        return None
    return seconds if 0 <= seconds < 3600 else None
