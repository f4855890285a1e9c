"""How ksonnet names things: kinds and fields of Kubernetes as identifiers of jsonnet."""

import re
from dataclasses import dataclass

from ..libsonnet.tokens import KEYWORDS

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

# Of a definition's name: codebase, group, version and kind, where the name has one. The first that fits counts.
_NAMES = [
    re.compile(pattern)
    for pattern in (
        r"io\.k8s\.(?P<codebase>\S+)\.pkg\.api\.(?P<version>\S+)\.(?P<kind>\S+)",
        r"io\.k8s\.api\.core\.(?P<version>\S+)\.(?P<kind>\S+)",
        r"io\.k8s\.(?P<codebase>\S+)\.pkg\.apis\.(?P<group>\S+)\.(?P<version>\S+)\.(?P<kind>\S+)",
        r"io\.k8s\.api\.(?P<group>\S+)\.(?P<version>\S+)\.(?P<kind>\S+)",
        r"io\.k8s\.(?P<codebase>\S+)\.pkg\.util\.(?P<version>\S+)\.(?P<kind>\S+)",
        r"io\.k8s\.(?P<codebase>\S+)\.pkg\.(?:version|runtime)\.(?P<kind>\S+)",
    )
]


@dataclass(frozen=True, slots=True)
class DefinitionName:
    """A definition's name, taken apart. Few have no version; those are nowhere in the library."""

    codebase: str
    group: str
    version: str
    kind: str


def parse(identifier: str) -> DefinitionName | None:
    """``io.k8s.api.apps.v1beta1.Deployment`` taken apart; None for what is not Kubernetes' own."""
    for pattern in _NAMES:
        if (match := pattern.search(identifier)) is not None:
            found = match.groupdict()
            return DefinitionName(
                found.get("codebase") or "api", found.get("group") or "core", found.get("version") or "", found["kind"]
            )
    return None


def identifier(name: str) -> str:
    """``HTTPGetAction`` → ``httpGetAction``; what jsonnet would not take gets another name."""
    if name.lower() == "local":
        return "localStorage"
    if name.startswith("$"):
        return "dollar" + title(name.removeprefix("$"))
    name = _calmed(plain(name))
    name = name[:1].lower() + name[1:]
    return name + "Param" if name in KEYWORDS else name


def plain(name: str) -> str:
    """``x-kubernetes-map-type`` → ``xKubernetesMapType``; what has no such signs stays as it is."""
    first, *others = re.split(r"[^A-Za-z0-9_]+", name)
    return first + "".join(map(title, others))


def title(name: str) -> str:
    return name[:1].upper() + name[1:]


def key(name: str) -> str:
    """A field's name as it stands in an object."""
    return name if _IDENTIFIER.fullmatch(name) and name not in KEYWORDS else f'"{name}"'


def _calmed(name: str) -> str:
    """Of capitals in a row all but the first become small, and but the one that begins the next word."""
    last = len(name) - 1
    if last == 0:
        return name
    found = [name[:1]]
    for at in range(1, last + 1):
        letter = name[at]
        if name[at - 1].isupper() and (
            (at < last and (name[at + 1].isupper() or (letter.isupper() and at + 1 == last)))
            or (at == last and letter.isupper())
        ):
            letter = letter.lower()
        found.append(letter)
    return "".join(found)
