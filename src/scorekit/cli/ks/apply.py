"""``ks apply``: an environment onto its cluster."""

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...errors import ScorekitError
from .cluster import plan_environment
from .cluster_flags import add_cluster_flags, add_timeout, boolean
from .commands import Commands, add_command
from .logrus import log
from .reporting import INTERRUPTED, interruptible, report_outcome, report_wait
from .show import add_environment, add_render_flags
from .terminal import PendingLine, log_lines, paint

if TYPE_CHECKING:
    from ...deploy import Clock, Cluster, ObjectResult, SeldonState
    from ...manifests import Object


def add(commands: Commands) -> None:
    """Add ``apply``."""
    parser = add_command(
        commands,
        "apply",
        "apply an environment to its cluster",
        _apply,
        examples=["ks apply default --dry-run", "ks apply default --wait"],
    )
    add_environment(parser)
    add_render_flags(parser)
    add_cluster_flags(parser)
    add = parser.add_argument
    add(
        "--create",
        type=boolean,
        nargs="?",
        const=True,
        default=True,
        metavar="true|false",
        help="create objects that do not exist (default); --create=false refuses them",
    )
    add(
        "--dry-run",
        action="store_true",
        help="let the server check everything, print what would change, and change nothing",
    )
    add("--force-conflicts", action="store_true", help="overwrite fields that others have set since")
    add(
        "--gc-tag",
        default="",
        metavar="TAG",
        help="tag what is applied, and delete objects with this tag that are no longer rendered",
    )
    add("--skip-gc", action="store_true", help="tag, but delete nothing")
    add("--wait", action="store_true", help="wait until everything that was applied runs")
    add_timeout(parser, 300)


def _apply(arguments: argparse.Namespace) -> int:
    from ...deploy import Applier, ApplyOptions, seldon_states

    with interruptible():
        client, plan = plan_environment(arguments)
        from ...deploy.kube.client import SystemClock

        options = ApplyOptions(
            create=arguments.create,
            dry_run=arguments.dry_run,
            force_conflicts=arguments.force_conflicts,
            gc_tag=arguments.gc_tag,
            skip_gc=arguments.skip_gc,
        )
        clock, is_dry = SystemClock(), arguments.dry_run
        waits = arguments.wait and not is_dry
        states = seldon_states(client, (planned.value for planned in plan.objects)) if waits else {}
        applier = Applier(client, options, clock=clock, log=log_lines, done=_print_dry if is_dry else _log_result)
        try:
            applier.run(plan)
        except KeyboardInterrupt:
            report_outcome(applier.outcome, "applied", "interrupted", is_dry=is_dry)
            return INTERRUPTED
        except ScorekitError:
            if applier.outcome.has_begun:
                report_outcome(applier.outcome, "applied", "ended early", is_dry=is_dry)
            raise
        if not applier.outcome.is_complete:
            why = f"not everything {'would be' if is_dry else 'was'} applied"
            report_outcome(applier.outcome, "applied", why, is_dry=is_dry)
            return 1
        return _wait(client, applier.outcome.applied, clock, arguments.timeout, states) if waits else 0


def _wait(
    cluster: "Cluster", applied: "list[Object]", clock: "Clock", timeout_s: float, states: "Mapping[str, SeldonState]"
) -> int:
    from ...deploy import Waiter, until_ready

    pending = PendingLine()
    waiter = Waiter(clock=clock, limit_s=timeout_s, pending=pending)

    def ready(title: str) -> None:
        pending.clear()
        log("info", f"{title} is ready")

    try:
        result = until_ready(cluster, applied, waiter, ready, states)
    except KeyboardInterrupt:
        pending.clear()
        log("error", "interrupted while waiting; everything was applied")
        return INTERRUPTED
    return report_wait(result, pending, state="ready", timeout_s=timeout_s)


def _log_result(result: "ObjectResult") -> None:
    paths = [change.path for change in result.changes]
    changed = f": {', '.join(paths[:8])}{' …' if len(paths) > 8 else ''}" if paths else ""
    log("info", f"{result.title} {result.verb}{changed}")


def _print_dry(result: "ObjectResult") -> None:
    from ...deploy import field_lines

    note = f" ({result.note})" if result.note else ""
    print("\n".join([f"{result.title} {result.verb}{note}", *field_lines(result.changes, paint)]))
