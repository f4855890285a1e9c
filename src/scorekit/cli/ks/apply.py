"""``ks apply``: an environment onto its cluster."""

import argparse
import signal
from typing import TYPE_CHECKING, Any

from ...errors import ScorekitError
from .cluster_flags import add_cluster_flags, add_timeout, boolean
from .commands import Commands, add_command
from .connecting import LiveLine, deployment, paint, tell
from .logrus import log
from .show import add_environment, add_render_flags

if TYPE_CHECKING:
    from ...deploy.apply import Done, Outcome
    from ...deploy.wait import Waited

INTERRUPTED = 130  # as shells have it for SIGINT


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
        help="make objects that are not there (default); --create=false refuses to",
    )
    add("--dry-run", action="store_true", help="let the server check everything and print what would change")
    add("--force-conflicts", action="store_true", help="take fields that somebody else has set since")
    add(
        "--gc-tag",
        default="",
        metavar="TAG",
        help="tag what is applied, and remove what has this tag and is not any more",
    )
    add("--skip-gc", action="store_true", help="tag, but remove nothing")
    add("--wait", action="store_true", help="until all that was applied runs")
    add_timeout(parser, 300)


def _apply(arguments: argparse.Namespace) -> int:
    found = deployment(arguments)
    from ...deploy.apply import Applying, Wishes, of_components
    from ...deploy.wait import until_ready

    wishes = Wishes(
        found.namespace,
        arguments.create,
        arguments.dry_run,
        arguments.force_conflicts,
        arguments.gc_tag,
        arguments.skip_gc,
        of_components(found.objects) if arguments.component else frozenset(),
    )
    from ...deploy.kube.client import Clock

    clock, is_dry = Clock(), arguments.dry_run
    applying = Applying(found.client, wishes, clock, tell, _print_dry if is_dry else _log_done)
    with interruptible():
        try:
            outcome = applying.run(found.objects)
        except KeyboardInterrupt:
            report(applying.outcome, "applied", "interrupted", is_dry)
            return INTERRUPTED
        except ScorekitError:
            if applying.outcome.has_begun:
                report(applying.outcome, "applied", "ended early", is_dry)
            raise
        if not outcome.is_complete:
            report(outcome, "applied", f"not everything {'would be' if is_dry else 'was'} applied", is_dry)
            return 1
        if not arguments.wait or is_dry:
            return 0
        live = LiveLine()

        def ready(title: str) -> None:
            live.clear()
            log("info", f"{title} is ready")

        try:
            return judge(
                until_ready(found.client, outcome.applied, arguments.timeout, clock, ready, live), live, arguments
            )
        except KeyboardInterrupt:
            live.clear()
            log("error", "interrupted while waiting; everything was applied")
            return INTERRUPTED


def judge(waited: "Waited", live: LiveLine, arguments: argparse.Namespace) -> int:
    """Tell what did not come to its end. The exit status."""
    live.clear()
    for title, words in waited.failed.items():
        log("error", f"{title} failed: {words}")
    for title, words in waited.late.items():
        what = "is not done" if waited.failed else f"is not done after {arguments.timeout:.0f} s"
        log("error", f"{title} {what}: {words}")
    return 1 if waited.failed or waited.late else 0


def report(outcome: "Outcome", verb: str, why: str, is_dry: bool = False) -> None:
    """What was done, what was refused and what was not tried, and that a rerun completes it."""
    done = ", ".join(each.title for each in outcome.done) or "nothing"
    refused = ", ".join(title for title, _ in outcome.refused)
    left = ", ".join(outcome.left)
    log("error", f"{why}. {'would be ' if is_dry else ''}{verb}: {done}")
    if refused:
        log("error", f"refused: {refused}")
    if left:
        log("error", f"not {'checked' if is_dry else 'done'}: {left}")
    if is_dry:
        log("error", "this was a dry run: nothing is changed")
        return
    log("error", f"run the command again to complete it{', once what was refused is put right' if refused else ''}")


class interruptible:  # noqa: N801  # read as a verb: with interruptible():
    """SIGTERM ends the work within as Ctrl-C does, so that it can say how far it got."""

    def __enter__(self) -> None:
        self._before = signal.signal(signal.SIGTERM, self._stop)

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGTERM, self._before)

    def _stop(self, *_: Any) -> None:
        raise KeyboardInterrupt


def _log_done(done: "Done") -> None:
    paths = [change.path for change in done.changes]
    told = f": {', '.join(paths[:8])}{' …' if len(paths) > 8 else ''}" if paths else ""
    log("info", f"{done.title} {done.verb}{told}")


def _print_dry(done: "Done") -> None:
    from ...deploy.difference import field_lines

    note = f" ({done.note})" if done.note else ""
    print("\n".join([f"{done.title} {done.verb}{note}", *field_lines(done.changes, paint)]))
