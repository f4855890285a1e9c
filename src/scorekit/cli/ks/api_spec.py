"""``--api-spec``: the version of Kubernetes of an environment, and the jsonnet library for it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import SetupError

if TYPE_CHECKING:
    from ...ks.app.tree import WritableTree

_SWAGGER = "swagger.json"


@dataclass(frozen=True, slots=True)
class KubernetesVersion:
    """A version such as ``v1.8.0``; ``swagger`` is the text of an OpenAPI file to generate the library from, if any.

    Without a file no library is written: imports of ``k.libsonnet`` are then answered from the wheel.
    """

    name: str
    swagger: str | None = None

    @property
    def folder(self) -> str:
        """The folder of the library in an app."""
        return f"lib/ksonnet-lib/{self.name}"

    def install(self, tree: "WritableTree") -> None:
        """Write the library into the app, if there is a file to generate it from."""
        if self.swagger is not None:
            self._generate(tree, self.swagger)

    def update(self, tree: "WritableTree") -> None:
        """Generate the library again from the OpenAPI file that the app has, if any."""
        swagger = tree.read(f"{self.folder}/{_SWAGGER}")
        if swagger is not None:
            self._generate(tree, swagger)

    def _generate(self, tree: "WritableTree", swagger: str) -> None:
        from ...ks.library import generate_library

        files = {_SWAGGER: swagger, **generate_library(swagger, _SWAGGER)}
        for name, text in files.items():
            tree.write(f"{self.folder}/{name}", text)


def resolved_version(spec: str) -> KubernetesVersion:
    """The version that ``--api-spec`` names. Raises ``SetupError`` if it is malformed or its file cannot be used."""
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
    return KubernetesVersion(version, swagger)


def _parsed(spec: str) -> tuple[str, str]:
    kind, _, value = spec.partition(":")
    if not value:
        raise SetupError(f"Invalid API specification '{spec}'")
    if kind == "url":
        raise SetupError(f"--api-spec={spec}: url: is not supported; download the file and use --api-spec=file:PATH")
    if kind not in ("version", "file"):
        raise SetupError(f"Could not parse cluster spec '{spec}'")
    return kind, value
