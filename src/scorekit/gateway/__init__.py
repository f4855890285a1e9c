"""Configurations of a gateway that routes to SeldonDeployments, as plain data.

May import ``errors`` and ``settings``, and does no I/O: who runs a gateway is decided elsewhere.
Begin with :func:`~scorekit.gateway.envoy.bootstrap`, which makes the whole configuration of one Envoy.
"""

from .envoy import Route, bootstrap

__all__ = ["Route", "bootstrap"]
