"""``ks delete``: an environment off its cluster."""

import argparse
from typing import TYPE_CHECKING

from ...errors import ScorekitError
from .cluster import plan_environment
from .cluster_flags import add_cluster_flags, add_timeout, boolean
from .commands import Commands, add_command
from .reporting import INTERRUPTED, interruptible, report_outcome, report_wait
from .show import add_environment, add_render_flags
from .terminal import PendingLine, log_lines

if TYPE_CHECKING:
    from ...deploy import ObjectResult


def add(commands: Commands) -> None:
    """Add ``delete``."""
    parser = add_command(
        commands, "delete", "delete an environment's objects from its cluster", _delete, examples=["ks delete default"]
    )
    add_environment(parser)
    add_render_flags(parser)
    add_cluster_flags(parser)
    add = parser.add_argument
    add(
        "--grace-period",
        type=int,
        default=-1,
        metavar="SECONDS",
        help="seconds that pods get to end (default: -1, their own)",
    )
    add(
        "--wait",
        type=boolean,
        nargs="?",
        const=True,
        default=True,
        metavar="true|false",
        help="wait until everything is deleted (default); --wait=false only requests it",
    )
    add_timeout(parser, 300)


def _delete(arguments: argparse.Namespace) -> int:
    from ...deploy import Deleter, Waiter

    with interruptible():
        client, plan = plan_environment(arguments)
        from ...deploy.kube.client import SystemClock

        clock, pending = SystemClock(), PendingLine()

        def done(result: "ObjectResult") -> None:
            pending.clear()

        deleter = Deleter(client, clock=clock, log=log_lines, done=done)
        waiter = Waiter(clock=clock, limit_s=arguments.timeout if arguments.wait else 0.0, pending=pending)
        grace_period_s = None if arguments.grace_period < 0 else arguments.grace_period
        try:
            result = deleter.run(plan, grace_period_s, waiter)
        except KeyboardInterrupt:
            pending.clear()
            report_outcome(deleter.outcome, "deleted", "interrupted")
            return INTERRUPTED
        except ScorekitError:
            pending.clear()
            if deleter.outcome.has_begun:
                report_outcome(deleter.outcome, "deleted", "ended early")
            raise
    status = report_wait(result, pending, state="deleted", timeout_s=arguments.timeout)
    if not deleter.outcome.is_complete:
        report_outcome(deleter.outcome, "deleted", "not everything was deleted")
        return 1
    return status
