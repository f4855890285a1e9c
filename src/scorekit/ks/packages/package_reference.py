"""A package as a command line names it: ``registry/package@version`` (ksonnet-rules.md#packages)."""

import re
from dataclasses import dataclass

from ...errors import SetupError
from ..app.app import PinnedPackage

_REFERENCE = re.compile(r"([A-Za-z0-9-]+)(?:/([^@]+))?(?:@([^@]+))?")
_INVALID = "package name should be in the form `<registry>/<library>@<version>`"


@dataclass(frozen=True, slots=True)
class PackageReference:
    """Registry, name and version; a part that is not given is empty."""

    registry: str
    name: str
    version: str

    def __str__(self) -> str:
        return (f"{self.registry}/" if self.registry else "") + self.name + (f"@{self.version}" if self.version else "")

    def fits(self, library: PinnedPackage) -> bool:
        """Whether this may name ``library``; the version is not compared."""
        return self.name == library.name and self.registry in ("", library.registry)


def parse_reference(text: str) -> PackageReference:
    """The package that ``text`` names. Raises ``SetupError`` if it is malformed."""
    match = _REFERENCE.fullmatch(text)
    if match is None or ".." in text.split("/"):
        raise SetupError(_INVALID)
    first, second, version = match.groups(default="")
    return PackageReference(first if second else "", second or first, version)
