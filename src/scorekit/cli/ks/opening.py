"""What every word of ``ks`` begins with: the app around the current folder, and how it speaks."""

import argparse
import importlib.util
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from ...errors import SetupError

if TYPE_CHECKING:
    from ...files import Directory

Commands: TypeAlias = "argparse._SubParsersAction[Any]"
"""Where words are added: each module here has ``add(commands, everywhere)``. What runs may return an exit status."""

_NEEDS = {"rjsonnet": "rjsonnet", "yaml": "PyYAML"}


def app(arguments: argparse.Namespace) -> "Directory":
    """The app that ``--dir``, else the current folder, lies in. Raises ``SetupError``."""
    given: str | None = getattr(arguments, "dir", None)
    from ...files import find_root

    root = find_root(Path(given) if given else Path.cwd())
    if root is None:
        raise SetupError(f"finding app root from starting path: {given or ''}: unable to find ksonnet project")
    return opened(root)


def opened(root: Path) -> "Directory":
    """The app in the folder ``root``. Raises ``SetupError`` where the extra ``ks`` is not installed."""
    missing = [name for module, name in _NEEDS.items() if importlib.util.find_spec(module) is None]
    if missing:
        raise SetupError(f"rendering needs {' and '.join(missing)}: pip install 'scorekit[ks]'")
    from ...files import Directory

    return Directory(root)


def print_table(kind: str, header: list[str], rows: list[list[str]], output: str) -> None:
    """A table on stdout, as text or JSON. Raises ``SetupError`` for another ``output``."""
    from ...ks.table import as_json, as_text

    if output not in ("table", "json"):
        raise SetupError(f'detecting output format: unknown output format "{output}"')
    sys.stdout.write(as_json(kind, header, rows) if output == "json" else as_text(header, rows))


def add_output(parser: argparse.ArgumentParser) -> None:
    """``-o`` of a command that prints a table."""
    parser.add_argument("-o", "--output", default="table", metavar="table|json", help="default: table")


def log(level: str, message: str) -> None:
    """On stderr as logrus writes it, but a line for each line: what is to be read must not be one long ``\\n``."""
    for line in message.split("\n"):
        print(f"level={level} msg={json.dumps(line, ensure_ascii=False)}", file=sys.stderr)
