"""The app that a command works on."""

import argparse
import contextlib
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import RenderError, SetupError
from .logrus import log

if TYPE_CHECKING:
    from ...ks.io.disk import Directory

# Module -> distribution. These come with the extra `ks`; a base install serves without them.
_NEEDS = {"_gojsonnet": "gojsonnet", "yaml": "PyYAML"}


def find_app(arguments: argparse.Namespace, *, warns: bool = True) -> "Directory":
    """The app around ``--dir``, or else around the current folder.

    Logs ksonnet's warnings about an app that needs ``ks upgrade``, unless ``warns`` is false. Raises ``SetupError`` if
    there is no app.
    """
    folder: str | None = getattr(arguments, "dir", None)
    from ...ks.io.disk import find_root

    root = find_root(Path(folder) if folder else Path.cwd())
    if root is None:
        hint = "there or above: name another folder" if folder else "here or above: go to the app, or use --dir"
        raise SetupError(
            f"finding app root from starting path: {folder or ''}: unable to find ksonnet project; no app.yaml {hint}"
        )
    tree = open_folder(root)
    if warns:
        from ...ks.edits import upgrade_warnings

        # A broken app.yaml is reported by whatever reads it next.
        with contextlib.suppress(RenderError):
            for message in upgrade_warnings(tree):
                log("warning", message)
    return tree


def open_folder(root: Path) -> "Directory":
    """The app whose root is ``root``. Raises ``SetupError`` if the extra ``ks`` is not installed."""
    missing = [name for module, name in _NEEDS.items() if importlib.util.find_spec(module) is None]
    if missing:
        raise SetupError(f"ks needs {' and '.join(missing)}: pip install '.[ks]' in a checkout of scorekit")
    from ...ks.io.disk import Directory

    return Directory(root)
