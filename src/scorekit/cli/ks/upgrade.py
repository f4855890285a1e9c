"""``ks upgrade``."""

import argparse

from .app_folder import find_app
from .commands import Commands, add_command, add_positionals, positionals


def add(commands: Commands) -> None:
    """Add ``upgrade``."""
    summary = "convert an app of an older schema to 0.3.0"
    parser = add_command(commands, "upgrade", summary, _upgrade, examples=["ks upgrade --dry-run"])
    add_positionals(parser, "", 0, "'upgrade' takes zero arguments")
    parser.add_argument("--dry-run", action="store_true", help="print what would be done, change nothing")


def _upgrade(arguments: argparse.Namespace) -> None:
    positionals(arguments)
    tree = find_app(arguments, warns=False)
    from ...ks.edits.upgrade import upgrade

    upgrade(tree, arguments.dry_run, print)
