"""``ks module …``: modules."""

import argparse

from .opening import Commands, add_output, add_words, app, group_of, print_table, word, words


def add(commands: Commands, everywhere: argparse.ArgumentParser) -> None:
    group = group_of(commands, everywhere, "module", "modules, folders of components")
    creating = word(group, everywhere, "create", "make a module", _create)
    add_words(creating, "NAME", 1, "module create <module name>")
    listing = word(group, everywhere, "list", "print a table of them", _list)
    add_words(listing, "", 0, "'module list' takes zero arguments")
    listing.add_argument("--env", default="", metavar="NAME", help="those that this environment renders")
    add_output(listing)


def _create(arguments: argparse.Namespace) -> None:
    [name] = words(arguments)
    tree = app(arguments)
    from ...ks.edits.components import create_module

    create_module(tree, name)


def _list(arguments: argparse.Namespace) -> None:
    words(arguments)
    tree = app(arguments)
    from ...ks.app.app import load_app
    from ...ks.app.components import all_modules, rendered_modules

    found = rendered_modules(tree, load_app(tree).environment(arguments.env)) if arguments.env else all_modules(tree)
    print_table("moduleList", ["module"], [[module.name] for module in found], arguments.output)
