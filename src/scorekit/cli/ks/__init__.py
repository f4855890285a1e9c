"""The ``ks`` command; each group of its words has a module here. Exit status 0, or 1 after a ``level=error`` line;
``diff`` has 10 of its own.
"""

import argparse
import sys
from typing import NoReturn

from ...errors import ScorekitError, SetupError
from ..parser import CommandParser
from . import (
    apply,
    component,
    delete,
    diff,
    env,
    imports,
    init,
    module,
    param,
    pkg,
    prototype,
    registry,
    show,
    upgrade,
    validate,
    version,
)
from .opening import log
from .show import render_app

__all__ = ["main", "render_app"]


def main(argv: list[str] | None = None) -> int:
    try:
        arguments = _parser().parse(argv)
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


class KsParser(CommandParser):
    """The parser of ``ks`` and of every subcommand: ksonnet's messages (cobra's and pflag's), raised as errors."""

    def error(self, message: str) -> NoReturn:
        """Raise ``SetupError``, so that a wrong command line ends as every other error does: with exit status 1."""
        raise SetupError(f"{self.reworded(message)}; see `{self.prog} --help`")

    def unknown_flag(self, flag: str) -> str:
        """pflag's message: ``unknown flag: --x`` or ``unknown shorthand flag: 'x' in -x``."""
        return (
            super().unknown_flag(flag) if flag.startswith("--") else f"unknown shorthand flag: '{flag[1:2]}' in {flag}"
        )

    def unknown_command(self, command: str) -> str:
        """cobra's message at the top, ksonnet's below."""
        is_top = self.prog == "ks"
        return f'unknown command "{command}" for "ks"' if is_top else f"{command} is not a valid subcommand"

    def no_command(self) -> str:
        """ksonnet's message."""
        return f"Command '{self.prog.removeprefix('ks ')}' requires a subcommand"


def _parser() -> KsParser:
    everywhere = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
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
    parser = KsParser(
        prog="ks", description="Render, edit and deploy ksonnet apps.", parents=[everywhere], allow_abbrev=False
    )
    commands = parser.commands()
    deploying = (apply, delete, diff, validate)
    editing = (env, param, component, module, imports, pkg, registry, upgrade, version)
    for group in (init, prototype, show, *deploying, *editing):
        group.add(commands, everywhere)
    return parser
