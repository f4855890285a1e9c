"""Connections get what the settings say."""

from scorekit.serve.accept import client_timeouts
from scorekit.settings import read_settings


def test_each_timeout_of_the_settings_reaches_connections() -> None:
    """Every timeout for slow clients has the value of its own setting, and of no other."""
    environ = {
        "MODEL_NAME": "Mine",
        "HEAD_TIMEOUT_S": "1",
        "BODY_TIMEOUT_S": "2",
        "WRITE_TIMEOUT_S": "3",
        "MIN_BYTES_PER_S": "4",
        "IDLE_TIMEOUT_S": "5",
    }
    timeouts = client_timeouts(read_settings(environ, {}).limits)
    assert (timeouts.head_s, timeouts.body_s, timeouts.write_s) == (1, 2, 3)
    assert (timeouts.bytes_per_s, timeouts.idle_s) == (4, 5)
