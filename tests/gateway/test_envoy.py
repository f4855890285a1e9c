"""The gateway routes as Ambassador does, and Envoy accepts its configuration."""

from typing import Any

import pytest

from scorekit.errors import SetupError
from scorekit.gateway import Route, bootstrap
from scorekit.local.envoy import validate_config


def route(name: str, namespace: str, number: int, timeout_ms: int, grpc_timeout_ms: int) -> Route:
    return Route(
        name=name,
        namespace=namespace,
        host="127.0.0.1",
        port=9000 + number,
        timeout_ms=timeout_ms,
        grpc_port=5000 + number,
        grpc_timeout_ms=grpc_timeout_ms,
    )


ONE = route("dep", "ns", 0, 3000, 4000)
OTHER = route("ns", "other", 1, 90000, 3000)
SLOW = route("slow", "ns", 2, 1_234_567_890, 1_234_567_890)


def routes(config: dict[str, Any]) -> list[dict[str, Any]]:
    (listener,) = config["static_resources"]["listeners"]
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    found: list[dict[str, Any]] = manager["route_config"]["virtual_hosts"][0]["routes"]
    return found


def test_a_deployment_has_the_two_prefixes_of_ambassador() -> None:
    """/seldon/<name>/ and /seldon/<namespace>/<name>/ are rewritten to /, with the deployment's timeout."""
    for each in routes(bootstrap("127.0.0.1", 8003, [OTHER]))[2:]:
        assert each["match"]["prefix"] in ("/seldon/ns/", "/seldon/other/ns/")
        assert each["route"]["prefix_rewrite"] == "/"
        assert each["route"]["timeout"] == "90.000s"


def test_the_longer_prefix_is_tried_first() -> None:
    """A deployment with the name of another one's namespace does not get the requests of the other one."""
    prefixes = [each["match"].get("prefix") for each in routes(bootstrap("127.0.0.1", 8003, [ONE, OTHER]))]
    assert prefixes.index("/seldon/ns/dep/") < prefixes.index("/seldon/ns/")


def test_grpc_calls_are_routed_by_headers() -> None:
    """Calls with the name and the namespace match first, then calls with the name alone, as in Ambassador."""
    calls = routes(bootstrap("127.0.0.1", 8003, [ONE]))[:2]
    headers = [{each["name"]: each["string_match"]["exact"] for each in call["match"]["headers"]} for call in calls]
    assert headers == [{"seldon": "dep", "namespace": "ns"}, {"seldon": "dep"}]
    for call in calls:
        assert call["route"]["timeout"] == "4.000s"
        assert "prefix_rewrite" not in call["route"]


@pytest.mark.e2e
def test_envoy_accepts_the_configuration() -> None:
    """Envoy's own validation accepts the configuration of several deployments."""
    validate_config(bootstrap("127.0.0.1", 8003, [ONE, OTHER, SLOW]))


@pytest.mark.e2e
def test_envoys_validation_can_fail() -> None:
    """Envoy's validation rejects a field that it does not know, so the test above can fail."""
    config = bootstrap("127.0.0.1", 8003, [ONE])
    config["static_resources"]["listeners"][0]["no_such_field"] = 1
    with pytest.raises(SetupError, match=r"Envoy refuses this configuration: .*no_such_field"):
        validate_config(config)
