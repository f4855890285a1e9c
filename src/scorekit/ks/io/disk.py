"""A ksonnet app on disk."""

import contextlib
import os
import posixpath
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ...errors import RenderError, SetupError


class Directory:
    """A ``WritableTree`` for the folder ``root``. Line ends are those of the files.

    Nothing outside of the folder is changed, whatever paths ``app.yaml`` contains.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def read(self, path: str) -> str | None:
        """The text of a file; None if there is no such file. Raises ``RenderError``."""
        try:
            return (self.root / path).read_bytes().decode()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None
        except UnicodeDecodeError as error:
            raise RenderError(f"not UTF-8: {error.reason} at byte {error.start}", path) from error
        except OSError as error:
            raise RenderError(f"cannot be read: {error.strerror}", path) from error

    def read_bytes(self, path: str) -> bytes:
        """The content of a file. Raises ``SetupError``."""
        with _translated(path, "read"):
            return (self.root / path).read_bytes()

    def shown(self, path: str) -> str:
        """The full path, for messages."""
        return os.path.normpath(self.root / path)

    def names(self, path: str) -> list[str] | None:
        """The names in a folder, as in ``Tree``. Raises ``RenderError``."""
        try:
            return sorted(child.name + ("/" if child.is_dir() else "") for child in (self.root / path).iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise RenderError(f"cannot be read: {error.strerror}", path) from error

    def write(self, path: str, content: str | bytes) -> None:
        """Write a file completely or not at all, with the folders above it. Raises ``SetupError``."""
        data = content.encode() if isinstance(content, str) else content
        with _translated(path, "written"):
            # The new content goes to a file next to it, which then takes its name: a crash leaves the old or the new
            # file, never half of one. A link stays a link, and permissions stay.
            file = Path(os.path.realpath(self._inside(path)))
            file.parent.mkdir(parents=True, exist_ok=True)
            mode = file.stat().st_mode & 0o7777 if file.exists() else 0o666 & ~_umask()
            descriptor, temporary = tempfile.mkstemp(prefix=".ks-", dir=file.parent)
            try:
                with os.fdopen(descriptor, "wb") as stream:
                    stream.write(data)
                Path(temporary).chmod(mode)
                Path(temporary).replace(file)
            except BaseException:
                Path(temporary).unlink()
                raise

    def remove(self, path: str) -> None:
        """Remove a file or a folder, if it exists; of a link, the link itself. Raises ``SetupError``."""
        target = self._inside(path)
        with _translated(path, "removed"), contextlib.suppress(FileNotFoundError):
            if target.is_dir() and not target.is_symlink():
                shutil.rmtree(target)
            else:
                target.unlink()

    def move(self, path: str, target: str) -> None:
        """Rename a file or a folder. Raises ``SetupError`` if ``target`` exists."""
        with _translated(path, f"moved to {target}"):
            source, goal = self._inside(path), self._inside(target)
            if goal.exists():
                raise SetupError(f"{path} cannot be moved: {target} exists already")
            goal.parent.mkdir(parents=True, exist_ok=True)
            source.rename(goal)

    def make(self, path: str) -> None:
        """Make a folder, with those above it. Raises ``SetupError``."""
        with _translated(path, "made"):
            self._inside(path).mkdir(parents=True, exist_ok=True)

    def _inside(self, path: str) -> Path:
        normal = posixpath.normpath(path)
        if normal == "." or normal.split("/")[0] in ("..", ""):
            raise SetupError(f"{path} is not inside the app; nothing outside of it is changed")
        return self.root / normal


@contextlib.contextmanager
def _translated(path: str, what: str) -> Iterator[None]:
    """Raises ``SetupError`` with the path, what failed and the system's reason, in place of ``OSError``."""
    try:
        yield
    except OSError as error:
        raise SetupError(f"{path} cannot be {what}: {error.strerror}") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def find_root(start: Path) -> Path | None:
    """The nearest folder with an ``app.yaml``, from ``start`` upwards (ksonnet-rules.md#app-folder)."""
    start = start.absolute()
    return next((folder for folder in (start, *start.parents) if (folder / "app.yaml").exists()), None)
