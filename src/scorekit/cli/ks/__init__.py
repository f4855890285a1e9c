"""The ``ks`` command; each group of its words has a module here. Exit status 0, or 1 after a ``level=error`` line;
``diff`` has 10 of its own.
"""

import argparse
import sys
from typing import NoReturn

from ... import __version__
from ...errors import ScorekitError, SetupError
from . import apply, component, delete, diff, env, show, validate
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
    except BrokenPipeError:
        # `ks show | head`: whoever read has seen enough. Nothing may be flushed at exit any more.
        sys.stdout = None  # what the interpreter itself does with a lost stdout
        return 1
    return status or 0


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in ksonnet's form, with its exit status."""

    def error(self, message: str) -> NoReturn:
        raise SetupError(f"{message}; see `{self.prog} --help`")


def _parser() -> argparse.ArgumentParser:
    everywhere = _Parser(add_help=False)
    everywhere.add_argument("--dir", default=argparse.SUPPRESS, help="folder to look for the app from")
    parser = _Parser(
        prog="ks", description="Render ksonnet apps to Kubernetes manifests, and deploy them.", parents=[everywhere]
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for group in (show, apply, delete, diff, validate, env, component):
        group.add(commands, everywhere)
    version = commands.add_parser("version", help="print the version")
    version.set_defaults(run=lambda arguments: print(f"ks of scorekit {__version__}"))
    return parser
