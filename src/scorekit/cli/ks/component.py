"""``ks component …``."""

import argparse

from .app_folder import find_app
from .commands import Commands, add_command, add_group, add_positionals, positionals
from .logrus import log
from .table import add_output, print_table


def add(commands: Commands) -> None:
    """Add ``component`` and its subcommands."""
    group = add_group(commands, "component", "list and remove components")
    parser = add_command(group, "list", "print a table of the components", _list, examples=["ks component list"])
    add_positionals(parser, "", 0, "'component list' takes zero arguments")
    add_output(parser)
    parser.add_argument("--module", default="", metavar="NAME", help="list only the components of this module")
    parser = add_command(group, "rm", "remove a component and its parameters", _rm, examples=["ks component rm web"])
    add_positionals(parser, "NAME", 1, "'component rm' takes a single argument, that is the name of the component")


def _list(arguments: argparse.Namespace) -> None:
    positionals(arguments)
    tree = find_app(arguments)
    from ...ks.app.component_table import component_rows

    header = ["component", "type", "apiversion", "kind", "name"]
    print_table("componentList", header, component_rows(tree, arguments.module), arguments.output)


def _rm(arguments: argparse.Namespace) -> None:
    [name] = positionals(arguments)
    tree = find_app(arguments)
    from ...ks.edits.components import remove_component

    remove_component(tree, name, log)
