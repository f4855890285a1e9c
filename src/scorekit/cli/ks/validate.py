"""``ks validate``: an environment against the schemas of its cluster's API server."""

import argparse

from ...errors import SetupError
from .connecting import add_cluster_flags, connect, environment_of, tell
from .opening import Commands, app, log, word
from .show import add_environment, add_render_flags, environment_name, rendered


def add(commands: Commands, everywhere: argparse.ArgumentParser) -> None:
    what = "check an environment against its cluster, without writing anything"
    parser = word(commands, everywhere, "validate", what, _validate)
    add_environment(parser)
    add_render_flags(parser)
    add_cluster_flags(parser)


def _validate(arguments: argparse.Namespace) -> None:
    tree = app(arguments)
    name = environment_name(tree, arguments.environment)
    environment = environment_of(tree, name)
    objects = rendered(tree, name, arguments)
    from ...ks.validate import Validation

    client = connect(arguments, environment)
    failed = 0
    for called, faults in Validation(client, objects, arguments.namespace or environment.namespace).run():
        log("info", f"Validating {called}")
        if faults:
            failed += 1
            tell("error", f"Error in {called}: validation failure list:\n" + "\n".join(faults))
    if failed:
        raise SetupError(f"validation failed: {failed} of {len(objects)} objects")
