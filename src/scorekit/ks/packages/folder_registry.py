"""A registry in a folder (ksonnet-rules.md#packages): its packages have no versions."""

import posixpath
from dataclasses import dataclass

from ...errors import RenderError, SetupError
from ..app.tree import ByteTree
from .registries import REGISTRY_FILE, Catalogue, read_catalogue
from .vendor import PARTS_FILE


@dataclass(frozen=True, slots=True)
class FolderRegistry:
    """Fulfils ``ks.registries.Source``; ``root`` is absolute, or relative to the app that ``tree`` is."""

    tree: ByteTree
    root: str

    def validate(self) -> None:
        if self.tree.names(self.root) is None:
            raise SetupError(f'validating registry URL: registry path "{self.tree.shown(self.root)}" does not exist')

    def catalogue(self) -> Catalogue:
        path = posixpath.join(self.root, REGISTRY_FILE)
        text = self.tree.read(path)
        if text is None:
            raise SetupError(f"open {self.tree.shown(path)}: no such file or directory")
        try:
            return read_catalogue(text, path)
        except RenderError as error:
            raise SetupError(str(error)) from error

    def version(self, package: str, ref: str) -> str:
        return ""

    def files(self, package: str, version: str) -> dict[str, bytes]:
        root = posixpath.join(self.root, package)
        parts = posixpath.join(root, PARTS_FILE)
        if self.tree.read(parts) is None:
            raise SetupError(f"open {self.tree.shown(parts)}: no such file or directory")
        return dict(self._below(root, ""))

    def _below(self, root: str, prefix: str) -> list[tuple[str, bytes]]:
        found: list[tuple[str, bytes]] = []
        for name in self.tree.names(posixpath.join(root, prefix)) or []:
            if name.endswith("/"):
                found += self._below(root, prefix + name)
            else:
                found.append((prefix + name, self.tree.read_bytes(posixpath.join(root, prefix + name))))
        return found
