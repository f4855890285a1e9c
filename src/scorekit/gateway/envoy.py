"""The Envoy configuration that Ambassador would make for a set of SeldonDeployments (seldon-core 1.17.1, operator).

Each deployment answers under ``/seldon/<name>/`` and ``/seldon/<namespace>/<name>/``; the prefix is rewritten to ``/``.
Over gRPC it answers calls that carry its name in the header ``seldon``, and if they do its namespace in ``namespace``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_TYPES = "type.googleapis.com/envoy"
# Envoy's own default of 1,024 would make the breaker the limit of a load test; the server behind it bounds itself.
_NO_BREAKER = 1_000_000

# Ambassador's own pattern for gRPC, dots and all.
_GRPC_METHODS = "/(seldon.protos.*|tensorflow.serving.*|inference.*)/.*"


@dataclass(frozen=True, slots=True)
class Route:
    """One deployment's way in."""

    name: str
    namespace: str
    host: str
    port: int
    timeout_ms: int
    grpc_port: int
    grpc_timeout_ms: int

    def prefixes(self) -> tuple[str, str]:
        """Longest first, as Envoy takes the first that matches."""
        return f"/seldon/{self.namespace}/{self.name}/", f"/seldon/{self.name}/"


def bootstrap(host: str, port: int, routes: Sequence[Route]) -> dict[str, Any]:
    """A whole static configuration: one listener on ``host:port``, two clusters a route, no admin interface."""
    entries = [(prefix, route) for route in routes for prefix in route.prefixes()]
    entries.sort(key=lambda entry: -len(entry[0]))
    calls = [_grpc_route(route, namespaced) for namespaced in (True, False) for route in routes]
    return {
        "node": {"id": "scorekit-up", "cluster": "scorekit"},
        "static_resources": {
            "listeners": [_listener(host, port, [*calls, *(_rest_route(prefix, route) for prefix, route in entries)])],
            "clusters": [cluster for route in routes for cluster in (_rest_cluster(route), _grpc_cluster(route))],
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


def _rest_route(prefix: str, route: Route) -> dict[str, Any]:
    way = {**_way(_name(route), route.timeout_ms), "prefix_rewrite": "/"}
    return {"match": {"prefix": prefix}, "route": way}


def _grpc_route(route: Route, namespaced: bool) -> dict[str, Any]:
    headers = {"seldon": route.name, **({"namespace": route.namespace} if namespaced else {})}
    matchers = [{"name": name, "string_match": {"exact": value}} for name, value in headers.items()]
    match = {"safe_regex": {"regex": _GRPC_METHODS}, "headers": matchers, "grpc": {}}
    return {"match": match, "route": _way(_grpc_name(route), route.grpc_timeout_ms)}


def _way(cluster: str, timeout_ms: int) -> dict[str, Any]:
    return {
        "cluster": cluster,
        "timeout": f"{timeout_ms // 1000}.{timeout_ms % 1000:03}s",
        # Only what the node cannot have seen, so that no prediction is made twice and no feedback learnt twice: a
        # connection that was refused, a stream that was (HTTP/2 says so after a GOAWAY), a connection that ended before
        # the request had left. Not "reset" or "5xx": the model may have had it. Nor 503: a node that is full says so at
        # once, and asking it ten times more would make it fuller.
        "retry_policy": {
            "retry_on": "connect-failure,refused-stream,reset-before-request",
            "num_retries": 20,  # some five seconds, for the waits are drawn by chance: a node is started again in less
            "retry_back_off": {"base_interval": "0.05s", "max_interval": "0.5s"},
        },
    }


def _rest_cluster(route: Route) -> dict[str, Any]:
    return _cluster(_name(route), route.host, route.port)


def _grpc_cluster(route: Route) -> dict[str, Any]:
    options = {
        "@type": f"{_TYPES}.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": {}},
    }
    return {
        **_cluster(_grpc_name(route), route.host, route.grpc_port),
        "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options},
    }


def _cluster(name: str, host: str, port: int) -> dict[str, Any]:
    limits = dict.fromkeys(("max_connections", "max_pending_requests", "max_requests", "max_retries"), _NO_BREAKER)
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "circuit_breakers": {"thresholds": [limits]},
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(host, port)}}]}],
        },
    }


def _name(route: Route) -> str:
    return f"{route.namespace}/{route.name}"


def _grpc_name(route: Route) -> str:
    return f"{_name(route)}/grpc"


def _address(host: str, port: int) -> dict[str, Any]:
    return {"socket_address": {"address": host, "port_value": port}}
