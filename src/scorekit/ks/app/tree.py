"""The files of an app, as interfaces: the code that works on apps knows no disk."""

from typing import Protocol


class Tree(Protocol):
    """Text files by path: relative to the root of the app, with ``/`` between the parts. An absolute path is itself."""

    def read(self, path: str) -> str | None:
        """The text of a file; None if there is no such file (a folder is not a file).

        Raises ``RenderError`` if the file cannot be read or is not UTF-8.
        """

    def names(self, path: str) -> list[str] | None:
        """The names in a folder, sorted, folders with a trailing ``/``; None if there is no such folder."""


class ByteTree(Tree, Protocol):
    """A tree whose files need not be text."""

    def read_bytes(self, path: str) -> bytes:
        """The content of a file that exists. Raises ``SetupError`` if it cannot be read."""

    def shown(self, path: str) -> str:
        """The full path, for messages."""


class WritableTree(ByteTree, Protocol):
    """A tree that can be changed. Each file is written completely or not at all.

    Every method raises ``SetupError`` for a path outside of the app, and for what the system refuses.
    """

    def write(self, path: str, content: str | bytes) -> None:
        """Write a file, over an existing one; make the folders above it."""

    def remove(self, path: str) -> None:
        """Remove a file, or a folder with everything in it. It is not an error if there is none."""

    def move(self, path: str, target: str) -> None:
        """Rename a file or a folder. ``target`` must not exist."""

    def make(self, path: str) -> None:
        """Make a folder and those above it. It is not an error if it exists."""
