"""A ksonnet app on disk."""

from pathlib import Path

from .errors import RenderError


class Directory:
    """Fulfils ``ks.tree.Tree`` for the folder ``root``."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def read(self, path: str) -> str | None:
        try:
            return (self.root / path).read_text(encoding="utf-8")
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None
        except UnicodeDecodeError as error:
            raise RenderError(f"not UTF-8: {error.reason} at byte {error.start}", path) from error
        except OSError as error:
            raise RenderError(f"cannot be read: {error.strerror}", path) from error

    def names(self, path: str) -> list[str] | None:
        try:
            return sorted(child.name + ("/" if child.is_dir() else "") for child in (self.root / path).iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise RenderError(f"cannot be read: {error.strerror}", path) from error


def find_root(start: Path) -> Path | None:
    """The nearest folder from ``start`` upwards that holds an ``app.yaml`` (ksonnet §B.1)."""
    start = start.absolute()
    return next((folder for folder in (start, *start.parents) if (folder / "app.yaml").exists()), None)
