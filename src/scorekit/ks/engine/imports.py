"""Where an import is looked for (ksonnet-rules.md#imports)."""

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ...errors import RenderError
from ..app.app import PinnedPackage
from ..app.tree import Tree
from ..library.bundled import bundled

VIRTUAL = "@"
"""Folder of the sources that are no files, such as the object of all components; nothing is relative to it."""

PINS = "@pins"
"""Stands among the folders where the versioned packages are looked at."""


class ImportNotFound(RenderError):
    """Nothing along the search path answers an import. ``wanted`` is what was asked for."""

    def __init__(self, wanted: str, folders: Iterable[str]) -> None:
        self.wanted = wanted
        super().__init__(f'couldn\'t open import "{wanted}": no match locally or in {", ".join(folders)}')


@dataclass(frozen=True, slots=True)
class ImportSearch:
    """Finds imports in a tree. ``folders`` is in the order of the search: ksonnet's last added comes first.

    ``virtual`` names come before everything and give a path and a text. A versioned package answers for its
    unversioned name at the place of ``PINS`` among the folders, as ksonnet's temporary copy of it did. Where nothing
    else answers for ``k.libsonnet``, the library inside the wheel does.
    """

    tree: Tree
    folders: tuple[str, ...]
    pins: tuple[PinnedPackage, ...] = ()
    virtual: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def __call__(self, folder: str, wanted: str) -> tuple[str, str]:
        if wanted in self.virtual:
            return self.virtual[wanted]
        for path in self._candidates(folder, wanted):
            text = self.tree.read(path)
            if text is not None:
                return path, text
        if (found := bundled(wanted)) is not None:
            return found
        raise ImportNotFound(wanted, (name for name in self.folders if name != PINS))

    def _candidates(self, folder: str, wanted: str) -> Iterable[str]:
        if posixpath.isabs(wanted):
            yield wanted
            return
        if not folder.startswith(VIRTUAL):
            own = posixpath.normpath(posixpath.join(folder, wanted))
            yield own
            # From one pinned package into another: `../other/x` was beside it in ksonnet's copy.
            if own.startswith("vendor/"):
                yield from self._pinned(own.removeprefix("vendor/"))
        for name in self.folders:
            if name == PINS:
                yield from self._pinned(posixpath.normpath(wanted))
            else:
                yield posixpath.normpath(posixpath.join(name, wanted))

    def _pinned(self, path: str) -> Iterable[str]:
        for library in self.pins:
            if library.version and path.startswith(library.key + "/"):
                yield library.folder + path.removeprefix(library.key)


def missing_pins(tree: Tree, pins: Iterable[PinnedPackage]) -> list[str]:
    """ksonnet's warnings for pinned packages that are not vendored under their version (ksonnet-rules.md#imports)."""
    return [
        f"skipping missing path {library.folder}. Please run `ks upgrade`."
        for library in pins
        if library.version and tree.names(library.folder) is None
    ]
