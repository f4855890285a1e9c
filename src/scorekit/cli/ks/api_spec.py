"""``--api-spec``: the version of Kubernetes that an environment is for, and its library."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import SetupError

if TYPE_CHECKING:
    from ...ks.app.tree import WritableTree

_SWAGGER = "swagger.json"


@dataclass(frozen=True, slots=True)
class KubernetesVersion:
    """``swagger`` is the text of a swagger file, if the library is to be made of one."""

    name: str
    swagger: str | None = None

    @property
    def folder(self) -> str:
        return f"lib/ksonnet-lib/{self.name}"

    def install(self, tree: "WritableTree") -> None:
        """Puts the library into the app. A version alone needs none: the one in the wheel answers for it."""
        if self.swagger is not None:
            self._generate(tree, self.swagger)

    def update(self, tree: "WritableTree") -> None:
        """Makes the library anew of the swagger file that it was made of."""
        swagger = tree.read(f"{self.folder}/{_SWAGGER}")
        if swagger is not None:
            self._generate(tree, swagger)

    def _generate(self, tree: "WritableTree", swagger: str) -> None:
        from ...ks.library import generate_library

        files = {_SWAGGER: swagger, **generate_library(swagger, _SWAGGER)}
        for name, text in files.items():
            tree.write(f"{self.folder}/{name}", text)


def resolved_version(spec: str) -> KubernetesVersion:
    """What ``--api-spec`` asks for. Raises ``SetupError``."""
    from ...ks.app.templates import api_spec

    kind, value = api_spec(spec)
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
        raise SetupError(f"{path}: no OpenAPI description of Kubernetes: it has no info.version") from error
    if "/" in version or version in ("", ".", ".."):
        raise SetupError(f"{path}: {version!r} is no version")
    return KubernetesVersion(version, swagger)
