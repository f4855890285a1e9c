"""``--api-spec``: the version of Kubernetes of an environment, and the jsonnet library for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import SetupError

if TYPE_CHECKING:
    from ...ks.app.tree import WritableTree

_SWAGGER = "swagger.json"


@dataclass(frozen=True, slots=True)
class KubernetesVersion:
    """A version such as ``v1.8.0``; ``library`` are the files of its library by name, if it has one of its own.

    Without one, imports of ``k.libsonnet`` are answered from the wheel.
    """

    name: str
    library: Mapping[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        """The folder of the library in an app."""
        return f"lib/ksonnet-lib/{self.name}"

    def install(self, tree: "WritableTree") -> None:
        """Write the library into the app."""
        for name, text in self.library.items():
            tree.write(f"{self.folder}/{name}", text)


def updated(tree: "WritableTree", version: KubernetesVersion) -> KubernetesVersion:
    """The version with a library generated from the OpenAPI file that the app has for it, if it has one.

    Raises ``RenderError`` if that file is not a description of Kubernetes.
    """
    swagger = tree.read(f"{version.folder}/{_SWAGGER}")
    return version if swagger is None else KubernetesVersion(version.name, _library(swagger))


def resolved_version(spec: str) -> KubernetesVersion:
    """The version that ``--api-spec`` names, with a library if it is a file.

    Raises ``SetupError`` if it is malformed or the file cannot be read, and ``RenderError`` if the file is not a
    description of Kubernetes.
    """
    kind, value = _parsed(spec)
    if kind == "version":
        return KubernetesVersion(value)
    import json

    path = Path(value).absolute()
    try:
        swagger = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"{path}: cannot be read: {error}") from error
    try:
        version = str(json.loads(swagger)["info"]["version"])
    except (ValueError, KeyError, TypeError) as error:
        raise SetupError(f"{path}: not an OpenAPI description of Kubernetes: it has no info.version") from error
    if "/" in version or version in ("", ".", ".."):
        raise SetupError(f"{path}: info.version {version!r} is not a version")
    return KubernetesVersion(version, _library(swagger))


def _library(swagger: str) -> dict[str, str]:
    from ...ks.library import generate_library

    return {_SWAGGER: swagger, **generate_library(swagger, _SWAGGER)}


def _parsed(spec: str) -> tuple[str, str]:
    kind, _, value = spec.partition(":")
    if not value:
        raise SetupError(f"Invalid API specification '{spec}'")
    if kind == "url":
        raise SetupError(f"--api-spec={spec}: url: is not supported; download the file and use --api-spec=file:PATH")
    if kind not in ("version", "file"):
        raise SetupError(f"Could not parse cluster spec '{spec}'")
    return kind, value
