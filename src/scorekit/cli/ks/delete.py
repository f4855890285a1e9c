"""``ks delete``: an environment off its cluster."""

import argparse
from typing import TYPE_CHECKING

from ...errors import ScorekitError
from .apply import INTERRUPTED, interruptible, judge, report
from .cluster_flags import add_cluster_flags, add_timeout, boolean
from .commands import Commands, add_command
from .connecting import LiveLine, deployment, tell
from .show import add_environment, add_render_flags

if TYPE_CHECKING:
    from ...deploy.apply import Done


def add(commands: Commands) -> None:
    """Add ``delete``."""
    parser = add_command(
        commands, "delete", "delete an environment's objects from its cluster", _delete, examples=["ks delete default"]
    )
    add_environment(parser)
    add_render_flags(parser)
    add_cluster_flags(parser)
    add = parser.add_argument
    add("--grace-period", type=int, default=-1, metavar="SECONDS", help="for pods to end; default (-1): their own")
    add(
        "--wait",
        type=boolean,
        nargs="?",
        const=True,
        default=True,
        metavar="true|false",
        help="until all is gone (default); --wait=false only asks for it",
    )
    add_timeout(parser, 300)


def _delete(arguments: argparse.Namespace) -> int:
    found = deployment(arguments)
    from ...deploy.delete import Deleting
    from ...deploy.kube.client import Clock

    live = LiveLine()

    def did(done: "Done") -> None:
        live.clear()

    deleting = Deleting(found.client, found.namespace, Clock(), tell, did)
    grace = None if arguments.grace_period < 0 else arguments.grace_period
    with interruptible():
        try:
            waited = deleting.run(found.objects, grace, arguments.timeout if arguments.wait else 0.0, live)
        except KeyboardInterrupt:
            live.clear()
            report(deleting.outcome, "deleted", "interrupted")
            return INTERRUPTED
        except ScorekitError:
            live.clear()
            if deleting.outcome.has_begun:
                report(deleting.outcome, "deleted", "ended early")
            raise
    status = judge(waited, live, arguments)
    if not deleting.outcome.is_complete:
        report(deleting.outcome, "deleted", "not everything was deleted")
        return 1
    return status
