"""The settings of the group ``workers``."""

from dataclasses import dataclass

from .. import readings
from ..declaration import setting

_SECONDS = readings.whole(1, 86_400)  # up to a day


@dataclass(frozen=True, slots=True, kw_only=True)
class Workers:
    """How many processes serve, and when one of them is replaced."""

    count: int | None = setting(
        None,
        "GUNICORN_WORKERS",
        readings.whole(1, 256),
        name="workers",
        unit="processes",
        precedent="gunicorn: 1",
        default_words="one for each whole CPU of the container's limit, one without a limit",
        help="processes that serve",
    )
    """``None`` leaves the number to the container's limit (docs/design/0020)."""
    preload: bool = setting(
        False,
        "PRELOAD",
        readings.truth,
        help="construct the model once and fork the workers, so that they share its memory; not done if the model has "
        "started threads, which a fork would lack. SIGHUP reads nothing again then",
    )
    predict_timeout_s: int = setting(
        120,
        "PREDICT_TIMEOUT_S",
        _SECONDS,
        unit="s",
        precedent="TorchServe: 120, then it ends the worker; gunicorn: 30",
        help="seconds after which a call of the model counts as hung: its callers get 504 and its worker is replaced",
    )
    max_requests: int = setting(
        0,
        "GUNICORN_MAX_REQUESTS",
        readings.whole(0, 2**40),
        unit="requests",
        precedent="gunicorn: 0, never",
        help="replace a worker after so many requests; 0 for never",
    )
    max_requests_jitter: int = setting(
        0,
        "GUNICORN_MAX_REQUESTS_JITTER",
        readings.whole(0, 2**40),
        unit="requests",
        precedent="gunicorn: 0",
        help="add a random number up to this to --max-requests, so that workers are replaced at different times",
    )
    max_rss_mb: int = setting(
        0,
        "MAX_RSS_MB",
        readings.whole(0, 2**30),
        unit="MB",
        precedent="0, never; resident memory of one worker, shared pages included",
        help="replace a worker that has more MB of resident memory; 0 for never",
    )
    probe_timeout_s: int = setting(
        10,
        "PROBE_TIMEOUT_S",
        readings.whole(1, 3600),
        unit="s",
        precedent="of a worker's first prediction; then a line in the log",
        flag=False,
        help="seconds after which the log says that a worker's first prediction has not returned",
    )
