"""Which failed requests are sent again, and when."""

import pytest

from scorekit.deploy import RetryPolicy
from scorekit.deploy.retry import is_transient, retry_after_s
from scorekit.errors import Cause, ClusterError


def test_waits_double_up_to_a_limit() -> None:
    """Waits double up to the longest, a longer `Retry-After` is respected, and the limit ends it."""
    retry = RetryPolicy(first_s=1, longest_s=8, limit_s=20)
    assert [retry.wait_s(tries, 0) for tries in range(1, 7)] == [1, 2, 4, 8, 8, 8]
    assert retry.wait_s(1, 0, 12) == 12
    assert retry.wait_s(5, 0, 2) == 8
    assert retry.wait_s(1, 15, 12) is None
    assert retry.wait_s(10**6, 0) == 8


@pytest.mark.parametrize(
    ("error", "is_retried"),
    [
        *((ClusterError("x", status), True) for status in (409, 429, 500, 502, 503, 504)),
        *((ClusterError("x", status), False) for status in (400, 401, 403, 404, 422)),
        (ClusterError("x", 409, causes=(Cause("FieldManagerConflict", ".a", ""),)), False),
        (ClusterError("failed to create typed patch object (a/b): .x: field not declared in schema", 500), False),
        (ClusterError("failed to convert new object (a/b; /v1, Kind=Secret): illegal base64 data", 500), False),
    ],
)
def test_only_transient_errors_are_retried(error: ClusterError, is_retried: bool) -> None:
    """A wrong request, fields of other managers and a 500 about our own object are not retried."""
    assert is_transient(error) is is_retried


@pytest.mark.parametrize(
    ("header", "seconds"), [("3", 3), ("0", 0), (None, None), ("Wed, 21 Oct 2026", None), ("-1", None), ("1e9", None)]
)
def test_retry_after(header: str | None, seconds: float | None) -> None:
    """`Retry-After` counts if it is a number of seconds below an hour, as Kubernetes sends it."""
    assert retry_after_s(header) == seconds
