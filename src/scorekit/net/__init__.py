"""Network addresses of this machine: reserve an address before there is a server on it, and find free ports.

Both the server and ``scorekit up`` need this, so it stands below both; it may import ``errors`` only.
Begin with :func:`~scorekit.net.ports.reserve`.
"""

from .ports import free_ports, reserve, reserve_shared

__all__ = ["free_ports", "reserve", "reserve_shared"]
