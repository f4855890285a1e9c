"""A registry in a folder; its packages have no versions (ksonnet-rules.md#packages)."""

import posixpath
from dataclasses import dataclass

from ...errors import RenderError, SetupError
from ..app.tree import ByteTree
from .registries import REGISTRY_FILE, Catalogue, read_catalogue
from .vendor import PARTS_FILE


@dataclass(frozen=True, slots=True)
class FolderRegistry:
    """A ``RegistryClient``; ``root`` is absolute, or relative to the app ``tree``."""

    tree: ByteTree
    root: str

    def validate(self) -> None:
        """Raises ``SetupError`` if the folder does not exist."""
        if self.tree.names(self.root) is None:
            raise SetupError(f'validating registry URL: registry path "{self.tree.shown(self.root)}" does not exist')

    def catalogue(self) -> Catalogue:
        """What ``registry.yaml`` offers. Raises ``SetupError`` if it is missing or invalid."""
        path = posixpath.join(self.root, REGISTRY_FILE)
        text = self.tree.read(path)
        if text is None:
            raise SetupError(f"open {self.tree.shown(path)}: no such file or directory")
        try:
            return read_catalogue(text, path)
        except RenderError as error:
            raise SetupError(str(error)) from error

    def version(self, package: str, ref: str) -> str:
        """Empty: packages of a folder have no versions."""
        return ""

    def files(self, package: str, version: str) -> dict[str, bytes]:
        """The files of a package. Raises ``SetupError`` if it has no ``parts.yaml``."""
        root = posixpath.join(self.root, package)
        parts = posixpath.join(root, PARTS_FILE)
        if self.tree.read(parts) is None:
            raise SetupError(f"open {self.tree.shown(parts)}: no such file or directory")
        return dict(self._below(root, ""))

    def _below(self, root: str, prefix: str) -> list[tuple[str, bytes]]:
        files: list[tuple[str, bytes]] = []
        for name in self.tree.names(posixpath.join(root, prefix)) or []:
            if name.endswith("/"):
                files += self._below(root, prefix + name)
            else:
                files.append((prefix + name, self.tree.read_bytes(posixpath.join(root, prefix + name))))
        return files
