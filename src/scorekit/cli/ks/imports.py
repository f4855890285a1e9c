"""``ks import``: manifests taken in as components."""

import argparse
import secrets
import string
from pathlib import Path

from ...errors import SetupError
from .opening import Commands, app, log, word


def add(commands: Commands, everywhere: argparse.ArgumentParser) -> None:
    parser = word(commands, everywhere, "import", "take manifests in as components", _import)
    parser.add_argument("-f", "--filename", default="", metavar="PATH", help="a file, a folder or a URL")
    parser.add_argument("--module", default="/", metavar="NAME", help="where to (/)")


def _import(arguments: argparse.Namespace) -> None:
    path: str = arguments.filename
    if not path:
        raise SetupError("path is required")
    tree = app(arguments)
    from ...ks.edits.components import create_component, module_named
    from ...ks.edits.imported_components import imported

    module = module_named(arguments.module)
    for each in imported(_files(path), _five_letters):
        written = create_component(tree, module, each.key, each.extension, each.source, {})
        log("info", f"Writing component at '{tree.shown(written)}'")


def _files(path: str) -> list[tuple[str, bytes]]:
    if path.startswith(("http://", "https://")):
        from ...ks.io.download import download

        return [download(path)]
    given = Path(path)
    if not given.exists():
        raise SetupError(f"{path} does not exist")
    files = sorted(given.iterdir()) if given.is_dir() else [given]
    try:
        return [(str(file), b"" if file.is_dir() else file.read_bytes()) for file in files]
    except OSError as error:
        raise SetupError(f"{error.filename}: cannot be read: {error.strerror}") from error


def _five_letters() -> str:
    return "".join(secrets.choice(string.ascii_lowercase) for _ in range(5))
