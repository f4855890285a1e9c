"""``ks upgrade``: an app of an older schema brought to the newest."""

import argparse

from .opening import Commands, add_words, app, word, words


def add(commands: Commands, everywhere: argparse.ArgumentParser) -> None:
    parser = word(commands, everywhere, "upgrade", "bring an older app to the newest schema", _upgrade)
    add_words(parser, "", 0, "'upgrade' takes zero arguments")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")


def _upgrade(arguments: argparse.Namespace) -> None:
    words(arguments)
    tree = app(arguments, is_checked=False)
    from ...ks.edits.upgrade import upgrade

    upgrade(tree, arguments.dry_run, print)
