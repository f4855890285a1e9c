"""``ks validate``: an environment against the schemas of its cluster's API server."""

import argparse

from ...errors import SetupError
from .cluster import plan_environment
from .cluster_flags import add_cluster_flags
from .commands import Commands, add_command
from .logrus import log
from .show import add_environment, add_render_flags
from .terminal import log_lines


def add(commands: Commands) -> None:
    """Add ``validate``."""
    what = "check an environment against its cluster, without writing anything"
    parser = add_command(commands, "validate", what, _validate, examples=["ks validate default"])
    add_environment(parser)
    add_render_flags(parser)
    add_cluster_flags(parser)


def _validate(arguments: argparse.Namespace) -> None:
    client, plan = plan_environment(arguments)
    from ...deploy import Validator

    failed = 0
    for called, faults in Validator(client, plan).run():
        log("info", f"Validating {called}")
        if faults:
            failed += 1
            log_lines("error", f"Error in {called}: validation failure list:\n" + "\n".join(faults))
    if failed:
        raise SetupError(f"validation failed: {failed} of {len(plan.objects)} objects")
