"""``ks env …``: environments."""

import argparse

from .opening import Commands, add_output, app, print_table


def add(commands: Commands, everywhere: argparse.ArgumentParser) -> None:
    group = commands.add_parser("env", parents=[everywhere], help="environments")
    below = group.add_subparsers(title="commands", metavar="COMMAND", required=True)
    listing = below.add_parser("list", parents=[everywhere], help="print a table of them")
    add_output(listing)
    listing.set_defaults(run=_list)


def _list(arguments: argparse.Namespace) -> None:
    tree = app(arguments)
    from ...ks.app import load_app

    header = ["name", "override", "kubernetes-version", "namespace", "server"]
    rows = [
        [found.name, "*" if found.is_override else "", found.k8s_version, found.namespace, found.server]
        for found in load_app(tree).environments.values()
    ]
    print_table("envList", header, rows, arguments.output)
