"""The doors: the only readers of the command line and the environment."""

import argparse
import sys
from collections.abc import Callable, Sequence

from .. import __version__
from ..errors import ScorekitError


def main(argv: Sequence[str] | None = None) -> int:
    """The ``scorekit`` command. Returns the exit status: 0, or 1 after one sentence on stderr."""
    parser = argparse.ArgumentParser(prog="scorekit", description="A Python model behind a production endpoint.")
    parser.add_argument("--version", action="version", version=f"scorekit {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    # Each is a few lines of argparse; what they need is imported when they run.
    from . import check, contract, dockerfile, init, microservice, serve, test, up

    serve.add(commands)
    microservice.add(commands)
    up.add(commands)
    init.add(commands)
    test.add(commands)
    contract.add(commands)
    check.add(commands)
    dockerfile.add(commands)
    arguments, surplus = parser.parse_known_args(argv)
    if surplus and not hasattr(arguments, "surplus"):
        parser.error(f"unrecognized arguments: {' '.join(surplus)}")
    arguments.surplus = surplus
    command: Callable[[argparse.Namespace], int] = arguments.command
    try:
        status = command(arguments)
        print(end="", flush=True)  # here, where a reader that has gone can be caught
        return status
    except ScorekitError as error:
        print(f"scorekit: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # `scorekit serve --explain DIR | head`: whoever read has seen enough. Nothing may be flushed at exit any more.
        sys.stdout = None
        return 1
