"""``ks module …``."""

import argparse

from .app_folder import find_app
from .commands import Commands, add_command, add_group, add_positionals, positionals
from .table import add_output, print_table


def add(commands: Commands) -> None:
    """Add ``module`` and its subcommands."""
    group = add_group(commands, "module", "create and list modules, the folders of components")
    parser = add_command(group, "create", "create a module", _create, examples=["ks module create monitoring"])
    add_positionals(parser, "NAME", 1, "module create <module name>")
    parser = add_command(
        group, "list", "print a table of the modules", _list, examples=["ks module list --env default"]
    )
    add_positionals(parser, "", 0, "'module list' takes zero arguments")
    parser.add_argument("--env", default="", metavar="NAME", help="list only the modules that this environment renders")
    add_output(parser)


def _create(arguments: argparse.Namespace) -> None:
    [name] = positionals(arguments)
    tree = find_app(arguments)
    from ...ks.edits.components import create_module

    create_module(tree, name)


def _list(arguments: argparse.Namespace) -> None:
    positionals(arguments)
    tree = find_app(arguments)
    from ...ks.app.app import load_app
    from ...ks.app.components import all_modules, rendered_modules

    environment = load_app(tree).environment(arguments.env) if arguments.env else None
    modules = rendered_modules(tree, environment) if environment else all_modules(tree)
    print_table("moduleList", ["module"], [[module.name] for module in modules], arguments.output)
