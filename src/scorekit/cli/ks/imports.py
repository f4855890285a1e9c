"""``ks import``."""

import argparse
import secrets
import string
from pathlib import Path

from ...errors import SetupError
from .app_folder import find_app
from .commands import Commands, add_command
from .logrus import log


def add(commands: Commands) -> None:
    """Add ``import``."""
    examples = ["ks import -f service.yaml", "ks import -f manifests/ --module monitoring"]
    parser = add_command(commands, "import", "import manifests as components", _import, examples=examples)
    parser.add_argument("-f", "--filename", default="", metavar="PATH", help="a file, a folder or a URL (required)")
    parser.add_argument("--module", default="/", metavar="NAME", help="put the components here (default: /)")


def _import(arguments: argparse.Namespace) -> None:
    path: str = arguments.filename
    if not path:
        raise SetupError("path is required")
    tree = find_app(arguments)
    from ...ks.edits.components import create_component, module_named
    from ...ks.edits.imported_components import imported_components

    module = module_named(arguments.module)
    for component in imported_components(_files(path), _five_letters):
        written = create_component(
            tree, module, key=component.key, extension=component.extension, source=component.source, params={}
        )
        log("info", f"Writing component at '{tree.shown(written)}'")


def _files(path: str) -> list[tuple[str, bytes]]:
    if path.startswith(("http://", "https://")):
        from ...ks.io.download import download

        return [download(path)]
    root = Path(path)
    if not root.exists():
        raise SetupError(f"{path} does not exist")
    files = sorted(root.iterdir()) if root.is_dir() else [root]
    try:
        # A folder in the folder has no bytes; its name then has no extension that can be imported.
        return [(str(file), b"" if file.is_dir() else file.read_bytes()) for file in files]
    except OSError as error:
        raise SetupError(f"{error.filename}: cannot be read: {error.strerror}") from error


def _five_letters() -> str:
    return "".join(secrets.choice(string.ascii_lowercase) for _ in range(5))
