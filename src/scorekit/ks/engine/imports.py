"""Where an import is looked for (ksonnet-rules.md#imports).

ksonnet copied every pinned package from ``vendor/<registry>/<package>@<version>`` to a temporary folder without the
version and put that on the search path. Here nothing is copied: ``PINS`` takes the place of that folder in the search,
and a path that begins with ``<registry>/<package>/`` is mapped to the pinned folder.
"""

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ...errors import RenderError
from ..app.app import PinnedPackage
from ..app.tree import Tree
from ..library.bundled import bundled_import

VIRTUAL = "@"
"""What the paths of virtual sources begin with, such as the object of all components. They have no folder."""

PINS = "@pins"
"""The place of pinned packages among the folders of a search."""


class ImportNotFound(RenderError):
    """Nothing on the search path has the imported file. ``wanted`` is its path in the import."""

    def __init__(self, wanted: str, folders: Iterable[str]) -> None:
        self.wanted = wanted
        super().__init__(f'couldn\'t open import "{wanted}": no match locally or in {", ".join(folders)}')


@dataclass(frozen=True, slots=True)
class ImportSearch:
    """Finds imports in an app; an ``Importer``.

    ``folders`` is the search path, the first folder first. ``virtual`` are sources by the name that imports them, each
    a path for error messages and a text; they come before everything. ``k.libsonnet`` comes from the wheel if nothing
    on the path has it.
    """

    tree: Tree
    folders: tuple[str, ...]
    pins: tuple[PinnedPackage, ...] = ()
    virtual: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def __call__(self, folder: str, wanted: str) -> tuple[str, str]:
        """The path and the text of an import. Raises ``ImportNotFound``."""
        if wanted in self.virtual:
            return self.virtual[wanted]
        for path in self._candidates(folder, wanted):
            text = self.tree.read(path)
            if text is not None:
                return path, text
        if (library := bundled_import(wanted)) is not None:
            return library
        raise ImportNotFound(wanted, (name for name in self.folders if name != PINS))

    def _candidates(self, folder: str, wanted: str) -> Iterable[str]:
        if posixpath.isabs(wanted):
            yield wanted
            return
        if not folder.startswith(VIRTUAL):
            own = posixpath.normpath(posixpath.join(folder, wanted))
            yield own
            # One package may import another as `../other/x`: in ksonnet's copy they were next to each other.
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
    """ksonnet's warnings about pinned packages that are not in ``vendor/`` under their version."""
    return [
        f"skipping missing path {library.folder}. Please run `ks upgrade`."
        for library in pins
        if library.version and tree.names(library.folder) is None
    ]
