"""What every word of ``ks`` begins with: the app around the current folder, and how it speaks."""

import argparse
import contextlib
import importlib.util
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from ...errors import RenderError, SetupError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...ks.io.disk import Directory

Commands: TypeAlias = "argparse._SubParsersAction[Any]"
"""Where words are added: each module here has ``add(commands, everywhere)``. What runs may return an exit status."""

# What logrus leaves without quotes.
_BARE = re.compile(r"[A-Za-z0-9\-._/@^+]+")

_NEEDS = {"_gojsonnet": "gojsonnet", "yaml": "PyYAML"}


def app(arguments: argparse.Namespace, is_checked: bool = True) -> "Directory":
    """The app that ``--dir``, else the current folder, lies in. Raises ``SetupError``.

    One that needs ``ks upgrade`` is warned of, if it ``is_checked``.
    """
    given: str | None = getattr(arguments, "dir", None)
    from ...ks.io.disk import find_root

    root = find_root(Path(given) if given else Path.cwd())
    if root is None:
        hint = "there or above: name another folder" if given else "here or above: go to the app, or say --dir"
        raise SetupError(
            f"finding app root from starting path: {given or ''}: unable to find ksonnet project; no app.yaml {hint}"
        )
    tree = opened(root)
    if is_checked:
        from ...ks.edits.upgrade import warnings

        # What is wrong with app.yaml is told by whoever reads it next.
        with contextlib.suppress(RenderError):
            for message in warnings(tree):
                log("warning", message)
    return tree


def opened(root: Path) -> "Directory":
    """The app in the folder ``root``. Raises ``SetupError`` where the extra ``ks`` is not installed."""
    missing = [name for module, name in _NEEDS.items() if importlib.util.find_spec(module) is None]
    if missing:
        raise SetupError(f"ks needs {' and '.join(missing)}: pip install 'scorekit[ks]'")
    from ...ks.io.disk import Directory

    return Directory(root)


def print_table(kind: str, header: list[str], rows: list[list[str]], output: str) -> None:
    """A table on stdout, as text or JSON. Raises ``SetupError`` for another ``output``."""
    from .table import as_json, as_text

    if output not in ("table", "json"):
        raise SetupError(f'detecting output format: unknown output format "{output}"')
    sys.stdout.write(as_json(kind, header, rows) if output == "json" else as_text(header, rows))


def add_output(parser: argparse.ArgumentParser) -> None:
    """``-o`` of a command that prints a table."""
    parser.add_argument("-o", "--output", default="table", metavar="table|json", help="default: table")


def log(level: str, message: str, **fields: str) -> None:
    """A line on stderr as logrus writes it; a field's ``_`` is a ``-``."""
    shown = "".join(f" {name.replace('_', '-')}={_logged(value)}" for name, value in sorted(fields.items()))
    print(f"level={level} msg={_logged(message)}{shown}", file=sys.stderr)


def _logged(text: str) -> str:
    return text if _BARE.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def add_words(parser: argparse.ArgumentParser, metavar: str, number: int, message: str) -> None:
    """Arguments that are counted by :func:`words`, so that a wrong number of them is told in ksonnet's words."""
    parser.add_argument("words", nargs="*", metavar=metavar)
    parser.set_defaults(number_of_words=number, wrong_words=message)


def words(arguments: argparse.Namespace) -> list[str]:
    """The arguments of :func:`add_words`. Raises ``SetupError`` for a wrong number of them."""
    found: list[str] = arguments.words
    if len(found) != arguments.number_of_words:
        raise SetupError(arguments.wrong_words)
    return found


def group_of(commands: Commands, everywhere: argparse.ArgumentParser, name: str, what: str) -> Commands:
    """A word that others follow."""
    group = commands.add_parser(name, parents=[everywhere], help=what, allow_abbrev=False)
    below: Commands = group.add_subparsers(title="commands", metavar="COMMAND", required=True)
    return below


def word(
    commands: Commands,
    everywhere: argparse.ArgumentParser,
    name: str,
    what: str,
    run: "Callable[[argparse.Namespace], int | None]",
) -> argparse.ArgumentParser:
    """A word that does something."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name, parents=[everywhere], help=what, description=what[:1].upper() + what[1:] + ".", allow_abbrev=False
    )
    parser.set_defaults(run=run)
    return parser
