"""The Envoy configuration that Ambassador would make for a set of SeldonDeployments (seldon-core 1.17.1, operator).

Each deployment answers under ``/seldon/<name>/`` and ``/seldon/<namespace>/<name>/``; the prefix is rewritten to ``/``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_TYPES = "type.googleapis.com/envoy"
# Envoy's own default of 1,024 would make the breaker the limit of a load test; the server behind it bounds itself.
_NO_BREAKER = 1_000_000


@dataclass(frozen=True, slots=True)
class Route:
    """One deployment's way in."""

    name: str
    namespace: str
    host: str
    port: int
    timeout_ms: int

    def prefixes(self) -> tuple[str, str]:
        """Longest first, as Envoy takes the first that matches."""
        return f"/seldon/{self.namespace}/{self.name}/", f"/seldon/{self.name}/"


def bootstrap(host: str, port: int, routes: Sequence[Route]) -> dict[str, Any]:
    """A whole static configuration: one listener on ``host:port``, one cluster a route, no admin interface."""
    entries = [(prefix, route) for route in routes for prefix in route.prefixes()]
    entries.sort(key=lambda entry: -len(entry[0]))
    return {
        "node": {"id": "scorekit-up", "cluster": "scorekit"},
        "static_resources": {
            "listeners": [_listener(host, port, [_route(prefix, route) for prefix, route in entries])],
            "clusters": [_cluster(route) for route in routes],
        },
    }


def _listener(host: str, port: int, routes: list[dict[str, Any]]) -> dict[str, Any]:
    manager = {
        "@type": f"{_TYPES}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "ambassador",
        "use_remote_address": True,
        "normalize_path": True,
        "route_config": {"virtual_hosts": [{"name": "seldon", "domains": ["*"], "routes": routes}]},
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{_TYPES}.extensions.filters.http.router.v3.Router"},
            }
        ],
    }
    return {
        "name": "gateway",
        "address": _address(host, port),
        # With port reuse a second gateway on the same port would start, and take half of the requests.
        "enable_reuse_port": False,
        "filter_chains": [
            {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
        ],
    }


def _route(prefix: str, route: Route) -> dict[str, Any]:
    return {
        "match": {"prefix": prefix},
        "route": {
            "cluster": _cluster_name(route),
            "prefix_rewrite": "/",
            "timeout": f"{route.timeout_ms // 1000}.{route.timeout_ms % 1000:03}s",
            # Only where the node cannot have seen the request, so that no prediction is made twice.
            "retry_policy": {
                "retry_on": "connect-failure,refused-stream,reset-before-request",
                "num_retries": 10,  # some five seconds: longer than a node takes to be restarted
                "retry_back_off": {"base_interval": "0.05s", "max_interval": "0.5s"},
            },
        },
    }


def _cluster(route: Route) -> dict[str, Any]:
    name = _cluster_name(route)
    limits = dict.fromkeys(("max_connections", "max_pending_requests", "max_requests", "max_retries"), _NO_BREAKER)
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "circuit_breakers": {"thresholds": [limits]},
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(route.host, route.port)}}]}],
        },
    }


def _cluster_name(route: Route) -> str:
    return f"{route.namespace}/{route.name}"


def _address(host: str, port: int) -> dict[str, Any]:
    return {"socket_address": {"address": host, "port_value": port}}
