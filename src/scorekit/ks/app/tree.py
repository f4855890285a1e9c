"""What a ksonnet app is made of, to the code that reads it: text files under one root."""

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


class WritableTree(ByteTree, Protocol):
    """A tree that can be changed. Each file is written whole or not at all."""

    def write(self, path: str, content: str | bytes) -> None:
        """Puts a file there, over the one that is there, with the folders above it."""

    def remove(self, path: str) -> None:
        """Takes a file or a folder away, with all that is in it; nothing happens where there is none."""

    def move(self, path: str, target: str) -> None:
        """Gives a file or a folder another name; nothing may be there."""

    def make(self, path: str) -> None:
        """Makes a folder, with those above it; nothing happens where there is one."""
