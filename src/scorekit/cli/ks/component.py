"""``ks component …``: components."""

import argparse

from .opening import Commands, add_output, app, print_table


def add(commands: Commands, everywhere: argparse.ArgumentParser) -> None:
    group = commands.add_parser("component", parents=[everywhere], help="components")
    below = group.add_subparsers(title="commands", metavar="COMMAND", required=True)
    listing = below.add_parser("list", parents=[everywhere], help="print a table of them")
    add_output(listing)
    listing.add_argument("--module", default="", metavar="NAME", help="only this module")
    listing.set_defaults(run=_list)


def _list(arguments: argparse.Namespace) -> None:
    tree = app(arguments)
    from ...ks.listing import summaries

    header = ["component", "type", "apiversion", "kind", "name"]
    print_table("componentList", header, summaries(tree, arguments.module), arguments.output)
