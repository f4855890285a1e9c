"""ksonnet-gen's names: kinds and fields of Kubernetes as identifiers of jsonnet."""

import re
from dataclasses import dataclass

from ..libsonnet.tokens import KEYWORDS

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

# Codebase, group, version and kind in the name of a definition, as far as it has them. The first match counts.
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
    """The parts of a definition's name. A few have no version; the library leaves these out."""

    codebase: str
    group: str
    version: str
    kind: str


def parse_name(identifier: str) -> DefinitionName | None:
    """The parts of a name such as ``io.k8s.api.apps.v1beta1.Deployment``; None if it is not one of Kubernetes."""
    for pattern in _NAMES:
        if (match := pattern.search(identifier)) is not None:
            parts = match.groupdict()
            return DefinitionName(
                parts.get("codebase") or "api", parts.get("group") or "core", parts.get("version") or "", parts["kind"]
            )
    return None


def identifier(name: str) -> str:
    """``HTTPGetAction`` → ``httpGetAction``; a keyword of jsonnet gets another name."""
    if name.lower() == "local":
        return "localStorage"
    if name.startswith("$"):
        return "dollar" + title(name.removeprefix("$"))
    name = _lower_acronyms(plain(name))
    name = name[:1].lower() + name[1:]
    return name + "Param" if name in KEYWORDS else name


def plain(name: str) -> str:
    """``x-kubernetes-map-type`` → ``xKubernetesMapType``; letters, digits and ``_`` stay as they are."""
    first, *others = re.split(r"[^A-Za-z0-9_]+", name)
    return first + "".join(map(title, others))


def title(name: str) -> str:
    """The name with its first letter in upper case."""
    return name[:1].upper() + name[1:]


def field_key(name: str) -> str:
    """The name of a field as an object of jsonnet has it: in quotes unless it is an identifier."""
    return name if _IDENTIFIER.fullmatch(name) and name not in KEYWORDS else f'"{name}"'


def _lower_acronyms(name: str) -> str:
    """``HTTPGet`` → ``HttpGet``: of capitals in a row, the first one and the one that begins the next word stay."""
    last = len(name) - 1
    if last == 0:
        return name
    letters = [name[:1]]
    for at in range(1, last + 1):
        letter = name[at]
        if name[at - 1].isupper() and (
            (at < last and (name[at + 1].isupper() or (letter.isupper() and at + 1 == last)))
            or (at == last and letter.isupper())
        ):
            letter = letter.lower()
        letters.append(letter)
    return "".join(letters)
