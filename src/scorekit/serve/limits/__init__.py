"""What open connections may cost: time, bytes a second, bytes of memory, and what is left of them in a drain.

May import the settings and ``errors``, nothing else of ``serve``: both protocols and the workers build on it.
Begin with :mod:`~scorekit.serve.limits.open_connections`, which says what every connection must be able to do.
"""

from .memory import Budget
from .open_connections import ClientTimeouts, OpenConnection, OpenConnections, close_after_reading
from .peers import peer_of
from .periodic import GuardedCheck, repeat
from .slow_clients import TransferRate

__all__ = [
    "Budget",
    "ClientTimeouts",
    "GuardedCheck",
    "OpenConnection",
    "OpenConnections",
    "TransferRate",
    "close_after_reading",
    "peer_of",
    "repeat",
]
