"""Where a model server is."""

import urllib.parse
from dataclasses import dataclass

from ...errors import SetupError

_ENDS = ("/predict", "/predictions", "/transform-input")
_VERBS = ("predict", "send-feedback", "transform-input", "transform-output", "route", "aggregate")
_PORTS = {"http": 80, "https": 443, "grpc": 80, "grpcs": 443}


@dataclass(frozen=True, slots=True)
class Address:
    """A server (``http://host:port``), a gateway's prefix (``…/seldon/mymodel``) or the route of a prediction."""

    url: str
    scheme: str
    host: str
    port: int
    path: str = ""

    @property
    def secure(self) -> bool:
        return self.scheme in ("https", "grpcs")

    @property
    def routes(self) -> dict[str, str]:
        """The path of each verb: the wrapper's own at a server, ``/api/v1.0/predictions`` below a gateway's prefix."""
        end = next((end for end in _ENDS if self.path.endswith(end)), "")
        base = self.path.removesuffix(end)
        if end == "/predictions" or (self.path and not end):
            base += "" if end else "/api/v1.0"
            return {"predict": f"{base}/predictions", "send-feedback": f"{base}/feedback"}
        return {verb: f"{base}/{verb}" for verb in _VERBS}

    @property
    def metadata(self) -> list[tuple[str, str]]:
        """What a gateway routes gRPC by, from a prefix ``/seldon/NAMESPACE/NAME`` or ``/seldon/NAME``; or nothing."""
        steps = [step for step in self.path.split("/") if step]
        if steps[:1] != ["seldon"]:
            return []
        names = steps[1 : steps.index("api")] if "api" in steps else steps[1:]
        return [("seldon", name) for name in names[-1:]] + [("namespace", name) for name in names[-2:-1]]


def parse(url: str) -> Address:
    """The address that ``url`` writes; ``http`` where it names no scheme. Raises ``SetupError``."""
    try:
        parts = urllib.parse.urlsplit(url if "://" in url else f"http://{url}")
        port = parts.port
    except ValueError as error:
        raise SetupError(f"{url} is not an address: {error}") from error
    if parts.scheme not in _PORTS or not parts.hostname:
        raise SetupError(f"{url} is not an address: expected http://HOST:PORT, https://HOST or grpc://HOST:PORT")
    return Address(url, parts.scheme, parts.hostname, port or _PORTS[parts.scheme], parts.path.rstrip("/"))
