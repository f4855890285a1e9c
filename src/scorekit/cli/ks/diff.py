"""``ks diff``: the source against the cluster, or two environments against each other."""

import argparse
from collections.abc import Iterable
from typing import TYPE_CHECKING

from .app_folder import find_app
from .cluster import connect, environment_of, plan_objects
from .cluster_flags import add_cluster_flags
from .commands import Commands, add_command
from .show import add_render_flags, environment_name, rendered
from .terminal import paint

if TYPE_CHECKING:
    from ...deploy.difference import DiffSide, ObjectDifference
    from ...ks.io.disk import Directory

_DIFFERENT = 10


def add(commands: Commands) -> None:
    """Add ``diff``."""
    parser = add_command(
        commands,
        "diff",
        "compare an environment with its cluster, or two environments",
        _diff,
        examples=["ks diff default", "ks diff local:staging remote:production"],
    )
    parser.epilog = "Exit status 0 if both sides are the same, 10 if they differ, 1 on an error."
    where = "[local:|remote:]ENV"
    parser.usage = f"{parser.prog} {where} [{where}] [flags]"
    parser.add_argument(
        "first", metavar=where, nargs="?", help="the first side; alone, its cluster is compared with its source"
    )
    parser.add_argument(
        "second", metavar=where, nargs="?", help="the second side; local is the source, remote the cluster"
    )
    add_render_flags(parser)
    add_cluster_flags(parser)


def _diff(arguments: argparse.Namespace) -> int:
    tree = find_app(arguments)
    from ...deploy import diff_lines, diff_sides

    sides = diff_sides(environment_name(tree, arguments.first), arguments.second)
    lines = diff_lines(_differences(arguments, tree, sides), (str(sides[0]), str(sides[1])), paint)
    is_different = False
    for line in lines:
        is_different = True
        print(line, flush=True)
    return _DIFFERENT if is_different else 0


def _differences(
    arguments: argparse.Namespace, tree: "Directory", sides: "tuple[DiffSide, DiffSide]"
) -> "Iterable[ObjectDifference]":
    from ...deploy import against_cluster, between, check_distinct, flipped, on_cluster

    environments = [environment_of(tree, side.environment) for side in sides]
    objects = [rendered(tree, side.environment, arguments) for side in sides]
    namespaces = (
        arguments.namespace or environments[0].namespace,
        arguments.namespace or environments[1].namespace,
    )
    for each, namespace in zip(objects, namespaces, strict=True):
        check_distinct(each, namespace)
    remote = [side.is_remote for side in sides]
    if remote == [False, False]:
        return between(objects[0], objects[1], namespaces)
    if remote == [True, True]:
        views = []
        for environment, rendering in zip(environments, objects, strict=True):
            client = connect(arguments, environment)
            views.append(on_cluster(client, plan_objects(arguments, rendering, client, environment)))
        return between(views[0], views[1], namespaces)
    # One side's source, as it would be applied to the cluster and into the namespace of the other side.
    source, cluster = remote.index(False), remote.index(True)
    client = connect(arguments, environments[cluster])
    plan = plan_objects(arguments, objects[source], client, environments[cluster])
    differences = against_cluster(client, plan)
    return differences if cluster == 0 else flipped(differences)
