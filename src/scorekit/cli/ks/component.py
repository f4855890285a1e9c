"""``ks component …``: components."""

import argparse

from .opening import Commands, add_output, add_words, app, group_of, log, print_table, word, words


def add(commands: Commands, everywhere: argparse.ArgumentParser) -> None:
    group = group_of(commands, everywhere, "component", "components")
    listing = word(group, everywhere, "list", "print a table of them", _list)
    add_words(listing, "", 0, "'component list' takes zero arguments")
    add_output(listing)
    listing.add_argument("--module", default="", metavar="NAME", help="only this module")
    removing = word(group, everywhere, "rm", "remove a component and its parameters", _rm)
    add_words(removing, "NAME", 1, "'component rm' takes a single argument, that is the name of the component")


def _list(arguments: argparse.Namespace) -> None:
    words(arguments)
    tree = app(arguments)
    from ...ks.app.component_table import summaries

    header = ["component", "type", "apiversion", "kind", "name"]
    print_table("componentList", header, summaries(tree, arguments.module), arguments.output)


def _rm(arguments: argparse.Namespace) -> None:
    [name] = words(arguments)
    tree = app(arguments)
    from ...ks.edits.components import remove_component

    remove_component(tree, name, log)
