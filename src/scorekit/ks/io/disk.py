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
    """Fulfils ``ks.tree.Workspace`` for the folder ``root``. Line ends are what they are in the files.

    Nothing outside of the folder is changed, whatever a name in ``app.yaml`` may be.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def read(self, path: str) -> str | None:
        try:
            return (self.root / path).read_bytes().decode()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None
        except UnicodeDecodeError as error:
            raise RenderError(f"not UTF-8: {error.reason} at byte {error.start}", path) from error
        except OSError as error:
            raise RenderError(f"cannot be read: {error.strerror}", path) from error

    def read_bytes(self, path: str) -> bytes:
        with _told(path, "read"):
            return (self.root / path).read_bytes()

    def shown(self, path: str) -> str:
        return os.path.normpath(self.root / path)

    def names(self, path: str) -> list[str] | None:
        try:
            return sorted(child.name + ("/" if child.is_dir() else "") for child in (self.root / path).iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise RenderError(f"cannot be read: {error.strerror}", path) from error

    def write(self, path: str, content: str | bytes) -> None:
        data = content.encode() if isinstance(content, str) else content
        with _told(path, "written"):
            # An edited file stays where a link points and keeps its permissions.
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
        target = self._inside(path)
        with _told(path, "removed"), contextlib.suppress(FileNotFoundError):
            if target.is_dir() and not target.is_symlink():
                shutil.rmtree(target)
            else:
                target.unlink()

    def move(self, path: str, target: str) -> None:
        with _told(path, f"moved to {target}"):
            source, goal = self._inside(path), self._inside(target)
            if goal.exists():
                raise SetupError(f"{path} cannot be moved: {target} is there already")
            goal.parent.mkdir(parents=True, exist_ok=True)
            source.rename(goal)

    def make(self, path: str) -> None:
        with _told(path, "made"):
            self._inside(path).mkdir(parents=True, exist_ok=True)

    def _inside(self, path: str) -> Path:
        normal = posixpath.normpath(path)
        if normal == "." or normal.split("/")[0] in ("..", ""):
            raise SetupError(f"{path} is not inside the app: nothing is changed there")
        return self.root / normal


@contextlib.contextmanager
def _told(path: str, what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SetupError(f"{path} cannot be {what}: {error.strerror}") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def find_root(start: Path) -> Path | None:
    """The nearest folder from ``start`` upwards that holds an ``app.yaml`` (ksonnet-rules.md#app-folder)."""
    start = start.absolute()
    return next((folder for folder in (start, *start.parents) if (folder / "app.yaml").exists()), None)
