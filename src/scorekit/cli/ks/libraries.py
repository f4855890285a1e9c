"""``--api-spec``: the version of Kubernetes that an environment is for, and its library."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...ks.tree import Workspace


@dataclass(frozen=True, slots=True)
class Version:
    """``swagger`` is the text of a swagger file, if the library is to be made of one."""

    name: str
    swagger: str | None = None

    def install(self, tree: "Workspace") -> None:
        """Puts the library into the app. A version alone needs none: the one in the wheel answers for it."""


def resolved_version(spec: str) -> Version:
    """What ``--api-spec`` asks for. Raises ``SetupError``."""
    from ...ks.initial import api_spec

    _, value = api_spec(spec)
    return Version(value)
