"""Fakes that ship with the library: what tests use in place of a clock and of faults."""

import posixpath
from collections import deque
from collections.abc import Callable, Mapping


class ManualLoop:
    """An event loop's turns, run by hand: fulfils ``executor.EventLoop``."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], object]] = deque()

    def __repr__(self) -> str:
        return f"<ManualLoop waiting={len(self._waiting)}>"

    def call_soon(self, callback: Callable[[], object], /) -> None:
        self._waiting.append(callback)

    def run_once(self) -> int:
        """Run what waited when the turn began, as an event loop does. Returns how many callbacks that were."""
        count = len(self._waiting)
        for _ in range(count):
            self._waiting.popleft()()
        return count


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
