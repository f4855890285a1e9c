"""Fakes that ship with the library: what tests use in place of an event loop and of a disk."""

import posixpath
from collections import deque
from collections.abc import Callable, Mapping


class ManualLoop:
    """An event loop whose turns are run by hand. It implements ``inference.executor.EventLoop``."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], object]] = deque()

    def __repr__(self) -> str:
        return f"<ManualLoop waiting={len(self._waiting)}>"

    def call_soon(self, callback: Callable[[], object], /) -> None:
        """Run ``callback`` in the next turn."""
        self._waiting.append(callback)

    def run_once(self) -> int:
        """Run one turn: the callbacks that waited when it began, as an event loop does. Return their number."""
        count = len(self._waiting)
        for _ in range(count):
            self._waiting.popleft()()
        return count


class MemoryTree:
    """A ksonnet app in memory, by path: fulfils ``ks.app.WritableTree``. It has no empty folders."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.files = dict(files)

    def read(self, path: str) -> str | None:
        """The text of a file; None if there is none."""
        return self.files.get(posixpath.normpath(path))

    def read_bytes(self, path: str) -> bytes:
        """The content of a file that exists."""
        return self.files[posixpath.normpath(path)].encode()

    def shown(self, path: str) -> str:
        """The path, as if the app were at ``/``."""
        return posixpath.join("/", posixpath.normpath(path))

    def names(self, path: str) -> list[str] | None:
        """The sorted names in a folder, folders with a trailing ``/``; None if there is nothing below it."""
        prefix = "" if path in ("", ".") else posixpath.normpath(path) + "/"
        below = (name.removeprefix(prefix) for name in self.files if name.startswith(prefix))
        return sorted({first + slash for first, slash, _ in (name.partition("/") for name in below)}) or None

    def write(self, path: str, content: str | bytes) -> None:
        """Write a file, over an existing one."""
        self.files[posixpath.normpath(path)] = content if isinstance(content, str) else content.decode()

    def remove(self, path: str) -> None:
        """Remove a file, or everything below a folder."""
        for name in self._below(path):
            del self.files[name]

    def move(self, path: str, target: str) -> None:
        """Rename a file or a folder."""
        for name in self._below(path):
            self.files[posixpath.normpath(target + name.removeprefix(posixpath.normpath(path)))] = self.files.pop(name)

    def make(self, path: str) -> None:
        """Nothing: a folder exists once there is a file in it."""

    def _below(self, path: str) -> list[str]:
        own = posixpath.normpath(path)
        return [name for name in self.files if name == own or name.startswith(own + "/")]
