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


class ByteTree(Tree, Protocol):
    """A tree of files that need not be text."""

    def read_bytes(self, path: str) -> bytes:
        """What is in a file that is there."""

    def shown(self, path: str) -> str:
        """The whole path, for a person."""


class Workspace(ByteTree, Protocol):
    """A tree that can be changed. Each file is written whole or not at all."""

    def write(self, path: str, content: str | bytes) -> None:
        """Puts a file there, over the one that is there, with the folders above it."""

    def remove(self, path: str) -> None:
        """Takes a file or a folder away, with all that is in it; nothing happens where there is none."""

    def move(self, path: str, target: str) -> None:
        """Gives a file or a folder another name; nothing may be there."""

    def make(self, path: str) -> None:
        """Makes a folder, with those above it; nothing happens where there is one."""


class MemoryTree:
    """A tree held in a mapping from path to text. It has no empty folders."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.files = dict(files)

    def read_bytes(self, path: str) -> bytes:
        return self.files[posixpath.normpath(path)].encode()

    def shown(self, path: str) -> str:
        return posixpath.join("/", posixpath.normpath(path))

    def write(self, path: str, content: str | bytes) -> None:
        self.files[posixpath.normpath(path)] = content if isinstance(content, str) else content.decode()

    def remove(self, path: str) -> None:
        for name in self._below(path):
            del self.files[name]

    def move(self, path: str, target: str) -> None:
        for name in self._below(path):
            self.files[posixpath.normpath(target + name.removeprefix(posixpath.normpath(path)))] = self.files.pop(name)

    def make(self, path: str) -> None:
        """A folder is there once something is in it."""

    def _below(self, path: str) -> list[str]:
        own = posixpath.normpath(path)
        return [name for name in self.files if name == own or name.startswith(own + "/")]

    def read(self, path: str) -> str | None:
        return self.files.get(posixpath.normpath(path))

    def names(self, path: str) -> list[str] | None:
        prefix = "" if path in ("", ".") else posixpath.normpath(path) + "/"
        below = (name.removeprefix(prefix) for name in self.files if name.startswith(prefix))
        return sorted({first + slash for first, slash, _ in (name.partition("/") for name in below)}) or None
