"""The ``ks`` command; each group of its words has a module here. Exit status 0, or 1 after a ``level=error`` line."""

import argparse
import re
import sys
from typing import NoReturn

from ...errors import ScorekitError, SetupError
from . import component, env, imports, init, module, param, pkg, prototype, registry, show, upgrade, version
from .opening import log
from .show import render_app

__all__ = ["main", "render_app"]


def main(argv: list[str] | None = None) -> int:
    try:
        arguments = _parser().parse_args(argv)
        status: int | None = arguments.run(arguments)
    except ScorekitError as error:
        log("error", str(error))
        return 1
    except KeyboardInterrupt:
        return 130  # as a shell reports it
    except BrokenPipeError:
        # `ks show | head`: whoever read has seen enough. Nothing may be flushed at exit any more.
        sys.stdout = None  # what the interpreter itself does with a lost stdout
        return 1
    return status or 0


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in ksonnet's words, with its exit status."""

    def error(self, message: str) -> NoReturn:
        see = f"; see `{self.prog} --help`"
        if (unknown := re.fullmatch(r"unrecognized arguments: (.*)", message)) is not None:
            first = unknown[1].split(" ")[0]
            if first.startswith("--"):
                raise SetupError(f"unknown flag: {first.partition('=')[0]}{see}")
            if first.startswith("-"):
                raise SetupError(f"unknown shorthand flag: '{first[1:2]}' in {first}{see}")
        if (choice := re.fullmatch(r"argument COMMAND: invalid choice: '(.*?)' .*", message)) is not None:
            group = self.prog.removeprefix("ks").strip()
            unknown_word = (
                f"{choice[1]} is not a valid subcommand" if group else f'unknown command "{choice[1]}" for "ks"'
            )
            raise SetupError(unknown_word + see)
        if message == "the following arguments are required: COMMAND":
            message = f"Command '{self.prog.removeprefix('ks ')}' requires a subcommand"
        raise SetupError(message + see)


def _parser() -> argparse.ArgumentParser:
    everywhere = _Parser(add_help=False, allow_abbrev=False)
    everywhere.add_argument("--dir", default=argparse.SUPPRESS, help="folder to look for the app from")
    everywhere.add_argument(
        "-v", "--verbose", action="count", default=argparse.SUPPRESS, help="accepted: there is nothing more to say"
    )
    everywhere.add_argument(
        "--tls-skip-verify",
        action="store_true",
        default=argparse.SUPPRESS,
        help="do not verify a cluster's certificate",
    )
    parser = _Parser(prog="ks", description="Render and edit ksonnet apps.", parents=[everywhere], allow_abbrev=False)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for group in (init, prototype, show, env, param, component, module, imports, pkg, registry, upgrade, version):
        group.add(commands, everywhere)
    return parser
