"""What a ksonnet app is made of, to the code that reads it: text files under one root."""

import posixpath
from collections.abc import Mapping
from typing import Protocol


class Tree(Protocol):
    """Files by path, relative to the app's root with ``/`` between parts; an absolute path is itself."""

    def read(self, path: str) -> str | None:
        """The text of a file; None where there is none (a folder is none)."""

    def names(self, path: str) -> list[str] | None:
        """What a folder holds, sorted, each folder with a trailing ``/``; None where there is no such folder."""


class MemoryTree:
    """A tree held in a mapping from path to text."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.files = dict(files)

    def read(self, path: str) -> str | None:
        return self.files.get(posixpath.normpath(path))

    def names(self, path: str) -> list[str] | None:
        prefix = "" if path in ("", ".") else posixpath.normpath(path) + "/"
        below = (name.removeprefix(prefix) for name in self.files if name.startswith(prefix))
        return sorted({first + slash for first, slash, _ in (name.partition("/") for name in below)}) or None
