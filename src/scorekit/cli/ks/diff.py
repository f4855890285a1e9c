"""``ks diff``: what the source and the cluster, or two environments, have against each other."""

import argparse
from typing import TYPE_CHECKING, Any

from .app_folder import find_app
from .cluster_flags import add_cluster_flags
from .commands import Commands, add_command
from .connecting import connect, environment_of, paint
from .show import add_render_flags, environment_name, rendered

if TYPE_CHECKING:
    from ...deploy.difference import Location
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
    parser.add_argument("first", metavar=where, nargs="?", help="alone: its cluster against its source")
    parser.add_argument(
        "second", metavar=where, nargs="?", help="the other side; local is the source, remote the cluster"
    )
    add_render_flags(parser)
    add_cluster_flags(parser)


def _diff(arguments: argparse.Namespace) -> int:
    tree = find_app(arguments)
    from ...deploy.difference import locations, printed

    sides = locations(environment_name(tree, arguments.first), arguments.second)
    lines = printed(_differences(arguments, tree, sides), (str(sides[0]), str(sides[1])), paint)
    is_different = False
    for line in lines:
        is_different = True
        print(line, flush=True)
    return _DIFFERENT if is_different else 0


def _differences(arguments: argparse.Namespace, tree: "Directory", sides: "tuple[Location, Location]") -> Any:
    from ...deploy.apply import of_components
    from ...deploy.difference import between, flipped, on_cluster, to_apply
    from ...deploy.stamp import distinct

    environments = [environment_of(tree, side.environment) for side in sides]
    objects = [rendered(tree, side.environment, arguments) for side in sides]
    namespaces = [arguments.namespace or each.namespace for each in environments]
    for each, namespace in zip(objects, namespaces, strict=True):
        distinct(each, namespace)
    components = [of_components(each) if arguments.component else frozenset() for each in objects]
    remote = [side.is_remote for side in sides]
    if remote == [False, False]:
        return between(objects[0], objects[1], (namespaces[0], namespaces[1]))
    if remote == [True, True]:
        views = [
            on_cluster(connect(arguments, environments[at]), objects[at], namespaces[at], components[at])
            for at in (0, 1)
        ]
        return between(views[0], views[1], (namespaces[0], namespaces[1]))
    # The source of the one, as it would be applied to the cluster and into the namespace of the other.
    source, cluster = remote.index(False), remote.index(True)
    client = connect(arguments, environments[cluster])
    found = to_apply(client, objects[source], namespaces[cluster], components[source])
    return found if cluster == 0 else flipped(found)
