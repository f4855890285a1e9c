"""The Envoy configuration that Ambassador makes for a set of SeldonDeployments (the operator of seldon-core 1.17.1).

    REST   /seldon/<namespace>/<name>/…   ─▶ /…   of the deployment
           /seldon/<name>/…               ─▶ /…
    gRPC   header seldon: <name>, namespace: <namespace>   ─▶ the deployment
           header seldon: <name>                           ─▶ the deployment

Envoy takes the first route that matches. So longer prefixes come first, or a deployment that is called like another
one's namespace would catch the requests of the other one; and routes with both headers come before those with one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_TYPES = "type.googleapis.com/envoy"
# Envoy's default of 1,024 would be the limit of every load test; the server behind it has a limit of its own.
_NO_BREAKER = 1_000_000

# Ambassador's own pattern for gRPC; its dots match any character, as there.
_GRPC_METHODS = "/(seldon.protos.*|tensorflow.serving.*|inference.*)/.*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where the requests of one deployment go."""

    name: str
    namespace: str
    host: str
    port: int
    timeout_ms: int
    grpc_port: int
    grpc_timeout_ms: int

    def prefixes(self) -> tuple[str, str]:
        """Return the prefixes of the deployment's paths, the longer one first."""
        return f"/seldon/{self.namespace}/{self.name}/", f"/seldon/{self.name}/"


def bootstrap(host: str, port: int, routes: Sequence[Route]) -> dict[str, Any]:
    """Return a static configuration: one listener on ``host:port``, two clusters for each route, no admin interface."""
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
        # With SO_REUSEPORT a second gateway on the same port would start, and get half of the requests.
        "enable_reuse_port": False,
        "filter_chains": [
            {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
        ],
    }


def _rest_route(prefix: str, route: Route) -> dict[str, Any]:
    action = {**_action(_name(route), route.timeout_ms), "prefix_rewrite": "/"}
    return {"match": {"prefix": prefix}, "route": action}


def _grpc_route(route: Route, namespaced: bool) -> dict[str, Any]:
    headers = {"seldon": route.name, **({"namespace": route.namespace} if namespaced else {})}
    matchers = [{"name": name, "string_match": {"exact": value}} for name, value in headers.items()]
    match = {"safe_regex": {"regex": _GRPC_METHODS}, "headers": matchers, "grpc": {}}
    return {"match": match, "route": _action(_grpc_name(route), route.grpc_timeout_ms)}


def _action(cluster: str, timeout_ms: int) -> dict[str, Any]:
    return {
        "cluster": cluster,
        "timeout": f"{timeout_ms // 1000}.{timeout_ms % 1000:03}s",
        # A request is repeated only if the node cannot have seen it, so that no prediction is made twice and no
        # feedback is learnt twice: the connection was refused, the stream was refused (which HTTP/2 does after a
        # GOAWAY), or the connection was reset before the request was sent. "reset" and "5xx" are left out, because the
        # model may have got the request. 503 is left out too: an overloaded node answers it at once, and repeating the
        # request would add to the load.
        "retry_policy": {
            "retry_on": "connect-failure,refused-stream,reset-before-request",
            "num_retries": 20,  # about five seconds, as the pauses are random; a node restarts in less
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
