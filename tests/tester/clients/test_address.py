"""The address in a URL: a server, a gateway's prefix or a route."""

import pytest

from scorekit.errors import SetupError
from scorekit.tester.clients import parse_address


@pytest.mark.parametrize(
    ("url", "route", "feedback"),
    [
        ("localhost:9000", "/predict", "/send-feedback"),
        ("http://localhost:9000/", "/predict", "/send-feedback"),
        ("http://h/predict", "/predict", "/send-feedback"),
        ("http://h/seldon/m", "/seldon/m/api/v1.0/predictions", "/seldon/m/api/v1.0/feedback"),
        ("https://h/x/api/v0.1/predictions", "/x/api/v0.1/predictions", "/x/api/v0.1/feedback"),
    ],
)
def test_routes_follow_from_the_address(url: str, route: str, feedback: str) -> None:
    """A server has the wrapper's routes, a prefix the gateway's, and a route is used as it is."""
    routes = parse_address(url).routes
    assert (routes["predict"], routes["send-feedback"]) == (route, feedback)
    assert ("transform-input" in routes) == ("predictions" not in route)


@pytest.mark.parametrize(
    ("url", "metadata"),
    [
        ("http://h:1", []),
        ("http://h/seldon/m", [("seldon", "m")]),
        ("http://h/seldon/ns/m/api/v0.1/predictions", [("seldon", "m"), ("namespace", "ns")]),
    ],
)
def test_a_gateways_prefix_names_the_deployment_to_grpc(url: str, metadata: list[tuple[str, str]]) -> None:
    """Ambassador routes gRPC by the metadata seldon and namespace."""
    assert parse_address(url).metadata == metadata


def test_ports_follow_from_the_scheme() -> None:
    """The port is 80 or 443 unless the address names one."""
    ports = [parse_address(url).port for url in ("http://h", "https://h", "https://h:8443", "[::1]:5000")]
    assert ports == [80, 443, 8443, 5000]


@pytest.mark.parametrize("url", ["ftp://h", "http://", "http://h:port", "http://h:99999"])
def test_a_malformed_address_is_an_error(url: str) -> None:
    """The error names the address."""
    with pytest.raises(SetupError, match="is not an address"):
        parse_address(url)
