"""The address of a model server, and the routes and metadata that follow from it."""

import urllib.parse
from dataclasses import dataclass

from ...errors import SetupError

_LAST_STEPS = ("/predict", "/predictions", "/transform-input")
_VERBS = ("predict", "send-feedback", "transform-input", "transform-output", "route", "aggregate")
_PORTS = {"http": 80, "https": 443, "grpc": 80, "grpcs": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A server (``http://host:port``), a gateway's prefix (``…/seldon/mymodel``) or the route of a prediction."""

    url: str
    scheme: str
    host: str
    port: int
    path: str = ""

    @property
    def secure(self) -> bool:
        """Whether the connection uses TLS."""
        return self.scheme in ("https", "grpcs")

    @property
    def routes(self) -> dict[str, str]:
        """The path of each verb.

        A server has the wrapper's own routes, ``/predict`` and so on. Below a gateway's prefix are the routes of
        Seldon's executor, ``/api/v1.0/predictions`` and ``/api/v1.0/feedback``: a deployment has no other verbs.
        """
        end = next((end for end in _LAST_STEPS if self.path.endswith(end)), "")
        base = self.path.removesuffix(end)
        if end == "/predictions" or (self.path and not end):
            base += "" if end else "/api/v1.0"
            return {"predict": f"{base}/predictions", "send-feedback": f"{base}/feedback"}
        return {verb: f"{base}/{verb}" for verb in _VERBS}

    @property
    def metadata(self) -> list[tuple[str, str]]:
        """The gRPC metadata by which a gateway finds the deployment; empty for an address without a gateway's prefix.

        Ambassador routes gRPC by the header ``seldon`` (the deployment) and ``namespace``, for gRPC's paths are fixed.
        They are taken from the prefix, ``/seldon/NAMESPACE/NAME`` or ``/seldon/NAME``.
        """
        steps = [step for step in self.path.split("/") if step]
        if steps[:1] != ["seldon"]:
            return []
        names = steps[1 : steps.index("api")] if "api" in steps else steps[1:]
        return [("seldon", name) for name in names[-1:]] + [("namespace", name) for name in names[-2:-1]]


def parse_address(url: str) -> Address:
    """The address in a URL; its scheme is ``http`` if it names none. Raises ``SetupError`` for another scheme."""
    try:
        parts = urllib.parse.urlsplit(url if "://" in url else f"http://{url}")
        port = parts.port
    except ValueError as error:
        raise SetupError(f"{url} is not an address: {error}") from error
    if parts.scheme not in _PORTS or not parts.hostname:
        raise SetupError(f"{url} is not an address: expected http://HOST:PORT, https://HOST or grpc://HOST:PORT")
    return Address(
        url=url,
        scheme=parts.scheme,
        host=parts.hostname,
        port=port or _PORTS[parts.scheme],
        path=parts.path.rstrip("/"),
    )
